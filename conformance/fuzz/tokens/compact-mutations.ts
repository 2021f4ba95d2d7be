/** Compact tokens changed as text, where there must be one spelling (RFC 7515 §2, §7.1). */
import { macOf } from '../issuer.ts'
import type { Random } from '../random.ts'
import { ALGS, KIDS } from './header-mutations.ts'
import { insert } from './json-mutations.ts'

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
