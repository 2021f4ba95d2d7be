/** A status list and the feed, read by hand: fetched, verified with the issuer's published key, inflated. */
import { createPublicKey, verify } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { inflateSync } from 'node:zlib'
import { send, trusted } from './http.ts'
import { headerOf, type Members, payloadOf } from './jwt.ts'
import { issuer } from './scenario.ts'

export interface StatusList {
  readonly header: Members
  readonly claims: Members
  /** How many indexes it has. */
  readonly length: number
  at(index: number): number
}

export interface Reference {
  readonly uri: string
  readonly idx: number
}

export function referenceOf(token: string): Reference {
  return payloadOf(token)['status']['status_list']
}

/** `by`: whose key has to have signed it. */
export async function readList(uri: string, by = issuer): Promise<StatusList> {
  const reply = await send(uri)
  if (reply.status !== 200) throw new Error(`no list: ${reply.status} ${reply.text}`)
  return parseList(await verified(reply.text, by))
}

/** The text itself, once its signature is by a key of the issuer. */
export async function verified(jwt: string, by = issuer): Promise<string> {
  const [header = '', payload = '', proof = ''] = jwt.split('.')
  const { kid } = headerOf(jwt)
  const { json } = await send(`${by}/jwks`)
  const jwk = json['keys'].find((key: Members) => key['kid'] === kid)
  if (jwk === undefined) throw new Error(`no such key: ${kid}`)
  const key = createPublicKey({ key: jwk, format: 'jwk' })
  const digest = jwk['kty'] === 'OKP' ? null : 'sha256'
  const isGood = verify(
    digest,
    Buffer.from(`${header}.${payload}`),
    { key, dsaEncoding: 'ieee-p1363' },
    Buffer.from(proof, 'base64url'),
  )
  if (!isGood) throw new Error('not signed by that key')
  return jwt
}

function parseList(jwt: string): StatusList {
  const claims = payloadOf(jwt)
  const { bits, lst } = claims['status_list']
  const packed = inflateSync(Buffer.from(lst, 'base64url'))
  const each = 8 / bits
  return {
    header: headerOf(jwt),
    claims,
    length: packed.length * each,
    at: (index) => {
      const octet = packed[Math.floor(index / each)]
      if (octet === undefined) throw new RangeError(`index ${index} is outside`)
      return (octet >> ((index % each) * bits)) & (2 ** bits - 1)
    },
  }
}

export async function statusOf({ uri, idx }: Reference, by = issuer): Promise<number> {
  return (await readList(uri, by)).at(idx)
}

/** One message of the feed. */
export interface FeedEvent {
  readonly id: string
  readonly event: string
  readonly data: string
}

/** Messages as they come, until the reader has enough. */
export async function* listen(lastEventId?: string): AsyncGenerator<FeedEvent> {
  const response = await open(lastEventId)
  try {
    let rest = ''
    for await (const chunk of response) {
      const blocks = (rest + String(chunk)).split('\n\n')
      rest = blocks.pop() ?? ''
      for (const block of blocks) {
        const fields = block.split('\n').map((line) => line.split(/: ?(.*)/s))
        const members = Object.fromEntries(fields.map(([name, value]) => [name, value]))
        if (members['data'] !== undefined) yield members as unknown as FeedEvent
      }
    }
  } finally {
    response.destroy()
  }
}

function open(lastEventId: string | undefined): Promise<IncomingMessage> {
  const headers = {
    accept: 'text/event-stream',
    ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
  }
  return new Promise((resolve, reject) => {
    const asking = request(`${issuer}/events`, { headers, ...trusted }, (response) => {
      response.setEncoding('utf8')
      if (response.statusCode === 200) resolve(response)
      else reject(new Error(`no feed: ${response.statusCode}`))
    })
    asking.on('error', reject)
    asking.end()
  })
}
