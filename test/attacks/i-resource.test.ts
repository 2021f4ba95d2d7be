/**
 * Threats I at a resource server over real TLS, with tokens the real server minted: bound to the certificate their agent showed, to
 * a key besides, and with nonces of either server.
 */
import { createHash } from 'node:crypto'
import Koa from 'koa'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { protect } from '../../lib/src/adapters/koa.ts'
import {
  type CertificateOf,
  forwardedCertificate,
  hasTrustedCertificate,
  tlsCertificate,
} from '../../lib/src/certificate.ts'
import { proofNonces } from '../../lib/src/nonces.ts'
import { createVerifier } from '../../lib/src/verifier.ts'
import { type Fields, type Reply, serveOverTls, type TlsResource } from '../lib/tls-resource.ts'
import type { AgentClient, Overrides } from '../support/agent-client.ts'
import {
  makeLeaf,
  makeRoot,
  makeSelfSigned,
  type TestCertificate,
} from '../support/certificates.ts'
import { newKey, payloadOf } from '../support/signing.ts'
import { startTlsServer, type TlsServer } from '../support/tls-server.ts'
import { find, tokenOf } from './fixture.ts'

const FILES = 'https://files.api'
const PATH = '/api/entries'
const TARGET = { resource: FILES, scope: 'files:read' } as const

let server: TlsServer
let files: TlsResource
let own: TestCertificate
let stolen: TestCertificate
/** Bound by its certificate, and by a key where it proves one too. */
let planner: AgentClient
let bound: string
let proxies: TestCertificate
const closing: (() => unknown)[] = []

beforeAll(async () => {
  server = await startTlsServer({
    tenants: {
      acme: ({ tenant, agents }) => {
        find(agents.agents, 'planner')['binding'] = 'mtls'
        tenant['dpop_nonces'] = true
      },
    },
  })
  closing.push(() => server.close())
  proxies = await makeRoot({ subject: 'CN=Proxies' })
  own = await makeSelfSigned({ subject: 'CN=planner' })
  stolen = await makeSelfSigned({ subject: 'CN=planner' })
  planner = server.client('planner').over(server.connect({ certificate: own }))
  bound = await open(planner, { proof: null })
  files = await serve(tlsCertificate)
})
afterAll(async () => {
  for (const close of closing.toReversed()) await close()
})

async function open(agent: AgentClient, overrides: Overrides): Promise<string> {
  return tokenOf(await agent.open(server.idToken(), TARGET, overrides))
}

async function serve(certificateOf?: CertificateOf, withNonces = false): Promise<TlsResource> {
  const get = { method: 'GET', body: '', headers: {} }
  const jwks = await (await server.connect()(`${server.issuer()}/jwks`, get)).json()
  const verifier = createVerifier({
    issuer: server.issuer(),
    audience: FILES,
    revocation: 'off',
    jwks: jwks as { keys: object[] },
    ...(certificateOf && { certificateOf }),
    ...(withNonces ? { nonces: proofNonces({ secret: 'n'.repeat(32) }) } : {}),
  })
  const app = new Koa()
  app.use(protect(verifier, { scope: 'files:read' }))
  app.use((ctx) => {
    ctx.body = {}
  })
  const resource = await serveOverTls(app.callback(), proxies)
  closing.push(() => resource.close())
  return resource
}

const hashOf = (token: string): string => createHash('sha256').update(token).digest('base64url')
const bearing = (token: string, ...more: Fields): Fields => [
  ['authorization', `Bearer ${token}`],
  ...more,
]

function proving(token: string, overrides: Overrides = {}): Fields {
  const members = { htm: 'GET', htu: `${FILES}${PATH}`, ath: hashOf(token), ...overrides.proof }
  const proof = planner.proof({ ...overrides, proof: members })
  return [
    ['authorization', `DPoP ${token}`],
    ['dpop', proof],
  ]
}

const reasonOf = ({ status, body }: Reply) => (status === 200 ? 'accepted' : body.reason)

describe('I06 a token bound to the certificate its agent showed', () => {
  test('I06 is good with it and with nothing else', async () => {
    expect(payloadOf(bound)['cnf']).toEqual({ 'x5t#S256': own.thumbprint })
    const call = async (certificate?: TestCertificate) =>
      reasonOf(await files.call(bearing(bound), { certificate }))
    expect(await call(own)).toBe('accepted')
    expect(await call(stolen)).toBe('certificate_mismatch')
    expect(await call()).toBe('certificate_missing')
  })

  test('I01 I02 is not made good by a proof, of whatever key', async () => {
    const nobodys = proving(bound, { proofKey: newKey() })
    expect(reasonOf(await files.call(nobodys))).toBe('scheme_mismatch')
    const [, dpop] = nobodys
    const beside = bearing(bound, ...(dpop === undefined ? [] : [dpop]))
    expect(reasonOf(await files.call(beside, { certificate: stolen }))).toBe('certificate_mismatch')
  })

  test('I06 is refused where the certificate is only told of, except by the proxy', async () => {
    const told: Fields = [['Client-Cert', `:${Buffer.from(own.der).toString('base64')}:`]]
    const fields = bearing(bound, ...told)
    expect(reasonOf(await files.call(fields))).toBe('certificate_missing')
    expect(reasonOf(await files.call(fields, { certificate: stolen }))).toBe('certificate_mismatch')
    const behind = await serve(forwardedCertificate(hasTrustedCertificate))
    const proxy = await makeLeaf(proxies, { subject: 'CN=proxy' })
    expect(reasonOf(await behind.call(fields, { certificate: stolen }))).toBe('certificate_missing')
    expect(reasonOf(await behind.call(fields))).toBe('certificate_missing')
    expect(reasonOf(await behind.call(fields, { certificate: proxy }))).toBe('accepted')
  })

  test('I06 is refused by a resource server that sees no certificates', async () => {
    const blind = await serve()
    const reply = await blind.call(bearing(bound), { certificate: own })
    expect(reasonOf(reply)).toBe('certificate_missing')
  })
})

describe('I06 a token bound to a certificate and to a key', () => {
  test('I01 I02 I03 I06 needs both, each time', async () => {
    const token = await open(planner, { proof: { nonce: await nonceOfServer() } })
    const { thumbprint: jkt } = planner.proofKey
    expect(payloadOf(token)['cnf']).toEqual({ 'x5t#S256': own.thumbprint, jkt })
    const call = async (fields: Fields, certificate?: TestCertificate) =>
      reasonOf(await files.call(fields, { certificate }))
    expect(await call(proving(token))).toBe('certificate_missing')
    expect(await call(proving(token), stolen)).toBe('certificate_mismatch')
    expect(await call(bearing(token), own)).toBe('scheme_mismatch')
    expect(await call([['authorization', `DPoP ${token}`]], own)).toBe('proof_missing')
    expect(await call(proving(token, { proofKey: newKey() }), own)).toBe('proof_key_mismatch')
    expect(await call(proving(token, { proof: { ath: hashOf(bound) } }), own)).toBe(
      'proof_token_mismatch',
    )
    const good = proving(token)
    expect(await call(good, own)).toBe('accepted')
    expect(await call(good, own)).toBe('proof_replayed')
  })
})

/** What the authorization server asks for in proofs. */
async function nonceOfServer(): Promise<string> {
  const { headers } = await planner.open(server.idToken(), TARGET)
  return headers.get('dpop-nonce') ?? expect.unreachable()
}

describe('I04 nonces of a resource server', () => {
  test('I03 I04 are its own: the authorization server’s are none here, and the other way round', async () => {
    const strict = await serve(tlsCertificate, true)
    const theirs = await nonceOfServer()
    const token = await open(planner, { proof: { nonce: theirs } })
    const call = (nonce?: unknown) =>
      strict.call(proving(token, { proof: { nonce } }), { certificate: own })
    const asked = await call()
    expect([asked.body.reason, asked.body['error']]).toEqual([
      'proof_nonce_required',
      'use_dpop_nonce',
    ])
    const ours = asked.headers['dpop-nonce']
    expect(reasonOf(await call(theirs))).toBe('proof_nonce_required')
    const crossed = await planner.open(server.idToken(), TARGET, { proof: { nonce: ours } })
    expect(crossed.body['error']).toBe('use_dpop_nonce')
    const good = proving(token, { proof: { nonce: ours } })
    const copies = await Promise.all(
      Array.from({ length: 10 }, () => strict.call(good, { certificate: own })),
    )
    const outcomes = copies.map(reasonOf)
    expect(outcomes.filter((outcome) => outcome === 'accepted')).toHaveLength(1)
    expect(outcomes.filter((outcome) => outcome === 'proof_replayed')).toHaveLength(9)
    // A certificate besides does not stand for the nonce, nor the nonce for the certificate.
    const fresh = proving(token, { proof: { nonce: ours } })
    expect(reasonOf(await strict.call(fresh))).toBe('certificate_missing')
  })
})
