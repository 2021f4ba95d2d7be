/** What is done to a good request: to its form, its headers, its body, its way. */
import type { Random } from '../random.ts'
import { mutateCompact } from '../tokens/compact-mutations.ts'
import { GRANTS, MEDIA, METHODS, NAMES, TEXTS } from './odd-words.ts'
import { ACCESS_TOKEN, formOf, ID_TOKEN } from './party.ts'

/** A request that is still to be sent, and may be changed. */
export interface Draft {
  method: string
  url: string
  headers: [string, string][]
  parameters: [string, string][]
  body: Uint8Array | undefined
  pace: 'at once' | 'slowly'
  raw: boolean
  readonly names: string[]
}

interface Spoiler {
  readonly name: string
  readonly weight: number
  readonly change: (draft: Draft, random: Random) => void
}

function anyParameter({ parameters }: Draft, random: Random): number {
  return random.below(Math.max(1, parameters.length))
}

export const SPOILERS: readonly Spoiler[] = [
  {
    name: 'value',
    weight: 6,
    change: (draft, random) => {
      const at = anyParameter(draft, random)
      const [name = 'x', value = ''] = draft.parameters[at] ?? []
      const text = random.pick(TEXTS)
      draft.parameters[at] = [
        name,
        random.pick([
          text,
          value + text,
          text + value,
          value.slice(0, random.below(value.length + 1)),
          `${value} ${value}`,
        ]),
      ]
    },
  },
  {
    name: 'token',
    weight: 4,
    change: ({ parameters }, random) => {
      const at = parameters.findIndex(([name]) => name === 'subject_token' || name === 'token')
      const [name = '', value = ''] = parameters[at] ?? []
      if (value.split('.').length === 3)
        parameters[at] = [name, mutateCompact(value, value, random).token]
    },
  },
  {
    name: 'repeated',
    weight: 3,
    change: (draft, random) =>
      draft.parameters.push(draft.parameters[anyParameter(draft, random)] ?? ['x', '']),
  },
  {
    name: 'left-out',
    weight: 4,
    change: (draft, random) => void draft.parameters.splice(anyParameter(draft, random), 1),
  },
  {
    name: 'added',
    weight: 4,
    change: ({ parameters }, random) => parameters.push([random.pick(NAMES), random.pick(TEXTS)]),
  },
  {
    name: 'grant',
    weight: 2,
    change: ({ parameters }, random) => parameters.push(['grant_type', random.pick(GRANTS)]),
  },
  {
    name: 'type',
    weight: 2,
    change: (draft, random) => {
      const at = draft.parameters.findIndex(([name]) => name.endsWith('_type'))
      if (at >= 0)
        draft.parameters[at] = [
          draft.parameters[at]?.[0] ?? '',
          random.pick([
            ACCESS_TOKEN,
            ID_TOKEN,
            'urn:ietf:params:oauth:token-type:jwt',
            'urn:ietf:params:oauth:token-type:saml2',
            'x',
          ]),
        ]
    },
  },
  { name: 'shuffled', weight: 1, change: (draft) => void draft.parameters.reverse() },
  {
    name: 'many',
    weight: 1,
    change: ({ parameters }, random) =>
      parameters.push(
        ...Array.from({ length: random.pick([50, 1_001, 3_000]) }, (_, n): [string, string] => [
          `p${n}`,
          '1',
        ]),
      ),
  },
  {
    name: 'method',
    weight: 2,
    change: (draft, random) => {
      draft.method = random.pick(METHODS)
    },
  },
  {
    name: 'media-type',
    weight: 2,
    change: ({ headers }, random) => {
      headers[0] = ['content-type', random.pick(MEDIA)]
    },
  },
  {
    name: 'body',
    weight: 4,
    change: (draft, random) => {
      const good = Buffer.from(formOf(draft.parameters))
      const at = random.below(good.length + 1)
      const pieces: readonly Uint8Array[] = [
        Buffer.from([0xff, 0xfe]),
        Buffer.from('%'),
        Buffer.from('%E0%A4%A'),
        Buffer.from('%ff%fe'),
        Buffer.from('&&&==='),
        Buffer.from([0]),
        Buffer.from('\r\n\r\n'),
        Buffer.from('&scope=%00'),
      ]
      draft.body = random.pick([
        Buffer.concat([good.subarray(0, at), random.pick(pieces), good.subarray(at)]),
        good.subarray(0, at),
        Buffer.alloc(0),
        Buffer.from('{"grant_type":"client_credentials"}'),
        Buffer.from(good.toString().replaceAll('&', ';')),
        Buffer.concat([
          good,
          Buffer.from(`&pad=${'x'.repeat(random.pick([30_000, 60_000, 300_000]))}`),
        ]),
        Buffer.from('['.repeat(20_000)),
        Buffer.from(good.toString(), 'utf16le'),
      ])
    },
  },
  {
    name: 'slow',
    weight: 1,
    change: (draft) => {
      draft.pace = 'slowly'
    },
  },
  {
    name: 'header',
    weight: 4,
    change: ({ headers }, random) => {
      const name = random.pick([
        'dpop',
        'authorization',
        'content-encoding',
        'accept',
        'x-forwarded-for',
        'x-forwarded-proto',
        'forwarded',
        'origin',
        'cookie',
        'if-none-match',
        'range',
        'expect',
        'content-type',
        'client-cert',
        'traceparent',
        'last-event-id',
        'accept-encoding',
        'x-http-method-override',
        'te',
      ])
      headers.push([
        name,
        random.pick([
          '',
          'x',
          'gzip',
          'Basic Og==',
          'Basic eDp5',
          'Basic ////',
          'Bearer x',
          'DPoP x',
          'DPoP a.b.c',
          '\u00ff',
          'bytes=0-',
          '"x"',
          'x'.repeat(9_000),
          'null',
          '127.0.0.1, evil',
          '00-00-00-00',
          '-1',
          '*',
        ]),
      ])
    },
  },
  {
    name: 'no-proof',
    weight: 2,
    change: (draft) => {
      draft.headers = draft.headers.filter(([name]) => name !== 'dpop')
    },
  },
  {
    name: 'query',
    weight: 2,
    change: (draft, random) => {
      draft.url += `?${random.pick(NAMES)}=${encodeURIComponent(random.pick(TEXTS).toWellFormed())}`
    },
  },
  {
    name: 'bytes',
    weight: 1,
    change: (draft) => {
      draft.raw = true
    },
  },
]
