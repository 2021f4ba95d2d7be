/** Requests as they are written, on real TLS or on loopback without: header lines may repeat, bodies may be anything. */
import { readFileSync } from 'node:fs'
import { Agent as PlainAgent, request as plainRequest } from 'node:http'
import { Agent, request } from 'node:https'
import { profile } from './given.ts'
import type { Members } from './jwt.ts'
import { keepSecret } from './verdict.ts'

export interface Sent {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  readonly body?: string
  /** PEM texts: the client shows it, over a connection of its own. */
  readonly certificate?: ClientCertificate | undefined
}

export interface ClientCertificate {
  readonly cert: string
  readonly key: string
}

export interface Reply {
  readonly status: number
  /** Lower case; lines of one name joined. */
  readonly headers: Readonly<Record<string, string>>
  /** Every line, as it came. */
  readonly lines: readonly (readonly [string, string])[]
  readonly text: string
  /** The body as JSON; an empty object where it is none. */
  readonly json: Members
}

/** What a request needs to believe the servers' certificates. */
export const trusted: { readonly ca?: string } =
  profile.ca === undefined ? {} : { ca: readFileSync(profile.ca, 'utf8') }
const agent = new Agent({ keepAlive: true, maxSockets: 64, ...trusted })
const plainAgent = new PlainAgent({ keepAlive: true, maxSockets: 64 })

export function send(
  url: string,
  { method = 'GET', headers = {}, body, certificate }: Sent = {},
): Promise<Reply> {
  const isPlain = url.startsWith('http:')
  const over = certificate === undefined ? agent : new Agent({ ...trusted, ...certificate })
  const by = isPlain ? plainAgent : over
  return new Promise((resolve, reject) => {
    const outgoing = (isPlain ? plainRequest : request)(url, { method, agent: by }, (incoming) => {
      const chunks: Buffer[] = []
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
      incoming.on('error', reject)
      incoming.on('end', () => {
        const raw = incoming.rawHeaders
        const lines = raw.flatMap((name, at) =>
          at % 2 === 0 ? [[name.toLowerCase(), raw[at + 1] ?? ''] as const] : [],
        )
        const text = Buffer.concat(chunks).toString('utf8')
        const joined = (name: string) =>
          lines.flatMap(([other, value]) => (other === name ? [value] : [])).join(', ')
        const json = isJson(joined('content-type')) ? parsed(text) : {}
        for (const name of TOKENS) keepSecret(json[name])
        resolve({
          status: incoming.statusCode ?? 0,
          headers: Object.fromEntries(lines.map(([name]) => [name, joined(name)])),
          lines,
          text,
          json,
        })
      })
    })
    outgoing.on('error', reject)
    for (const [name, value] of Object.entries(headers)) outgoing.setHeader(name, value)
    outgoing.end(body)
  })
}

const TOKENS = ['access_token', 'refresh_token', 'id_token'] as const

function isJson(type: string): boolean {
  return /^application\/(?:[\w.-]+\+)?json\b/.test(type)
}

function parsed(text: string): Members {
  const value: unknown = text === '' ? {} : JSON.parse(text)
  return typeof value === 'object' && value !== null ? (value as Members) : {}
}

export function form(parameters: Form): string {
  const body = new URLSearchParams()
  for (const [name, value] of Object.entries(parameters)) {
    for (const item of Array.isArray(value) ? value : [value]) {
      if (item !== undefined) body.append(name, item)
    }
  }
  return body.toString()
}

export type Form = Readonly<Record<string, string | readonly string[] | undefined>>
export const FORM_TYPE = 'application/x-www-form-urlencoded'
