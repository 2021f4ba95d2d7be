/** Requests to every endpoint there is, each good but for what is done to it: to its form, its JWTs, its headers, its bytes. */
import { payloadOf, signJwt } from '../../suite/jwt.ts'
import type { Random } from '../random.ts'
import { mutateClaims } from '../tokens/claim-mutations.ts'
import { mutateCompact, mutateJson } from '../tokens/text-mutations.ts'
import { ACCESS_TOKEN, EXCHANGE, FuzzClient, formOf, ID_TOKEN, idTokenFor } from './party.ts'
import type { Target } from './target.ts'
import type { Sent } from './wire.ts'

export interface RequestInput extends Sent {
  readonly by: string
  readonly pace: 'at once' | 'slowly'
  /** Sent as bytes of their own, over a connection of their own. */
  readonly raw: boolean
  /** What no answer may repeat. */
  readonly secrets: readonly string[]
}

/** Texts that parsers trip over. */
const TEXTS = [
  '',
  ' ',
  '\u0000',
  '\ud800',
  '\ufeff',
  '\u202e',
  '%00',
  '%',
  '%zz',
  '../../etc/passwd',
  "' or 1=1--",
  '{{7*7}}',
  '${7*7}',
  '<script>',
  '__proto__',
  'constructor',
  'toString',
  'null',
  'undefined',
  'true',
  '-1',
  '1e999',
  '[]',
  '{}',
  '[object Object]',
  'x'.repeat(5_000),
  '😀'.repeat(300),
  'a\r\nset-cookie: x=1',
  'a\nb',
  '\t',
  'é',
  'urn:x',
  'https://evil.example/',
  'file:///etc/passwd',
  'http://169.254.169.254/',
]
const NAMES = [
  'grant_type',
  'scope',
  'resource',
  'audience',
  'subject_token',
  'subject_token_type',
  'actor_token',
  'actor_token_type',
  'requested_token_type',
  'client_id',
  'client_secret',
  'client_assertion',
  'client_assertion_type',
  'token',
  'token_type_hint',
  'task_type',
  'purpose',
  'authorization_details',
  'code',
  'redirect_uri',
  'refresh_token',
  'request',
  'request_uri',
  'dpop_jkt',
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  '',
  'x',
  'scope[]',
  'scope[0]',
]
const GRANTS = [
  EXCHANGE,
  'client_credentials',
  'authorization_code',
  'refresh_token',
  'password',
  'urn:ietf:params:oauth:grant-type:jwt-bearer',
  'urn:ietf:params:oauth:grant-type:device_code',
  '__proto__',
]
const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS', 'TRACE', 'PROPFIND']
const MEDIA = [
  'application/json',
  'text/plain',
  'multipart/form-data; boundary=x',
  'application/x-www-form-urlencoded; charset=utf-16',
  'application/x-www-form-urlencoded;charset=x',
  '',
  'x',
  'application/xml',
  'application/jwt',
  'application/x-www-form-urlencoded, application/json',
]
const PATHS = [
  '/token',
  '/introspect',
  '/revoke',
  '/jwks',
  '/status',
  '/status/x',
  '/events',
  '/tasks',
  '/tasks/x',
  '/tasks/x/close',
  '/tasks/x/revoke',
  '/audit',
  '/audit/x',
  '/checkpoint',
  '/records',
  '/manage',
  '/ssf/streams',
  '/agents/planner',
  '/.well-known/openid-configuration',
  '/auth',
  '/userinfo',
  '/session/end',
  '/registration',
  '/',
  '',
  '//',
  '/%2e%2e/',
  '/token/',
  '/TOKEN',
  '/token%00',
  '/..;/token',
]
const ROOT_PATHS = [
  '/',
  '/admin/v1/tenants',
  '/admin/v1/token',
  '/admin/v1/tenants/acme/versions',
  '/admin/v1/openapi.json',
  '/t',
  '/t/',
  '/t/none/token',
  '/t/%2e%2e/token',
  '/t/__proto__/token',
  '/t/constructor/token',
  '/livez',
  '/metrics',
  '/.well-known/oauth-authorization-server',
  '/.well-known/x',
  '/favicon.ico',
]

interface Draft {
  method: string
  url: string
  headers: [string, string][]
  parameters: [string, string][]
  body: Uint8Array | undefined
  pace: 'at once' | 'slowly'
  raw: boolean
  readonly names: string[]
}

/** Makes the requests of one run. */
export class Requests {
  readonly #target: Target
  readonly #clients: readonly FuzzClient[]
  /** Tokens the server issued, the newest last. */
  readonly #held: string[] = []

  constructor(target: Target) {
    this.#target = target
    const { first, second, third } = target.agents
    this.#clients = [first, second, third].map((party) => new FuzzClient(target.issuer, party))
  }

  /** A token from an answer: later requests have something to work on. */
  hold(token: string): void {
    this.#held.push(token)
    if (this.#held.length > 32) this.#held.shift()
  }

  #holderOf(token: string): FuzzClient | undefined {
    const id = token.includes('.') ? payloadOf(token)['client_id'] : undefined
    return this.#clients.find((client) => client.id === id)
  }

  make(random: Random): RequestInput {
    const draft = random.chance(0.18) ? this.#path(random) : this.#form(random)
    const secrets = [...draft.parameters, ...draft.headers]
      .map(([, value]) => value)
      .filter(isSecret)
    if (!random.chance(0.04)) this.#spoil(draft, random)
    const body =
      draft.body ??
      (draft.method === 'GET' || draft.method === 'HEAD' ? undefined : formOf(draft.parameters))
    const { method, url, headers, pace, raw, names } = draft
    return { method, url, headers, body, pace, raw, secrets, by: names.join('+') || 'good' }
  }

  #form(random: Random): Draft {
    const { issuer, api, agents } = this.#target
    const isRoot = random.chance(0.5) || this.#held.length === 0
    // Only the first opens tasks.
    const client = isRoot ? this.#clients[0] : random.pick(this.#clients)
    if (client === undefined) throw new Error('there is no client')
    const held = this.#held.length === 0 ? 'x' : random.pick(this.#held)
    const endpoint = random.pick(['token', 'token', 'token', 'token', 'introspect', 'revoke'])
    const url = `${issuer}/${endpoint}`
    const parameters: [string, string][] = client
      .credentials()
      .map(([name, value]) => [name, value])
    const proof = this.#jwt(client, 'proof', url, random)
    const names: string[] = []
    if (endpoint !== 'token') parameters.push(['token', held])
    else if (random.chance(0.25))
      parameters.push(
        ['grant_type', 'client_credentials'],
        ['resource', random.pick([api.uri, `${issuer}/manage`])],
      )
    else {
      parameters.push(
        ['grant_type', EXCHANGE],
        ['subject_token', isRoot ? idTokenFor(this.#target, client.id) : held],
        ['subject_token_type', isRoot ? ID_TOKEN : ACCESS_TOKEN],
        ['resource', random.pick([agents.second.endpoint, agents.third.endpoint, api.uri])],
        ['scope', random.pick([api.read, `${api.read} ${api.write}`])],
      )
    }
    if (random.chance(0.3)) {
      const at = parameters.findIndex(([name]) => name === 'client_assertion')
      parameters[at] = ['client_assertion', this.#jwt(client, 'assertion', url, random)]
      names.push('assertion')
    }
    return {
      method: 'POST',
      url,
      parameters,
      names,
      body: undefined,
      pace: 'at once',
      raw: false,
      headers: [
        ['content-type', 'application/x-www-form-urlencoded'],
        ['dpop', proof],
      ],
    }
  }

  /** A proof or an assertion, a third of them wrong beneath the client's own signature. */
  #jwt(client: FuzzClient, kind: 'proof' | 'assertion', url: string, random: Random): string {
    const { header, claims } =
      kind === 'proof' ? client.proofParts('POST', url) : client.assertionParts()
    const key = kind === 'proof' ? client.proofKey : client.key
    const good = signJwt(key, header, claims)
    if (random.chance(0.67)) return good
    const choice = random.below(4)
    if (choice === 0) return mutateCompact(good, good, random).token
    if (choice === 1) return signJwt(key, header, mutateJson(JSON.stringify(claims), random).raw)
    if (choice === 2)
      return signJwt(key, mutateClaims(JSON.stringify(header), random).claims, claims)
    return signJwt(key, header, mutateClaims(JSON.stringify(claims), random).claims)
  }

  #path(random: Random): Draft {
    const { issuer } = this.#target
    const { origin } = new URL(issuer)
    const path = random.chance(0.75)
      ? issuer + random.pick(PATHS)
      : origin + random.pick(ROOT_PATHS)
    const held = this.#held.length === 0 ? 'x' : random.pick(this.#held)
    const client = this.#holderOf(held) ?? random.pick(this.#clients)
    const method = random.pick(METHODS)
    const authorized: [string, string][] = [
      ['authorization', `DPoP ${held}`],
      ['dpop', client.proof(method, path, held)],
    ]
    return {
      method,
      url: path,
      parameters: [['x', '1']],
      names: ['path'],
      body: undefined,
      pace: 'at once',
      raw: false,
      headers: random.chance(0.5)
        ? authorized
        : [['accept', random.pick(['*/*', 'text/html', 'text/event-stream;q=0', ''])]],
    }
  }

  #spoil(draft: Draft, random: Random): void {
    for (let left = random.pick([1, 1, 1, 2]); left > 0; left--) {
      const { name, change } = random.pickWeighted(SPOILERS)
      change(draft, random)
      draft.names.push(name)
    }
  }
}

function isSecret(value: string): boolean {
  return value.length > 60 && /^(DPoP )?ey/.test(value)
}

interface Spoiler {
  readonly name: string
  readonly weight: number
  readonly change: (draft: Draft, random: Random) => void
}

function anyParameter({ parameters }: Draft, random: Random): number {
  return random.below(Math.max(1, parameters.length))
}

const SPOILERS: readonly Spoiler[] = [
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

/** The request as bytes that are not quite HTTP. */
export function brokenBytes(
  { method, url, headers, body = new Uint8Array() }: Sent,
  random: Random,
): Uint8Array {
  const { host, pathname, search } = new URL(url)
  const lines = headers.map(([name, value]) => `${name}: ${value}`)
  const length = random.pick([
    `content-length: ${body.length}`,
    `content-length: ${body.length + 5}`,
    `content-length: ${body.length}\r\ncontent-length: 1`,
    'content-length: -1',
    'transfer-encoding: chunked',
    `content-length: ${body.length}\r\ntransfer-encoding: chunked`,
    'content-length: 99999999999999999999',
  ])
  const start = random.pick([
    `${method} ${pathname}${search} HTTP/1.1`,
    `${method} ${pathname} HTTP/9.9`,
    `${method}  ${pathname} HTTP/1.1`,
    `${method} ${url} HTTP/1.1`,
    'GET',
    '\u0000\u0000',
    `${method} ${pathname}\u0000 HTTP/1.1`,
    `PRI * HTTP/2.0`,
  ])
  const more = random.pick([
    '',
    'x: y\n z',
    'x : y',
    ': y',
    `x: ${'y'.repeat(20_000)}`,
    'host: evil.example',
    'expect: 100-continue',
    'upgrade: websocket\r\nconnection: upgrade',
  ])
  const end = random.pick(['\r\n', '\n'])
  const head =
    [start, `host: ${host}`, 'connection: close', ...lines, length, more]
      .filter((line) => line !== '')
      .join(end) +
    end +
    end
  return Buffer.concat([Buffer.from(head, 'latin1'), body])
}
