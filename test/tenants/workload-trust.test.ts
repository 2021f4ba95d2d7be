/** Trust domains, authorities, issuers of workload tokens and attesters in `tenant.yaml`. */
import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { developmentDefaults } from '../../server/core/development-defaults.ts'
import { describeChanges } from '../../server/tenants/changes.ts'
import { loadTenants } from '../../server/tenants/load-tenants.ts'
import {
  bundleEntry,
  hoursFromNow,
  makeRoot,
  makeSelfSigned,
  type TestCertificate,
} from '../support/certificates.ts'
import { writeTenantFolder } from '../support/tenant-folder.ts'
import { type Change, type Members, publicUrl, useFolder } from './folder-fixture.ts'

const folder = useFolder()
const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const key = { ...publicKey.export({ format: 'jwk' }), kid: 'k1' }
const jwks = { keys: [key] }
const root = await makeRoot({ notAfter: hoursFromNow(24 * 365) })
const leaf = await makeSelfSigned()
const base64 = ({ der }: TestCertificate): string => Buffer.from(der).toString('base64')

const domain = { name: 'prod.acme.example', bundle_file: 'prod.json' }
const authority = { id: 'corp', certificates: [root.pem] }
const cluster = { id: 'cluster-1', kind: 'kubernetes', issuer: 'https://k8s.acme.example' }
const ci = { id: 'ci', kind: 'oidc', issuer: 'https://ci.example' }
const mdm = { id: 'mdm', issuer: 'https://mdm.example', jwks }

const state =
  (member: string, ...entries: readonly Members[]): Change =>
  ({ tenant }) => {
    tenant[member] = entries
  }
const domains = (...entries: readonly Members[]) => state('trust_domains', ...entries)
const authorities = (...entries: readonly Members[]) => state('certificate_authorities', ...entries)
const workloads = (...entries: readonly Members[]) => state('workload_issuers', ...entries)
const attesters = (...entries: readonly Members[]) => state('attesters', ...entries)
const all =
  (...changes: readonly Change[]): Change =>
  (documents) => {
    for (const change of changes) change(documents)
  }

describe('a tenant trusts as stated', () => {
  test('nobody, where nothing is stated', () => {
    expect(folder.load()).toMatchObject({
      keyCachePeriod: 600,
      dpopNonces: false,
      trustDomains: new Map(),
      certificateAuthorities: new Map(),
      workloadIssuers: new Map(),
      attesters: new Map(),
    })
  })

  test('all that is stated', () => {
    const bundle = { keys: [bundleEntry(root), { ...key, use: 'jwt-svid' }], spiffe_sequence: 3 }
    const review = { url: 'https://10.0.0.1:6443', ca_file: 'k8s.pem', token_file: 'k8s.token' }
    const tenant = folder.load({
      change: all(
        domains(
          { ...domain, crl_file: 'prod.crl', max_lifetime: '90s' },
          { name: 'test.acme.example', bundle_url: 'https://bundles.acme.example/test' },
          { name: 'dev', bundle },
        ),
        authorities({ ...authority, crl_file: 'corp.crl' }),
        workloads(
          { ...cluster, token_review: review, max_lifetime: '10m' },
          { ...ci, jwks_uri: 'https://ci.example/jwks', algorithms: ['ES256'], single_use: true },
          { id: 'cloud', kind: 'oidc', issuer: 'https://cloud.example', jwks },
        ),
        attesters(mdm),
        ({ tenant: stated }) => {
          Object.assign(stated, { dpop_nonces: true, signing_keys: { cache_period: '1s' } })
        },
      ),
    })
    expect(tenant).toMatchObject({ keyCachePeriod: 1, dpopNonces: true })
    expect([...tenant.trustDomains.values()]).toEqual([
      {
        name: 'prod.acme.example',
        bundle: { file: 'prod.json' },
        crl: 'prod.crl',
        maxLifetime: 90,
      },
      {
        name: 'test.acme.example',
        bundle: { url: 'https://bundles.acme.example/test' },
        crl: undefined,
        maxLifetime: 300,
      },
      { name: 'dev', bundle: { inline: bundle }, crl: undefined, maxLifetime: 300 },
    ])
    expect(tenant.certificateAuthorities.get('corp')).toEqual({
      id: 'corp',
      certificates: [base64(root)],
      crl: 'corp.crl',
    })
    expect([...tenant.workloadIssuers]).toEqual([
      [
        'https://k8s.acme.example',
        {
          id: 'cluster-1',
          kind: 'kubernetes',
          issuer: 'https://k8s.acme.example',
          keys: { discover: 'https://k8s.acme.example' },
          algorithms: ['RS256'],
          maxLifetime: 600,
          singleUse: false,
          tokenReview: { url: 'https://10.0.0.1:6443', ca: 'k8s.pem', token: 'k8s.token' },
        },
      ],
      [
        'https://ci.example',
        {
          id: 'ci',
          kind: 'oidc',
          issuer: 'https://ci.example',
          keys: { jwksUri: 'https://ci.example/jwks' },
          algorithms: ['ES256'],
          maxLifetime: 3600,
          singleUse: true,
          tokenReview: undefined,
        },
      ],
      ['https://cloud.example', expect.objectContaining({ keys: { jwks: [key] } })],
    ])
    expect(tenant.attesters.get('https://mdm.example')).toEqual({
      id: 'mdm',
      issuer: 'https://mdm.example',
      keys: { jwks: [key] },
      algorithms: ['ES256'],
    })
  })
})

type Row = readonly [behaviour: string, change: Change, problems: readonly string[]]

function check(rows: readonly Row[]): void {
  test.each(rows)('%s', (_, change, problems) => {
    expect(folder.problemsAfter(change)).toEqual(
      problems.map((problem) => `acme/tenant.yaml: ${problem}`),
    )
  })
}

const FILE = 'expected a file name: parts of a-z 0-9 _ - with dots between, a letter or digit first'
const BUNDLES = 'state exactly one of "bundle_file", "bundle_url", "bundle"'
const NO_AUTHORITY = 'this is no authority: its certificate may not sign others'
const inline = (...keys: readonly Members[]) => domains({ name: 'dev', bundle: { keys } })

describe('trust domains', () => {
  check([
    [
      'have a name',
      domains({ ...domain, name: 'Prod' }, { ...domain, name: 'spiffe://a' }),
      Array<string>(2).fill('a trust domain is 1 to 255 of a-z 0-9 . _ -'),
    ],
    [
      'are defined once, and share no keys',
      domains(domain, domain),
      [
        'trust domain "prod.acme.example" is defined twice',
        'another trust domain has this bundle: each signs with keys of its own',
      ],
    ],
    [
      'have one bundle',
      domains({ name: 'a' }, { ...domain, bundle_url: 'https://a.example/b' }),
      [BUNDLES, BUNDLES],
    ],
    ...['../prod.json', '/etc/passwd', '.prod', 'a..b', 'a/b', 'A.json', ''].map(
      (file): Row => [
        `have no file ${file}`,
        domains({ ...domain, bundle_file: file, crl_file: file }),
        [FILE, FILE],
      ],
    ),
    [
      'are read by https, and not from here',
      domains(
        { name: 'a', bundle_url: 'http://a.example/bundle' },
        { name: 'b', bundle_url: `${publicUrl}/t/acme/jwks` },
      ),
      ['http is accepted for loopback hosts only; use https', 'URIs under this server are its own'],
    ],
    [
      'have public keys that say what for',
      inline(
        { ...key, use: 'jwt-svid', d: 'AAAA' },
        { ...key, use: 'jwt-svid', kid: undefined },
        { ...key, use: 'sig' },
        { ...key, use: 'x509-svid' },
        { ...bundleEntry(leaf) },
        { ...bundleEntry(root), x5c: [base64(root), base64(root)] },
        { ...bundleEntry(root), x5c: ['MIIB'] },
      ),
      [
        'private or symmetric key: only public keys belong here; treat this one as disclosed',
        'a key for JWT-SVIDs needs a "kid"',
        '"use" must be "jwt-svid" or "x509-svid"',
        '"x5c" must have exactly one certificate',
        NO_AUTHORITY,
        '"x5c" must have exactly one certificate',
        '"x5c" is not a valid certificate',
      ],
    ],
    ['have some key', inline(), ['a bundle needs a key']],
  ])
})

describe('certificate authorities', () => {
  check([
    [
      'are authorities, once',
      authorities(
        authority,
        { ...authority, certificates: [leaf.pem] },
        { id: 'x', certificates: [] },
      ),
      ['certificate authority "corp" is defined twice', NO_AUTHORITY, 'name a certificate'],
    ],
  ])
})

describe('issuers of workload tokens', () => {
  const review = { url: 'https://k8s.example', token_file: 'k8s.token' }
  check([
    [
      'are a platform',
      workloads({ ...ci, kind: 'kubernets' }, { ...ci, kind: undefined }),
      ['expected "oidc" or "kubernetes"; did you mean "kubernetes"?', 'missing key "kind"'],
    ],
    [
      'are defined once',
      workloads(cluster, { ...ci, id: 'cluster-1' }, { ...ci, issuer: 'https://ci.example/' }),
      ['workload issuer "cluster-1" is defined twice', 'another workload issuer has this issuer'],
    ],
    [
      'are no trusted issuer: a token would be of a user and of an agent',
      workloads({ ...ci, issuer: 'https://idp.example' }),
      ['a trusted issuer has this issuer: its tokens would be of users and of agents'],
    ],
    [
      'are not this server, and on https',
      workloads(
        { ...cluster, issuer: `${publicUrl}/t/globex` },
        { ...ci, issuer: 'http://ci.example', jwks_uri: 'http://ci.example/jwks' },
      ),
      [
        'this server is no workload issuer to itself',
        'http is accepted for loopback hosts only; use https',
        'http is accepted for loopback hosts only; use https',
      ],
    ],
    [
      'have their keys from one place',
      workloads({ ...ci, jwks, jwks_uri: 'https://ci.example/jwks' }),
      ['state "jwks_uri" or "jwks", not both'],
    ],
    [
      'are asked at an origin, if they are a cluster',
      workloads(
        { ...cluster, token_review: { ...review, url: 'https://k8s.example/apis' } },
        { ...ci, token_review: review },
      ),
      [
        'expected an origin: scheme, host and port alone; did you mean "https://k8s.example"?',
        'unknown key "token_review"',
      ],
    ],
    [
      'give tokens for a day at most',
      workloads({ ...ci, max_lifetime: '25h' }),
      ['expected a duration from 1s to 86400s'],
    ],
  ])
})

describe('attesters', () => {
  check([
    [
      'are defined once, with one source of keys',
      attesters(
        mdm,
        { ...mdm, jwks_uri: 'https://mdm.example/jwks' },
        { ...mdm, id: 'x', jwks: undefined },
      ),
      [
        'state either "jwks_uri" or "jwks"',
        'attester "mdm" is defined twice',
        'another attester has this issuer',
        'state either "jwks_uri" or "jwks"',
        'another attester has this issuer',
      ],
    ],
    [
      'are not this server',
      attesters({ ...mdm, issuer: publicUrl }),
      ['this server is no attester to itself'],
    ],
  ])
})

test('K06: plain http is named before it reaches production', () => {
  const tenant = folder.load({
    change: all(
      domains({ name: 'a', bundle_url: 'http://127.0.0.1:1/b' }),
      workloads(
        {
          ...cluster,
          issuer: 'http://localhost:2',
          token_review: { url: 'http://localhost:3', token_file: 't' },
        },
        { ...ci, jwks_uri: 'http://localhost:4/jwks' },
      ),
      attesters({ id: 'mdm', issuer: 'http://localhost:5', jwks_uri: 'http://localhost:5/jwks' }),
      ({ agents }) => {
        for (const agent of agents.agents) {
          agent['auth'] = { method: 'attest_jwt_client_auth', attester: 'mdm' }
        }
      },
    ),
  })
  expect(developmentDefaults({ publicUrl, keySecret: 'x' }, [tenant])).toEqual([
    'acme/tenant.yaml: trust_domains a: bundle_url http://127.0.0.1:1/b is plain http; use an https address.',
    'acme/tenant.yaml: workload_issuers cluster-1: issuer http://localhost:2 is plain http; use an https issuer.',
    'acme/tenant.yaml: workload_issuers cluster-1: token_review url http://localhost:3 is plain http; use an https address.',
    'acme/tenant.yaml: workload_issuers ci: jwks_uri http://localhost:4/jwks is plain http; use an https address.',
    'acme/tenant.yaml: attesters mdm: issuer http://localhost:5 is plain http; use an https issuer.',
    'acme/tenant.yaml: attesters mdm: jwks_uri http://localhost:5/jwks is plain http; use an https address.',
  ])
})

test('what differs between two versions is told entry by entry, and makes another version', () => {
  const load = (change: Change) => {
    writeTenantFolder(folder.root, 'acme', { change })
    const result = loadTenants({ folder: folder.root, publicUrl })
    if (result.kind === 'refused') throw new Error(JSON.stringify(result.problems))
    return result.tenants.get('acme')!.checked
  }
  const before = load(all(domains(domain), authorities(authority), workloads(cluster)))
  const after = load(
    all(
      domains({ ...domain, max_lifetime: '1m' }),
      workloads({ ...cluster, single_use: true }, ci),
      attesters(mdm),
    ),
  )
  expect(after.version).not.toBe(before.version)
  expect(describeChanges(before, after)).toEqual([
    'tenant.yaml: trust domain prod.acme.example changed (max_lifetime)',
    'tenant.yaml: certificate authority - corp',
    'tenant.yaml: workload issuer cluster-1 changed (single_use)',
    'tenant.yaml: workload issuer + ci',
    'tenant.yaml: attester + mdm',
  ])
})
