/** Values from the edges of what a rule says, and good ones a little changed. */
import type { Random } from '../random.ts'
import type { Json } from './grammar.ts'
import { API, ISSUER, LIST_URI, NOW } from './input.ts'
import { isMembers, put } from './spot.ts'

const LONG = 'x'.repeat(1025)
const NUMBERS: readonly number[] = [
  0,
  -0,
  1,
  -1,
  2,
  3,
  7,
  8,
  9,
  30,
  31,
  32,
  33,
  0.5,
  1.5,
  255,
  4_000,
  4_019,
  4_020,
  65_535,
  65_536,
  2 ** 30,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 31 + 1,
  -(2 ** 31),
  2 ** 32 - 1,
  2 ** 32,
  2 ** 32 + 1,
  2 ** 52,
  2 ** 53 - 1,
  2 ** 53,
  2 ** 53 + 2,
  1e21,
  1e300,
  5e-324,
  NOW,
  NOW - 6,
  NOW - 5,
  NOW - 4,
  NOW + 4,
  NOW + 5,
  NOW + 6,
  NOW * 1000,
]
const TEXTS: readonly string[] = [
  '',
  ' ',
  '0',
  '1',
  '-1',
  'null',
  'true',
  'client',
  'policy',
  'read',
  '__proto__',
  'constructor',
  'hasOwnProperty',
  'toString',
  '\u0000',
  'a\u0000b',
  '\ufeff',
  '\u202eread',
  'ａｌｉｃｅ',
  'alice\u0301',
  '\ud800',
  '😀',
  'a b',
  'a  b',
  ' a',
  'a\t',
  'a"b',
  'a\\b',
  "a'b",
  '/relative',
  '//a.example',
  'https://a.example/#f',
  'https://a.example/ b',
  'javascript:1',
  'urn:x',
  API,
  `${API}/`,
  API.toUpperCase(),
  ISSUER,
  `${ISSUER}/`,
  LIST_URI,
  `${ISSUER}/status/../status/g1-7`,
  `${ISSUER}/status/`,
  'https://evil.example/status/g1-7',
  LONG,
  'x'.repeat(1024),
]
export const NAMES: readonly string[] = [
  'x',
  'prev',
  'exp',
  'aud',
  'act',
  'sub',
  'iss',
  'scope',
  'v',
  'cnf',
  'crit',
  'may_act',
  'max_Depth',
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'valueOf',
  'hasOwnProperty',
  'then',
  'toJSON',
  'length',
  '0',
  '',
  'authorization_details',
  'client_id',
  'status_list',
]

/** Any value, mostly from the edges of what a rule says. */
export function anyValue(random: Random): Json {
  const kind = random.below(12)
  if (kind < 4) return random.pick(NUMBERS)
  if (kind < 8) return random.pick(TEXTS)
  if (kind === 8) return random.pick([true, false, null])
  if (kind === 9) return random.pick<Json>([[], {}, [[]], [{}], { length: 1 }, { sub: 'x' }])
  if (kind === 10) return [anyValue(random)]
  return { [random.pick(NAMES)]: anyValue(random) }
}

/** The value, as it might be written by mistake. */
export function changed(value: Json | undefined, random: Random): Json {
  if (typeof value === 'number') return changedNumber(value, random)
  if (typeof value === 'string') return changedText(value, random)
  if (Array.isArray(value)) return changedList(value, random)
  if (isMembers(value)) {
    const copy = { ...value }
    put({ parent: copy, name: random.pick(NAMES) }, anyValue(random))
    return copy
  }
  return anyValue(random)
}

function changedNumber(value: number, random: Random): Json {
  const bit = 2 ** random.below(34)
  return random.pick<Json>([
    value + 1,
    value - 1,
    value + bit,
    value - bit,
    value * 2,
    -value,
    value + 0.5,
    value / 2,
    value + 2 ** 32,
    value * 1000,
    String(value),
    [value],
    { value },
    value ^ (1 << random.below(31)),
    value === 0,
  ])
}

function changedText(value: string, random: Random): Json {
  const cut = random.below(value.length + 1)
  const piece = random.pick(TEXTS)
  return random.pick<Json>([
    value + piece,
    piece + value,
    value.slice(0, cut) + piece + value.slice(cut),
    value.slice(0, cut),
    value.slice(cut),
    value.toUpperCase(),
    value.toLowerCase(),
    value.normalize('NFD'),
    value.repeat(2),
    ` ${value}`,
    `${value} `,
    value.split(' ').toReversed().join(' '),
    value.replaceAll('e', 'е'),
    [value],
    value.split(' '),
    { [value]: value },
  ])
}

function changedList(value: readonly Json[], random: Random): Json {
  const one = random.below(value.length + 1)
  const other = random.below(value.length + 1)
  return random.pick<Json>([
    value.toReversed(),
    value.slice(1),
    value.slice(0, -1),
    [...value, ...value.slice(one, one + 1)],
    [...value, anyValue(random)],
    value.toSpliced(one, 1),
    value.toSpliced(one, 0, ...value.slice(other, other + 1)),
    [...value, ...value],
    [value as Json],
    Object.fromEntries(value.entries()) as Json,
    Array.from(
      { length: random.pick([8, 9, 31, 32, 33, 200]) },
      (_, n) => value[n % Math.max(1, value.length)] ?? n,
    ),
  ])
}
