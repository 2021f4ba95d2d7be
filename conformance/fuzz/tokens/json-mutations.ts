/** JSON changed as text, where two readers may see two things (RFC 8259 §4, RFC 8725 §3.7). */
import type { Raw } from '../issuer.ts'
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

/** The text with a piece put in. */
export function insert(text: string, at: number, piece: string): string {
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
