/** The transmitter of security events, as a receiver that polls meets it (OpenID SSF 1.0, CAEP 1.0, RFC 8936). */
import { createPublicKey, verify } from 'node:crypto'
import { describe, expect } from 'vitest'
import { Client } from './client.ts'
import { profile } from './given.ts'
import { send } from './http.ts'
import { epoch, headerOf, type Members, payloadOf } from './jwt.ts'
import { ask, manageToken } from './manage.ts'
import { first, handover, idToken, issuer, open } from './scenario.ts'
import { verifies } from './verifies.ts'

const CAEP = 'https://schemas.openid.net/secevent/caep/event-type'
const SSF = 'https://schemas.openid.net/secevent/ssf/event-type'
const POLL = 'urn:ietf:rfc:8936'
const { receiver, other_receiver: other } = profile

async function metadata(): Promise<Members> {
  const { origin, pathname } = new URL(issuer)
  return (await send(`${origin}/.well-known/ssf-configuration${pathname}`)).json
}

const clientOf = (party: typeof receiver): Client => {
  if (party === undefined) throw new Error('no such receiver')
  return new Client(issuer, party)
}

interface Stream {
  readonly siem: Client
  readonly id: string
  readonly view: Members
}

/** The receiver's stream, made anew. */
async function aStream(): Promise<Stream> {
  const siem = clientOf(receiver)
  for (const { stream_id: id } of (await ask(siem, 'ssf/stream')).json as Iterable<Members>) {
    await ask(siem, `ssf/stream?stream_id=${id}`, { method: 'DELETE' })
  }
  const made = await ask(siem, 'ssf/stream', { method: 'POST', body: {} })
  expect(made.status).toBe(201)
  return { siem, id: String(made.json['stream_id']), view: made.json }
}

/** Asks for events, acknowledges none unless told so. */
async function poll({ siem, id }: Stream, ack: readonly string[] = []): Promise<readonly string[]> {
  const body = { returnImmediately: true, ack }
  const { status, json } = await ask(siem, `ssf/poll/${id}`, { method: 'POST', body })
  expect(status).toBe(200)
  return Object.values(json['sets'] as Record<string, string>)
}

/** The stream has the endings of other tests' tasks too; where events name no transaction, any is taken for ours. */
function isOf(token: string, txn: unknown): boolean {
  const { txn: named } = payloadOf(token)
  return named === undefined || String(named).startsWith(String(txn))
}

interface Event {
  readonly claims: Members
  readonly type: string
  readonly members: Members
}

/** Once its signature and form are what they should be. */
async function readEvent(token: string): Promise<Event> {
  const { jwks_uri: uri } = await metadata()
  const { json } = await send(uri)
  const header = headerOf(token)
  const jwk = json['keys'].find((key: Members) => key['kid'] === header['kid'])
  const key = createPublicKey({ key: jwk, format: 'jwk' })
  const [head, payload, proof = ''] = token.split('.')
  const input = Buffer.from(`${head}.${payload}`)
  expect(verify('sha256', input, key, Buffer.from(proof, 'base64url'))).toBe(true)
  expect(header).toMatchObject({ alg: 'RS256', typ: 'secevent+jwt' })
  expect(key.asymmetricKeyDetails?.modulusLength).toBeGreaterThanOrEqual(2048)
  const claims = payloadOf(token)
  const events = Object.entries(claims['events'] as Record<string, Members>)
  expect(events).toHaveLength(1)
  const [type, members] = events[0] ?? ['', {}]
  return { claims, type, members }
}

function expectForm({ claims, members }: Event, stream: Stream): void {
  expect(claims).toMatchObject({ iss: issuer, aud: receiver?.client_id })
  expect(claims['iss']).toBe(stream.view['iss'])
  expect(claims['jti']).toEqual(expect.any(String))
  expect(Math.abs(claims['iat'] - epoch())).toBeLessThanOrEqual(10)
  for (const name of ['sub', 'exp']) expect(claims[name]).toBeUndefined()
  expect(['admin', 'user', 'policy', 'system']).toContain(members['initiating_entity'])
  expect(Math.abs(members['event_timestamp'] - epoch())).toBeLessThanOrEqual(10)
  for (const [language, text] of Object.entries(members['reason_admin'] as Members)) {
    expect(language).toMatch(/^[a-z]{2}/)
    expect(String(text).trim()).not.toBe('')
  }
}

describe.runIf(receiver !== undefined)('the metadata', () => {
  verifies(['SSF-6-01', 'CAEPI-04'], 'is found, and has every endpoint', async () => {
    const document = await metadata()
    expect(document['issuer']).toBe(issuer)
    expect(document['spec_version']).toMatch(/^1_\d/)
    expect(document['delivery_methods_supported']).toContain(POLL)
    expect(document['authorization_schemes']).toContainEqual({ spec_urn: 'urn:ietf:rfc:6749' })
    const names = ['jwks_uri', 'configuration_endpoint', 'status_endpoint', 'verification_endpoint']
    for (const name of names) expect(document[name]).toMatch(/^https:/)
  })
})

describe.runIf(receiver !== undefined)('a stream', () => {
  verifies('SSF-7-02', 'is made once, read and removed', async () => {
    const { siem, id, view } = await aStream()
    const again = await ask(siem, 'ssf/stream', { method: 'POST', body: {} })
    expect(again.status).toBe(409)
    const bad = await ask(siem, 'ssf/stream', { method: 'POST', body: { delivery: 'x' } })
    expect(bad.status).toBe(400)
    expect((await ask(siem, `ssf/stream?stream_id=${id}`)).json).toEqual(view)
    const gone = await ask(siem, `ssf/stream?stream_id=${id}`, { method: 'DELETE' })
    expect(gone.status).toBe(204)
    expect((await ask(siem, `ssf/stream?stream_id=${id}`)).status).toBe(404)
  })

  verifies('SSF-7-01', 'is its receiver’s alone', async () => {
    const { siem, id } = await aStream()
    const edr = clientOf(other)
    expect((await ask(edr, `ssf/stream?stream_id=${id}`)).status).toBe(404)
    expect((await ask(edr, `ssf/status?stream_id=${id}`)).status).toBe(404)
    expect((await ask(edr, `ssf/poll/${id}`, { method: 'POST', body: {} })).status).toBe(404)
    expect((await ask(siem, 'ssf/stream', { token: null })).status).toBe(401)
    // An agent is no receiver, whatever its token is for.
    const agent = await ask(first, `ssf/stream?stream_id=${id}`, {
      token: await manageToken(first),
    })
    expect([403, 404]).toContain(agent.status)
  })

  verifies('SSF-7-04', 'says that it works, with the state it was asked with', async () => {
    const stream = await aStream()
    const body = { stream_id: stream.id, state: 'abc' }
    const asked = await ask(stream.siem, 'ssf/verify', { method: 'POST', body })
    expect(asked.status).toBe(204)
    const [token = ''] = await poll(stream)
    const { claims, type, members } = await readEvent(token)
    expect(type).toBe(`${SSF}/verification`)
    expect(members).toEqual({ state: 'abc' })
    expect(claims['sub_id']).toEqual({ format: 'opaque', id: stream.id })
  })
})

describe.runIf(receiver !== undefined)('an event', () => {
  verifies(
    [
      'CAEP-sr-01',
      'CAEP-opt-01',
      'CAEPI-01',
      'CAEPI-02',
      'CAEPI-03',
      'SSF-4-01',
      'SSF-4-02',
      'SSF-4-03',
      'SSF-4-04',
      'SSF-4-06',
      'SSF-4-07',
    ],
    'tells that a task was revoked, of its subject',
    async () => {
      const stream = await aStream()
      const txn = payloadOf(await handover())['txn']
      const body = { reason: 'it looks wrong' }
      expect((await ask(first, `tasks/${txn}/revoke`, { method: 'POST', body })).status).toBe(200)
      const tokens = (await poll(stream)).filter((token) => isOf(token, txn))
      expect(tokens).toHaveLength(1)
      const event = await readEvent(tokens[0] ?? '')
      expectForm(event, stream)
      expect(event.type).toBe(`${CAEP}/session-revoked`)
      const { idp } = profile
      const subject = { format: 'iss_sub', iss: idp.issuer, sub: idp.subject }
      expect(event.claims['sub_id']).toEqual(subject)
    },
  )

  verifies(
    ['CAEP-tcc-01', 'SSF-3-01', 'CAEP-opt-01'],
    'tells that a token was revoked, of that token',
    async () => {
      const stream = await aStream()
      const token = await handover()
      await first.revoke(token)
      const { jti, txn } = payloadOf(token)
      const [text = ''] = (await poll(stream)).filter((one) => isOf(one, txn))
      const event = await readEvent(text)
      expectForm(event, stream)
      expect(event.type).toBe(`${CAEP}/token-claims-change`)
      expect(event.claims['sub_id']).toEqual({ format: 'jwt_id', iss: issuer, jti })
      expect(event.members['claims']).toEqual({ scope: '' })
    },
  )

  verifies(['8936-2-01', 'SSF-4-07'], 'comes until it was acknowledged', async () => {
    const stream = await aStream()
    const txns = [await open({}, {}, idToken()), await open({}, {}, idToken())].map(
      ({ json }) => payloadOf(String(json['access_token']))['txn'],
    )
    for (const txn of txns)
      await ask(first, `tasks/${txn}/revoke`, { method: 'POST', body: { reason: 'x' } })
    const pollOurs = async (ack: readonly string[] = []) =>
      (await poll(stream, ack)).filter((token) => txns.some((txn) => isOf(token, txn)))
    const [one, two] = [await pollOurs(), await pollOurs()]
    expect(one).toHaveLength(2)
    expect(two).toEqual(one)
    const ids = one.map((token) => String(payloadOf(token)['jti']))
    expect(new Set(ids).size).toBe(2)
    expect(await pollOurs(ids.slice(0, 1))).toEqual(one.slice(1))
    expect(await pollOurs(ids)).toEqual([])
  })
})
