/** RFC 8705 §2 and X.509-SVIDs: clients that authenticate by the certificate of their TLS connection. */
import { readFileSync } from 'node:fs'
import { describe, expect } from 'vitest'
import { Client, type Fault } from './client.ts'
import { profile } from './given.ts'
import type { ClientCertificate, Form, Reply } from './http.ts'
import { newJwk } from './jwt.ts'
import type { CertificateClient } from './profile.ts'
import { verifies } from './verifies.ts'

const { certificates } = profile
const withCertificates = describe.runIf(certificates !== undefined)

function accepted(name: string): CertificateClient {
  const found = certificates?.accepted[name]
  if (found === undefined) throw new Error(`no such client: ${name}`)
  return found
}

function shown({ cert, key }: CertificateClient): ClientCertificate {
  return { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') }
}

/** A token of its own, asked for with a proof and whatever certificate there is. */
function alone(client_id: string | undefined, fault: Fault, more: Form = {}): Promise<Reply> {
  if (certificates === undefined) throw new Error('no such server')
  const { issuer, api } = certificates
  const client = new Client(issuer, { client_id: client_id ?? '', jwk: newJwk() })
  const none = { client_assertion: undefined }
  return client.alone({ ...none, client_id, resource: api.uri, scope: api.read, ...more }, fault)
}

const asItself = (client: CertificateClient): Promise<Reply> =>
  alone(client.client_id, { certificate: shown(client) })

async function expectAccepted(name: string): Promise<void> {
  const { status, json } = await asItself(accepted(name))
  expect([name, status, json['token_type']]).toEqual([name, 200, 'DPoP'])
}

function expectRefused(what: string, { status, json }: Reply): void {
  expect([what, status, json['error'], json['access_token']]).toEqual([
    what,
    401,
    'invalid_client',
    undefined,
  ])
}

/** Every certificate the profile has for a requirement. */
async function expectAllRefused(requirement: string): Promise<void> {
  const cases = certificates?.refused.filter((one) => one.requirement === requirement) ?? []
  expect(cases.length).toBeGreaterThan(0)
  for (const one of cases) expectRefused(one.what, await asItself(one))
}

withCertificates('a client with a certificate', () => {
  verifies('8705-2-01', 'needs the handshake, and says which client it is', async () => {
    await expectAccepted('issued')
    const client = accepted('issued')
    expectRefused('no certificate', await alone(client.client_id, {}))
    expectRefused('no client_id', await alone(undefined, { certificate: shown(client) }))
    expectRefused('an empty client_id', await alone('', { certificate: shown(client) }))
  })

  verifies('8705-2-02', 'is the client its certificate is of', () => expectAllRefused('8705-2-02'))

  verifies('8705-2.1-01', 'has a path to its authority, and the one expected name', () =>
    expectAllRefused('8705-2.1-01'),
  )

  verifies('8705-2.1.2-02', 'may have an address, compared as the number it is', () =>
    expectAccepted('address'),
  )

  verifies('8705-2.2-01', 'may have registered its own, and has that and no other', async () => {
    await expectAccepted('registered')
    await expectAllRefused('8705-2.2-01')
  })

  verifies('8705-2-02', 'is refused with a second credential beside it', async () => {
    const client = accepted('issued')
    const certificate = shown(client)
    for (const more of [{ client_secret: 'x' }, { client_assertion: 'a.b.c' }]) {
      const reply = await alone(client.client_id, { certificate }, more)
      expectRefused(JSON.stringify(more), reply)
    }
  })
})

withCertificates('a workload with an X.509-SVID', () => {
  verifies('SPCA-x509-01', 'names itself, by its id or the URI it has', async () => {
    await expectAccepted('workload')
    await expectAccepted('named')
    const certificate = shown(accepted('workload'))
    expectRefused('no client_id', await alone(undefined, { certificate }))
    await expectAllRefused('SPCA-x509-01')
  })

  verifies('SPCA-x509-02', 'is who its own trust domain says', () =>
    expectAllRefused('SPCA-x509-02'),
  )

  verifies('SPCA-x509-03', 'has a certificate of a client', () => expectAllRefused('SPCA-x509-03'))

  verifies('SPCA-reg-01', 'may be one of many beneath a name', async () => {
    await expectAccepted('fleet')
    await expectAllRefused('SPCA-reg-01')
  })

  verifies('SPX-2-01', 'has one URI', () => expectAllRefused('SPX-2-01'))
  verifies('SPX-3.1-01', 'is not the trust domain', () => expectAllRefused('SPX-3.1-01'))
  verifies('SPX-3.2-01', 'is not an authority', () => expectAllRefused('SPX-3.2-01'))
  verifies('SPX-4.3-01', 'has its key for signatures', () => expectAllRefused('SPX-4.3-01'))
  verifies('SPX-4.4-01', 'has its key for TLS', () => expectAllRefused('SPX-4.4-01'))
  verifies('SPX-5.1-01', 'has a valid path', () => expectAllRefused('SPX-5.1-01'))
  verifies('SPX-6.2-01', 'is beneath a first x5c value', () => expectAllRefused('SPX-6.2-01'))
})
