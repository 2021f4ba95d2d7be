/**
 * JSON changed as text, where two readers may see two things (RFC 8259 §4, RFC 8725 §3.7), and compact tokens changed as text, where
 * there must be one spelling (RFC 7515 §2, §7.1).
 */
import type { Raw } from '../issuer.ts'
import { macOf } from '../issuer.ts'
import type { Random } from '../random.ts'

interface TextMutation {
  readonly name: string
  readonly weight: number
  readonly change: (text: string, random: Random) => Raw
}

/** Where one of these characters stands outside strings; of the text's length where none does. */
function outside(text: string, characters: string, random: Random): number {
  const found: number[] = []
  let isText = false
  for (let at = 0; at < text.length; at++) {
    const character = text[at] ?? ''
    if (isText && character === '\\') at++
    else if (character === '"') isText = !isText
    else if (!isText && characters.includes(character)) found.push(at)
  }
  return found.length === 0 ? text.length : random.pick(found)
}

function insert(text: string, at: number, piece: string): string {
  return text.slice(0, at) + piece + text.slice(at)
}

const MEMBER = /"(?:[^"\\]|\\.)*":(?:"(?:[^"\\]|\\.)*"|-?\d+)/g

function anyMember(text: string, random: Random): { readonly at: number; readonly member: string } {
  const found = [...text.matchAll(MEMBER)]
  if (found.length === 0) return { at: 1, member: '"x":1' }
  const chosen = random.pick(found)
  return { at: chosen.index, member: chosen[0] }
}

/** `\u` for a few characters of a name or value: the same JSON value, written otherwise. */
function escaped(text: string, random: Random): string {
  return text.replace(/[a-z]/g, (letter) =>
    random.chance(0.3) ? `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}` : letter,
  )
}

const SPACES = [' ', '\n', '\t', '\r\n', '   ']
const NO_SPACES = ['\u00a0', '\u2028', '\ufeff', '\v', '\f', '/**/', '//x\n', ',', '\u0000']
const OCTETS: readonly (readonly number[])[] = [
  [0xff],
  [0xc0, 0x80],
  [0xed, 0xa0, 0x80],
  [0xf4, 0x90, 0x80, 0x80],
  [0xe2, 0x82],
  [0x80],
  [0xfe, 0xff],
  [0],
]

const JSON_MUTATIONS: readonly TextMutation[] = [
  {
    name: 'spaced',
    weight: 3,
    change: (text, random) => insert(text, outside(text, '{}[]:,', random), random.pick(SPACES)),
  },
  {
    name: 'not-space',
    weight: 2,
    change: (text, random) => insert(text, outside(text, '{}[]:,', random), random.pick(NO_SPACES)),
  },
  {
    name: 'repeated-member',
    weight: 4,
    change: (text, random) => {
      const { at, member } = anyMember(text, random)
      const again = random.pick([member, member.replace(/\d+$/, '0'), escaped(member, random)])
      return random.chance(0.5)
        ? insert(text, at, `${again},`)
        : insert(text, at + member.length, `,${again}`)
    },
  },
  {
    name: 'escaped',
    weight: 3,
    change: (text, random) => {
      const { at, member } = anyMember(text, random)
      return text.slice(0, at) + escaped(member, random) + text.slice(at + member.length)
    },
  },
  {
    name: 'moved-member',
    weight: 2,
    change: (text, random) => {
      const { at, member } = anyMember(text, random)
      const without = (text.slice(0, at) + text.slice(at + member.length)).replace(
        /,,|([{[]),|,([}\]])/,
        (_, open = '', close = '') => (open === '' && close === '' ? ',' : open + close),
      )
      return insert(without, without.indexOf('{') + 1, `${member},`)
    },
  },
  {
    name: 'number-spelt',
    weight: 4,
    change: (text, random) => {
      const found = [...text.matchAll(/:(-?\d+)(?=[,}\]])/g)]
      if (found.length === 0) return text
      const { index, 1: digits = '0' } = random.pick(found)
      const spelt = random.pick([
        `${digits}.0`,
        `${digits}e0`,
        `${digits}E+0`,
        `0${digits}`,
        `+${digits}`,
        `-${digits}`,
        `${digits}.`,
        `${digits}0e-1`,
        `${digits}n`,
        `0x${digits}`,
        `${digits}_0`,
        `.${digits}`,
        `${digits}.00000000000000000001`,
        'NaN',
        'Infinity',
        '1e999',
        '-0',
        `${digits}e-400`,
        '9'.repeat(400),
        `0.${digits}e${digits.length}`,
        `"${digits}"`,
        'true',
        'null',
      ])
      return text.slice(0, index + 1) + spelt + text.slice(index + 1 + digits.length)
    },
  },
  {
    name: 'prototype-name',
    weight: 2,
    change: (text, random) => {
      const name = random.pick([
        '__proto__',
        '\\u005f_proto__',
        'constructor',
        'prototype',
        'toString',
      ])
      const value = random.pick(['1', 'null', '{}', '{"scope":"x"}', '{"prototype":{"x":1}}', '[]'])
      return insert(text, outside(text, '{', random) + 1, `"${name}":${value},`)
    },
  },
  {
    name: 'deep',
    weight: 2,
    change: (text, random) => {
      const depth = random.pick([10, 20, 22, 23, 24, 25, 64, 1000, 4000])
      const [open, close] = random.pick([['[', ']'] as const, ['{"a":', '}'] as const])
      return insert(text, text.length - 1, `,"deep":${open.repeat(depth)}1${close.repeat(depth)}`)
    },
  },
  {
    name: 'unclosed',
    weight: 1,
    change: (text, random) =>
      random.pick([
        text.slice(0, -1),
        text.slice(0, random.below(text.length)),
        `${text}}`,
        `[${text}]`,
        `${text}${text}`,
        `${text} `,
        `${text}\n`,
        `${text}\u0000`,
        `\ufeff${text}`,
        ` ${text}`,
        '',
        'null',
        '""',
        '{}',
        '[]',
        '{',
      ]),
  },
  {
    name: 'surrogate',
    weight: 2,
    change: (text, random) => {
      const { at, member } = anyMember(text, random)
      const piece = random.pick([
        '\\ud800',
        '\\udc00',
        '\\ud83d\\ude00',
        '\\uD800\\u0041',
        '\\u0000',
        '\\u00',
        '\\x41',
        '\\/',
        '\u0001',
        '\n',
      ])
      return insert(text, at + member.lastIndexOf('"'), piece)
    },
  },
  {
    name: 'octets',
    weight: 2,
    change: (text, random) => {
      const bytes = Buffer.from(text)
      const at = random.below(bytes.length)
      return Buffer.concat([
        bytes.subarray(0, at),
        Buffer.from(random.pick(OCTETS)),
        bytes.subarray(at + random.below(2)),
      ])
    },
  },
  { name: 'utf-16', weight: 1, change: (text) => Buffer.from(text, 'utf16le') },
]

/** The text of a payload or header, written otherwise. */
export function mutateJson(
  text: string,
  random: Random,
): { readonly raw: Raw; readonly by: string } {
  const { name, change } = random.pickWeighted(JSON_MUTATIONS)
  const raw = change(text, random)
  if (typeof raw !== 'string' || !random.chance(0.2)) return { raw, by: `json-${name}` }
  const more = random.pickWeighted(JSON_MUTATIONS)
  return { raw: more.change(raw, random), by: `json-${name}+${more.name}` }
}

const ALGS = [
  'none',
  'None',
  'nOnE',
  '',
  'HS256',
  'hs256',
  'ES384',
  'ES256K',
  'PS256',
  'RS512',
  'es256',
  'ES256 ',
  'EdDSA',
  'Ed25519',
  'Ed448',
  'RS256',
  'ES256',
  'RSA1_5',
  'dir',
  'toString',
  '__proto__',
]
const TYPES = [
  'at+jwt',
  'AT+JWT',
  'application/at+jwt',
  'Application/At+Jwt',
  'application/application/at+jwt',
  'JWT',
  'jwt',
  'dpop+jwt',
  'manage+jwt',
  'statuslist+jwt',
  'at+jwt ',
  ' at+jwt',
  'at-jwt',
  'at+jwt;x=1',
  '',
  'ａt+jwt',
  'at+JWT\u0000',
]
const KIDS = [
  'fuzz-es256',
  'fuzz-eddsa',
  'fuzz-rs256',
  '',
  'x',
  '../../dev/null',
  "' or 1=1",
  'constructor',
  '__proto__',
  'x'.repeat(256),
  'x'.repeat(257),
  '\u0000',
  'https://evil.example/keys',
]

/** Header members beside or instead of the good ones. */
export function mutateHeader(
  header: Readonly<Record<string, unknown>>,
  random: Random,
  jwk: Readonly<Record<string, string>>,
): { readonly header: Record<string, unknown>; readonly by: string } {
  const changes: readonly (readonly [string, unknown])[] = [
    ['alg', random.pick(ALGS)],
    ['typ', random.pick(TYPES)],
    ['kid', random.pick(KIDS)],
    ['kid', undefined],
    ['typ', undefined],
    ['alg', undefined],
    [
      random.pick(['alg', 'typ', 'kid']),
      random.pick<unknown>([null, 1, true, [], {}, ['ES256'], '']),
    ],
    ['crit', random.pick<unknown>([[], ['exp'], ['b64'], ['alg'], 'b64', null, {}])],
    ['b64', random.pick<unknown>([false, true, null])],
    ['jwk', jwk],
    ['jku', 'https://evil.example/keys'],
    ['x5u', 'https://evil.example/cert'],
    ['x5c', ['MIIB']],
    ['x5t#S256', 'x'],
    ['zip', 'DEF'],
    ['enc', 'A256GCM'],
    ['cty', random.pick(['JWT', 'at+jwt'])],
    ['iss', 'x'],
    [
      random.pick(['constructor', 'toString', 'x', '', 'hasOwnProperty']),
      random.pick<unknown>([1, {}, 'x']),
    ],
  ]
  const [name, value] = random.pick(changes)
  const copy: Record<string, unknown> = { ...header }
  if (value === undefined) delete copy[name]
  else copy[name] = value
  return { header: copy, by: `header-${name}` }
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const STRANGE = [
  '=',
  '==',
  '+',
  '/',
  ' ',
  '\n',
  '\t',
  '\r',
  '.',
  '%3D',
  '\u0000',
  'é',
  'Ａ',
  '~',
  ',',
  '"',
]

interface CompactMutation {
  readonly name: string
  readonly change: (parts: readonly [string, string, string], random: Random) => string
}

function respelt(part: string): string {
  const last = ALPHABET.indexOf(part.at(-1) ?? 'A')
  return part.slice(0, -1) + (ALPHABET[last ^ 1] ?? 'A')
}

/** None of these leaves what was signed as it was, and all of them leave what was meant. */
const COMPACT_MUTATIONS: readonly CompactMutation[] = [
  {
    name: 'character',
    change: (parts, random) => {
      const token = parts.join('.')
      const at = random.below(token.length)
      const other = random.pick(ALPHABET.split('').filter((character) => character !== token[at]))
      return token.slice(0, at) + other + token.slice(at + 1)
    },
  },
  {
    name: 'strange-character',
    change: (parts, random) => {
      const token = parts.join('.')
      const at = random.pick([0, token.length, parts[0].length, random.below(token.length)])
      return insert(token, at, random.pick(STRANGE))
    },
  },
  {
    name: 'respelt',
    change: (parts, random) => parts.with(random.below(3), respelt(random.pick(parts))).join('.'),
  },
  {
    name: 'unused-bits',
    change: ([header, payload, signature]) => `${header}.${payload}.${respelt(signature)}`,
  },
  {
    name: 'cut',
    change: (parts, random) => {
      const token = parts.join('.')
      return random.chance(0.5)
        ? token.slice(0, random.below(token.length))
        : token.slice(1 + random.below(token.length))
    },
  },
  {
    name: 'parts',
    change: ([header, payload, signature], random) =>
      random.pick([
        `${header}.${payload}.`,
        `${header}.${payload}`,
        `.${payload}.${signature}`,
        `${header}..${signature}`,
        `${header}.${payload}.${signature}.`,
        `${header}.${payload}.${signature}.${signature}`,
        `.${header}.${payload}.${signature}`,
        `${payload}.${header}.${signature}`,
        `${header}.${signature}.${payload}`,
        `${header}.${payload}.${payload}`,
        '',
        '.',
        '..',
        '...',
        `${header}.${payload}.${signature}.${payload}.${signature}`,
        `${header} .${payload}.${signature}`,
        `Bearer ${header}.${payload}.${signature}`,
      ]),
  },
  {
    name: 'signature',
    change: ([header, payload, signature], random) => {
      const bytes = Buffer.from(signature, 'base64url')
      const half = bytes.length / 2
      const other = random.pick([
        Buffer.alloc(bytes.length),
        Buffer.alloc(bytes.length, 0xff),
        bytes.toReversed(),
        bytes.subarray(0, -1),
        Buffer.concat([bytes, Buffer.alloc(1)]),
        Buffer.concat([Buffer.alloc(1), bytes]),
        Buffer.concat([bytes.subarray(half), bytes.subarray(0, half)]),
        Buffer.concat([Buffer.alloc(half), bytes.subarray(half)]),
        Buffer.concat([bytes.subarray(0, half), Buffer.alloc(half)]),
        Buffer.from([0x30, 6, 2, 1, 1, 2, 1, 1]),
        Buffer.alloc(1),
        Buffer.concat([bytes, bytes]),
      ])
      return `${header}.${payload}.${other.toString('base64url')}`
    },
  },
  {
    name: 'payload-bytes',
    change: ([header, payload, signature], random) => {
      const bytes = Buffer.from(payload, 'base64url')
      const at = random.below(bytes.length)
      bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8))
      return `${header}.${bytes.toString('base64url')}.${signature}`
    },
  },
  {
    name: 'unsecured',
    change: ([, payload, signature], random) => {
      const header = { alg: random.pick(ALGS.slice(0, 4)), typ: 'at+jwt' }
      return `${Buffer.from(JSON.stringify(header)).toString('base64url')}.${payload}.${random.pick(['', signature])}`
    },
  },
  {
    name: 'mac',
    change: ([, payload], random) => {
      const header = { alg: 'HS256', typ: 'at+jwt', kid: random.pick(KIDS.slice(0, 3)) }
      const input = `${Buffer.from(JSON.stringify(header)).toString('base64url')}.${payload}`
      return `${input}.${macOf(random.pick(KIDS), input)}`
    },
  },
]

/** Another text than a signed token's; `also` is another one, for parts to come from. */
export function mutateCompact(
  token: string,
  also: string,
  random: Random,
): { readonly token: string; readonly by: string } {
  const parts = token.split('.') as [string, string, string]
  if (random.chance(0.1)) {
    const at = random.below(3)
    return { token: parts.with(at, also.split('.')[at] ?? '').join('.'), by: 'compact-crossed' }
  }
  const { name, change } = random.pick(COMPACT_MUTATIONS)
  return { token: change(parts, random), by: `compact-${name}` }
}
