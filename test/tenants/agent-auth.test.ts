/** `auth` in `agents.yaml`: the one way an agent proves itself, and nobody who could pass as two. */
import { createHash, generateKeyPairSync } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { loadTenants } from '../../server/tenants/load-tenants.ts'
import { hoursFromNow, makeRoot, makeSelfSigned } from '../support/certificates.ts'
import { type TenantDocuments, writeTenantFolder } from '../support/tenant-folder.ts'
import { agentOf, type Change, type Members, publicUrl, useFolder } from './folder-fixture.ts'

const folder = useFolder()
const farAway = { notAfter: hoursFromNow(24 * 365) }
const root = await makeRoot(farAway)
const own = await makeSelfSigned(farAway)
const other = await makeSelfSigned(farAway)
const der = Buffer.from(own.der).toString('base64')
const hash = (text: string): string => createHash('sha256').update(text).digest('base64url')

/** A tenant that trusts one of each kind. */
function trust({ tenant }: TenantDocuments): void {
  Object.assign(tenant, {
    client_secrets: true,
    trust_domains: [{ name: 'prod.acme.example', bundle_file: 'prod.json' }],
    certificate_authorities: [{ id: 'corp', certificates: [root.pem] }],
    workload_issuers: [
      { id: 'cluster-1', kind: 'kubernetes', issuer: 'https://k8s.acme.example' },
      { id: 'ci', kind: 'oidc', issuer: 'https://ci.example' },
    ],
    attesters: [{ id: 'mdm', issuer: 'https://mdm.example', jwks_uri: 'https://mdm.example/jwks' }],
  })
}

const auth =
  (stated: Members, id = 'coder'): Change =>
  (documents) => {
    trust(documents)
    agentOf(documents, id)['auth'] = stated
  }
const both =
  (one: Members, two: Members): Change =>
  (documents) => {
    auth(one, 'planner')(documents)
    auth(two, 'coder')(documents)
  }

const PLANNER = 'spiffe://prod.acme.example/agents/planner'
const spiffe = (spiffe_id: string, method = 'spiffe_jwt') => ({ method, spiffe_id })
const account = (name: string) => `system:serviceaccount:agents:${name}`
const inCluster = (claims: Members) => ({ method: 'workload_jwt', issuer: 'cluster-1', claims })
const inCi = (claims: Members) => ({ method: 'workload_jwt', issuer: 'ci', claims })
const byCertificate = (members: Members) => ({
  method: 'tls_client_auth',
  authority: 'corp',
  ...members,
})
const bySecret = (text: string) => ({
  method: 'client_secret_basic',
  secret_sha256: [hash(text)],
})

describe('an agent proves itself as stated', () => {
  test.each<[stated: Members, built: Members]>([
    [spiffe(PLANNER), { method: 'spiffe_jwt', spiffeId: PLANNER }],
    [
      spiffe('spiffe://prod.acme.example/agents/*', 'spiffe_x509'),
      { method: 'spiffe_x509', spiffeId: 'spiffe://prod.acme.example/agents/*' },
    ],
    [
      byCertificate({ san_uri: 'urn:acme:coder' }),
      {
        method: 'tls_client_auth',
        authority: 'corp',
        subject: { kind: 'san_uri', value: 'urn:acme:coder' },
      },
    ],
    [
      { method: 'self_signed_tls_client_auth', certificates: [own.pem] },
      { method: 'self_signed_tls_client_auth', certificates: [der] },
    ],
    [
      inCluster({ '/sub': account('coder'), '/kubernetes.io/pod/uid': ['a', 'b'] }),
      {
        method: 'workload_jwt',
        issuer: 'cluster-1',
        claims: [
          { pointer: '/sub', values: [account('coder')] },
          { pointer: '/kubernetes.io/pod/uid', values: ['a', 'b'] },
        ],
      },
    ],
    [
      { method: 'attest_jwt_client_auth', attester: 'mdm' },
      { method: 'attest_jwt_client_auth', attester: 'mdm' },
    ],
    [
      { method: 'client_secret_post', secret_sha256: [hash('a'), hash('b')] },
      { method: 'client_secret_post', secretHashes: [hash('a'), hash('b')] },
    ],
  ])('%o', (stated, built) => {
    const tenant = folder.load({ change: auth(stated) })
    expect(tenant.agents.get('coder')?.auth).toEqual(built)
  })

  test('and its tokens are bound to what it says', () => {
    const tenant = folder.load({
      change: (documents) => void Object.assign(agentOf(documents, 'coder'), { binding: 'mtls' }),
    })
    expect(tenant.agents.get('coder')?.binding).toBe('mtls')
    expect(tenant.agents.get('planner')?.binding).toBe('dpop')
  })
})

type Row = readonly [behaviour: string, change: Change, problems: readonly string[]]

function check(rows: readonly Row[]): void {
  test.each(rows)('%s', (_, change, problems) => {
    expect(folder.problemsAfter(change)).toEqual(
      problems.map((problem) => `acme/agents.yaml: ${problem}`),
    )
  })
}

const METHODS =
  '"private_key_jwt" or "spiffe_jwt" or "spiffe_x509" or "tls_client_auth" or "self_signed_tls_client_auth" or "workload_jwt" or "attest_jwt_client_auth" or "client_secret_basic" or "client_secret_post"'
const NOT_SPIFFE =
  'expected the SPIFFE ID of a workload, such as spiffe://prod.acme.example/agents/planner'
const NAMES = '"subject_dn", "san_dns", "san_uri", "san_ip", "san_email"'
const NAMING =
  'name the workload by one of /sub, /repository_id, /repository, /job_workflow_ref, /project_id, /project_path, /oid: the rest says only whose it is'
const ACCOUNT = 'name namespace and account: /sub: "system:serviceaccount:{namespace}:{name}"'

describe('what is refused', () => {
  check([
    [
      'a method there is not',
      auth({ method: 'spiffe_jwk' }),
      [`expected ${METHODS}; did you mean "spiffe_jwt"?`],
    ],
    ['no method', auth({ jwks: {} }), ['missing key "method"']],
    [
      'both kinds of keys, or none',
      (documents) => {
        auth({ method: 'private_key_jwt' })(documents)
        auth({ method: 'private_key_jwt', development_keys: false }, 'planner')(documents)
      },
      [
        'can only be true; leave it out otherwise',
        'state either "jwks" or "development_keys: true"',
      ],
    ],
    [
      'members of another method',
      auth({ ...spiffe(PLANNER), jwks: { keys: [] }, spiffe_ids: [] }),
      ['unknown key "jwks"', 'unknown key "spiffe_ids"; did you mean "spiffe_id"?'],
    ],
    ...[
      'spiffe://prod.acme.example',
      'spiffe://prod.acme.example/a/../b',
      'spiffe://prod.acme.example/a*',
      'SPIFFE://prod.acme.example/a',
      'https://prod.acme.example/a',
      'spiffe://PROD.acme.example/a',
      'spiffe://*/a',
      'spiffe://prod.acme.example/a/',
    ].map((id): Row => [`the SPIFFE ID ${id}`, auth(spiffe(id)), [NOT_SPIFFE]]),
    [
      'a SPIFFE ID of a domain that is not trusted',
      auth(spiffe('spiffe://prod.acme.exmaple/a')),
      ['unknown trust domain "prod.acme.exmaple"; did you mean "prod.acme.example"?'],
    ],
    [
      '8705-2.1.2-01: no name in a certificate, or two',
      (documents) => {
        auth(byCertificate({}))(documents)
        auth(byCertificate({ san_dns: 'a.example', san_uri: 'urn:a' }), 'planner')(documents)
      },
      [`state exactly one of ${NAMES}`, `state exactly one of ${NAMES}`],
    ],
    ...(
      [
        ['subject_dn', 'planner', 'expected a distinguished name such as CN=planner,O=Acme'],
        ['san_dns', '*.acme.example', 'expected a DNS name, without wildcards'],
        ['san_uri', 'planner', 'expected an absolute URI'],
        ['san_ip', '10.0.0.0/8', 'expected an IP address'],
        ['san_email', 'planner', 'expected a mail address'],
        ['san_dns', 'plаnner', 'expected 1 to 255 printable ASCII characters'],
      ] as const
    ).map(
      ([name, value, text]): Row => [
        `the name ${value}`,
        auth(byCertificate({ [name]: value })),
        [text],
      ],
    ),
    [
      'names that are defined nowhere',
      (documents) => {
        auth({ ...byCertificate({ san_dns: 'a.example' }), authority: 'crop' })(documents)
        auth({ ...inCi({ '/sub': 'a' }), issuer: 'ic' }, 'planner')(documents)
        auth({ method: 'attest_jwt_client_auth', attester: 'mmd' }, 'rogue')(documents)
      },
      [
        'unknown workload issuer "ic"; did you mean "ci"?',
        'unknown certificate authority "crop"; did you mean "corp"?',
        'unknown attester "mmd"; did you mean "mdm"?',
      ],
    ],
    [
      'certificates that are none, and a key that is pasted as one',
      auth({
        method: 'self_signed_tls_client_auth',
        certificates: ['MIIB', own.keyPem, `${own.pem}${other.pem}`, own.pem.slice(0, 90)],
      }),
      [
        'expected one certificate in PEM',
        'private key: only certificates belong here; treat this one as disclosed',
        'expected one certificate in PEM',
        'expected one certificate in PEM',
      ],
    ],
    [
      'a workload of a cluster without its account',
      auth(inCluster({ '/kubernetes.io/namespace': 'agents' })),
      [ACCOUNT],
    ],
    [
      'an account that is no service account',
      auth(inCluster({ '/sub': [account('coder'), 'system:node:a'] })),
      [ACCOUNT],
    ],
    [
      'a workload that is everybody of its owner',
      auth(inCi({ '/repository_owner': 'acme' })),
      [NAMING],
    ],
    ['no condition at all', auth(inCi({})), [NAMING]],
    [
      'pointers that are none, claims the server judges, wildcards, what is no text',
      auth(
        inCi({ sub: 'a', '/a~2': 'b', '/aud': 'c', '/sub': 'repo:acme/*', '/ref': [], '/n': 1 }),
      ),
      [
        'expected a JSON Pointer to a claim, such as /sub',
        'expected a JSON Pointer to a claim, such as /sub',
        'this claim is judged by itself: leave it out',
        'there are no wildcards: the value is compared exactly',
        'name a text',
        'expected a text or a list of texts; in quotes, if it looks like a number, a boolean or null',
      ],
    ],
    [
      'the hash of a secret that is none',
      auth({ method: 'client_secret_basic', secret_sha256: ['hunter2', `${hash('a')}=`] }),
      Array<string>(2).fill(
        'expected the SHA-256 of a secret, base64url: `actchain agents secret` makes both',
      ),
    ],
    [
      'a secret where the tenant allows none',
      (documents) => {
        auth(bySecret('a'))(documents)
        delete documents.tenant['client_secrets']
      },
      ['the tenant allows no secrets: "client_secrets" in tenant.yaml is not true'],
    ],
  ])
})

describe('E01: nobody is two agents', () => {
  const already = 'agent "planner" proves itself by this already'
  const same = 'the same token could be agent "planner": give both a claim in which they differ'
  check([
    ['one SPIFFE ID', both(spiffe(PLANNER), spiffe(PLANNER, 'spiffe_x509')), [already]],
    [
      'one beneath another',
      both(spiffe('spiffe://prod.acme.example/agents/*'), spiffe(`${PLANNER}/a`)),
      ['agent "planner" has every SPIFFE ID beneath "spiffe://prod.acme.example/agents/*"'],
    ],
    [
      'a pattern beneath another',
      both(spiffe('spiffe://prod.acme.example/*'), spiffe(`${PLANNER}/*`)),
      ['agent "planner" has every SPIFFE ID beneath "spiffe://prod.acme.example/*"'],
    ],
    [
      'one name in a certificate',
      both(byCertificate({ san_dns: 'a.example' }), byCertificate({ san_dns: 'a.example' })),
      [already],
    ],
    [
      'one certificate',
      both(
        { method: 'self_signed_tls_client_auth', certificates: [own.pem] },
        { method: 'self_signed_tls_client_auth', certificates: [other.pem, own.pem] },
      ),
      [already],
    ],
    ['one secret', both(bySecret('a'), bySecret('a')), [already]],
    [
      'one service account',
      both(
        inCluster({ '/sub': account('a') }),
        inCluster({ '/sub': [account('b'), account('a')], '/kubernetes.io/pod/uid': 'c' }),
      ),
      [same],
    ],
    [
      'claims that may come together',
      both(inCi({ '/sub': 'a' }), inCi({ '/repository': 'acme/a' })),
      [same],
    ],
    ['the other way round', both(inCi({ '/repository': 'acme/a' }), inCi({ '/sub': 'a' })), [same]],
    [
      'a claim in which they differ is enough',
      both(
        inCi({ '/repository': 'acme/a', '/environment': 'prod' }),
        inCi({ '/repository': 'acme/a', '/environment': ['test', 'stage'] }),
      ),
      [],
    ],
    [
      'siblings of SPIFFE are two',
      both(spiffe('spiffe://prod.acme.example/a/*'), spiffe('spiffe://prod.acme.example/a')),
      [],
    ],
  ])
})

describe('what is warned of', () => {
  const warningsAfter = (change: Change): readonly string[] => {
    writeTenantFolder(folder.root, 'acme', { change })
    const result = loadTenants({ folder: folder.root, publicUrl })
    expect(result.kind).toBe('loaded')
    return result.warnings.map(({ file, text }) => `${file.split('/').at(-1)}: ${text}`)
  }
  const bearer = 'agents.yaml: tokens of "coder" work for whoever holds them; prefer "dpop"'

  test('a secret', () => {
    expect(warningsAfter(auth(bySecret('a')))).toEqual([
      'agents.yaml: whoever reads the secret of "coder" is "coder"; prefer a key or its platform\'s identity',
    ])
  })

  test.each([
    ['a SPIFFE token', spiffe(PLANNER)],
    ['a workload’s token', inCluster({ '/sub': account('a') })],
  ])('%s that no key pins', (_, stated) => {
    const change: Change = (documents) => {
      auth(stated)(documents)
      agentOf(documents, 'coder')['binding'] = 'bearer'
    }
    expect(warningsAfter(change).toSorted()).toEqual([
      'agents.yaml: no key is proven beside the token of "coder"\'s platform: each one counts for a single request',
      bearer,
    ])
  })

  test('a pattern that is a whole trust domain', () => {
    expect(warningsAfter(auth(spiffe('spiffe://prod.acme.example/*')))).toEqual([
      'agents.yaml: every workload of "prod.acme.example" is "coder"',
    ])
  })

  test('certificates that ended or are about to; time alone refuses no version', async () => {
    const ended = await makeSelfSigned({ notAfter: hoursFromNow(-0.5) })
    const ending = await makeSelfSigned({ notAfter: hoursFromNow(24 * 9.5) })
    const certificates = [own.pem, ended.pem, ending.pem]
    const stated = { method: 'self_signed_tls_client_auth', certificates }
    expect(warningsAfter(auth(stated))).toEqual([
      'agents.yaml: this certificate has ended: nothing it proves is believed',
      'agents.yaml: this certificate ends in 10 days',
    ])
  })

  test('never with what it is about', () => {
    const { privateKey } = generateKeyPairSync('ed25519')
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    const lines = folder.problemsAfter(
      auth({ method: 'self_signed_tls_client_auth', certificates: [pem, 'hunter2'] }),
    )
    expect(lines).toHaveLength(2)
    expect(lines.join()).not.toContain('hunter2')
    for (const line of pem.split('\n').filter((it) => it.length > 20)) {
      expect(lines.join()).not.toContain(line)
    }
  })
})
