/** Receivers and transmitters of security events in `tenant.yaml`: who is told, and who is believed. */
import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { type Change, type Members, useFolder } from './folder-fixture.ts'

const folder = useFolder()
const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const jwks = { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'k1' }] }
const keys = [expect.objectContaining({ kty: 'RSA', kid: 'k1' })]

const siem = { id: 'siem', jwks }
const hr = { id: 'hr', issuer: 'https://hr.example', jwks, subjects_of: 'idp' }

const receivers =
  (...entries: readonly Members[]): Change =>
  ({ tenant }) => {
    tenant['event_receivers'] = entries
  }
const transmitters =
  (...entries: readonly Members[]): Change =>
  ({ tenant }) => {
    tenant['event_transmitters'] = entries
  }

test('as stated, and what is left out has its default', () => {
  const push = ['https://siem.example/events', 'http://127.0.0.1:9000/events']
  const tenant = folder.load({
    change: (documents) => {
      receivers(siem, { id: 'edr', jwks, binding: 'bearer', push_endpoints: push })(documents)
      const stated = { audience: 'urn:acme', jwks: undefined, jwks_uri: 'https://hr.example/jwks' }
      transmitters(hr, { ...hr, id: 'hr2', ...stated, algorithms: ['ES256'] })(documents)
    },
  })
  expect([...tenant.eventReceivers]).toEqual([
    ['siem', { id: 'siem', keys, binding: 'dpop', pushEndpoints: new Set() }],
    ['edr', { id: 'edr', keys, binding: 'bearer', pushEndpoints: new Set(push) }],
  ])
  const believed = { issuer: 'https://hr.example', subjectsOf: 'idp' }
  expect([...tenant.eventTransmitters.values()]).toEqual([
    { id: 'hr', ...believed, audience: tenant.issuer, keys: { jwks: keys }, algorithms: ['RS256'] },
    {
      id: 'hr2',
      ...believed,
      audience: 'urn:acme',
      keys: { jwksUri: 'https://hr.example/jwks' },
      algorithms: ['ES256'],
    },
  ])
})

test('neither is stated: nobody is told and nobody is believed', () => {
  const tenant = folder.load()
  expect(tenant.eventReceivers.size + tenant.eventTransmitters.size).toBe(0)
})

type Row = readonly [behaviour: string, change: Change, problems: readonly string[]]

describe('what is refused', () => {
  test.each<Row>([
    ['an id twice', receivers(siem, siem), ['event receiver "siem" is defined twice']],
    [
      'the id of an agent: both are clients',
      receivers({ ...siem, id: 'planner' }),
      ['agent "planner" has this id already'],
    ],
    [
      'the id of a resource: both are clients',
      receivers({ ...siem, id: 'mail-api' }),
      ['resource "mail-api" has this id already'],
    ],
    [
      '8935-4-01: plain http to a host that is not loopback',
      receivers({ ...siem, push_endpoints: ['http://siem.example/events'] }),
      ['http is accepted for loopback hosts only; use https'],
    ],
    [
      'an address of this server',
      receivers({ ...siem, push_endpoints: ['https://as.example.com/t/acme/ssf/receive/hr'] }),
      ['URIs under this server are its own'],
    ],
    ['a receiver without keys', receivers({ id: 'siem' }), ['missing key "jwks"']],
    [
      'an unknown member',
      receivers({ ...siem, push_endpoint: 'https://siem.example' }),
      ['unknown key "push_endpoint"; did you mean "push_endpoints"?'],
    ],
    ['a transmitter twice', transmitters(hr, hr), ['event transmitter "hr" is defined twice']],
    [
      'this server as a transmitter',
      transmitters({ ...hr, issuer: 'https://as.example.com/t/globex' }),
      ['this server is never a transmitter to itself'],
    ],
    [
      'keys in two places',
      transmitters({ ...hr, jwks_uri: 'https://hr.example/jwks' }),
      ['state either "jwks_uri" or "jwks"'],
    ],
    [
      'keys from a place that is no https URI',
      transmitters({ ...hr, jwks: undefined, jwks_uri: 'http://hr.example/jwks' }),
      ['http is accepted for loopback hosts only; use https'],
    ],
    [
      'subjects of an issuer nobody trusts',
      transmitters({ ...hr, subjects_of: 'ipd' }),
      ['unknown trusted issuer "ipd"; did you mean "idp"?'],
    ],
    [
      'an algorithm there is not',
      transmitters({ ...hr, algorithms: ['none'] }),
      ['expected "ES256" or "EdDSA" or "RS256"'],
    ],
  ])('%s', (_, change, problems) => {
    expect(folder.problemsAfter(change)).toEqual(
      problems.map((problem) => `acme/tenant.yaml: ${problem}`),
    )
  })
})
