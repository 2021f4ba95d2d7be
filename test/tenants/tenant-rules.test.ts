import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { writeTenantFolder } from '../support/tenant-folder.ts'
import {
  agentOf,
  type Change,
  issuersOf,
  type Members,
  resourceOf,
  taskTypeOf,
  useFolder,
} from './folder-fixture.ts'

const folder = useFolder()

type Row = readonly [behaviour: string, change: Change, problems: readonly string[]]

const agent =
  (members: Members, id = 'coder'): Change =>
  (documents) =>
    void Object.assign(agentOf(documents, id), members)
const resource =
  (members: Members, id = 'files-api'): Change =>
  (documents) =>
    void Object.assign(resourceOf(documents, id), members)
const issuer =
  (members: Members): Change =>
  (documents) =>
    void Object.assign(issuersOf(documents)[0]!, members)
const secondIssuer =
  (members: Members): Change =>
  (documents) =>
    void issuersOf(documents).push({
      id: 'second',
      issuer: 'https://second.example',
      jwks_uri: 'https://second.example/jwks',
      ...members,
    })
const tenant =
  (members: Members): Change =>
  (documents) =>
    void Object.assign(documents.tenant, members)
const taskType =
  (members: Members): Change =>
  (documents) =>
    void Object.assign(taskTypeOf(documents), members)

function check(rows: readonly Row[]): void {
  test.each(rows)('%s', (_, change, problems) => {
    expect(folder.problemsAfter(change)).toEqual(problems)
  })
}

describe('names must be defined', () => {
  check([
    [
      'a scope of an agent',
      agent({ scopes: ['files:raed'] }),
      ['acme/agents.yaml: unknown scope "files:raed"; did you mean "files:read"?'],
    ],
    [
      'a resource an agent may reach',
      agent({ may_reach: ['file-api'] }),
      ['acme/agents.yaml: unknown resource "file-api"; did you mean "files-api"?'],
    ],
    [
      'a default target, which must also be within reach',
      (documents) => {
        agent({ default_target: 'filse-api' })(documents)
        agent({ default_target: 'rogue-a2a' }, 'researcher')(documents)
      },
      [
        'acme/agents.yaml: "rogue-a2a" is not in "may_reach"',
        'acme/agents.yaml: unknown resource "filse-api"; did you mean "files-api"?',
      ],
    ],
    [
      'an issuer an agent is known at',
      agent({ issuer_clients: { ipd: 'coder' } }),
      ['acme/agents.yaml: unknown trusted issuer "ipd"; did you mean "idp"?'],
    ],
    [
      'the agent of an endpoint, and the scopes it accepts',
      resource({ agent: 'codr', scopes: ['files:rite'] }, 'coder-a2a'),
      [
        'acme/resources.yaml: unknown agent "codr"; did you mean "coder"?',
        'acme/resources.yaml: unknown scope "files:rite"; did you mean "files:write"?',
      ],
    ],
    [
      'everything a task type names',
      taskType({
        openers: ['planer'],
        subjects_from: ['ipd'],
        scopes: ['mail:sent'],
        reach: ['pay-ap'],
      }),
      [
        'acme/task-types.yaml: unknown agent "planer"; did you mean "planner"?',
        'acme/task-types.yaml: unknown trusted issuer "ipd"; did you mean "idp"?',
        'acme/task-types.yaml: unknown scope "mail:sent"; did you mean "mail:send"?',
        'acme/task-types.yaml: unknown resource "pay-ap"; did you mean "pay-api"?',
      ],
    ],
    [
      'a home that is an endpoint of the agent itself',
      agent({ home: 'rogue-a2a' }),
      ['acme/agents.yaml: "rogue-a2a" is no endpoint of "coder"'],
    ],
  ])
})

describe('8693-2.1-17: a name means one thing', () => {
  check([
    [
      'ids of agents, resources and task types',
      (documents) => {
        documents.agents.agents.push({ ...agentOf(documents, 'coder'), issuer_clients: {} })
        documents.resources.resources.push({
          ...resourceOf(documents, 'mail-api'),
          uri: 'https://mail2.api',
          scopes: {},
        })
        documents.taskTypes.task_types.push({ ...taskTypeOf(documents) })
      },
      [
        'acme/agents.yaml: agent "coder" is defined twice',
        'acme/resources.yaml: resource "mail-api" is defined twice',
        'acme/task-types.yaml: task type "file-work" is defined twice',
      ],
    ],
    [
      'URIs, a slash at the end aside',
      resource({ uri: 'https://mail.api/' }),
      ['acme/resources.yaml: another resource has this URI'],
    ],
    [
      'a scope of two APIs',
      resource({ scopes: { 'mail:send': { tier: 'read' } } }, 'pay-api'),
      [
        'acme/agents.yaml: unknown scope "pay:transfer"',
        'acme/agents.yaml: unknown scope "pay:transfer"',
        'acme/resources.yaml: scope "mail:send" belongs to "mail-api" already',
        'acme/task-types.yaml: unknown scope "pay:transfer"',
      ],
    ],
    [
      'a client id at one issuer',
      agent({ issuer_clients: { idp: 'planner' } }),
      ['acme/agents.yaml: agent "planner" has this client id at "idp" already'],
    ],
    [
      'a resource that authenticates, and an agent',
      (documents) => {
        resource({ id: 'rogue', keys: { keys: [aPublicKey()] } }, 'rogue-a2a')(documents)
      },
      ['acme/resources.yaml: a resource with keys cannot have the id of an agent, here "rogue"'],
    ],
    [
      'an endpoint of an agent that has two, unless one is its home',
      (documents) => {
        const uri = 'https://two.agents'
        documents.resources.resources.push({
          ...resourceOf(documents, 'coder-a2a'),
          id: 'coder-two',
          uri,
        })
      },
      [
        'acme/agents.yaml: "coder" has several endpoints ("coder-a2a", "coder-two"): say which is its "home"',
      ],
    ],
    [
      'entries of a list',
      agent({ scopes: ['files:read', 'files:read'] }),
      ['acme/agents.yaml: "files:read" is stated twice'],
    ],
  ])
})

describe('trusted issuers cannot speak for each other, or for us', () => {
  check([
    [
      'an issuer is configured once',
      secondIssuer({ issuer: 'https://idp.example/', subject_prefix: 'two:' }),
      ['acme/tenant.yaml: another trusted issuer has this issuer'],
    ],
    [
      'only one has an empty prefix',
      secondIssuer({}),
      ['acme/tenant.yaml: only one trusted issuer may have an empty subject prefix'],
    ],
    [
      'prefixes differ',
      (documents) => {
        issuer({ subject_prefix: 'a:' })(documents)
        secondIssuer({ subject_prefix: 'a:' })(documents)
      },
      ['acme/tenant.yaml: another trusted issuer has this subject prefix'],
    ],
    [
      'no prefix begins with another',
      (documents) => {
        issuer({ subject_prefix: 'a' })(documents)
        secondIssuer({ subject_prefix: 'ab' })(documents)
      },
      ['acme/tenant.yaml: one subject prefix begins with another ("ab", "a")'],
    ],
    [
      'our own issuer, and that of another tenant of ours',
      (documents) => {
        issuer({ issuer: 'https://as.example.com/t/acme' })(documents)
        secondIssuer({ issuer: 'https://as.example.com/t/globex', subject_prefix: 'g:' })(documents)
      },
      [
        'acme/tenant.yaml: this server is never a trusted issuer: its own tokens are exchanged as such',
        'acme/tenant.yaml: this server is never a trusted issuer: its own tokens are exchanged as such',
      ],
    ],
    [
      'keys come from one place',
      issuer({ jwks: { keys: [aPublicKey()] } }),
      ['acme/tenant.yaml: state either "jwks_uri" or "jwks"'],
    ],
    [
      'a claim with a meaning of its own names no client',
      issuer({ client_claim: 'sub' }),
      ['acme/tenant.yaml: this claim has a meaning of its own'],
    ],
    [
      'no algorithm but ours',
      issuer({ algorithms: ['HS256', 'none'] }),
      [
        'acme/tenant.yaml: expected "ES256" or "EdDSA" or "RS256"; did you mean "ES256"?',
        'acme/tenant.yaml: expected "ES256" or "EdDSA" or "RS256"',
      ],
    ],
  ])
})

describe('URIs have one spelling', () => {
  const refused: readonly (readonly [string, string])[] = [
    ['http://files.api', 'http is accepted for loopback hosts only; use https'],
    ['files.api', 'expected an absolute https URI'],
    ['urn:files', 'expected an absolute https URI'],
    ['https://files.api/#part', 'a URI has no fragment here'],
    ['https://files.api/#', 'a URI has no fragment here'],
    ['https://user@files.api', 'a URI has no user name or password here'],
    ['https://FILES.api', 'not in canonical form; did you mean "https://files.api/"?'],
    ['https://files.api:443', 'not in canonical form; did you mean "https://files.api/"?'],
    ['https://files.api/a/../b', 'not in canonical form; did you mean "https://files.api/b"?'],
    ['https://0x7f.1/', 'not in canonical form; did you mean "https://127.0.0.1/"?'],
    ['https://fіles.api', 'expected an absolute https URI in printable ASCII'],
    ['https://files.api/ａ', 'expected an absolute https URI in printable ASCII'],
    ['https://files.api/ ', 'expected an absolute https URI in printable ASCII'],
    [`https://files.api/${'a'.repeat(255)}`, 'a URI has at most 255 characters'],
    ['https://as.example.com/manage', 'URIs under this server are its own'],
    ['https://as.example.com/t/acme/agents/planner', 'URIs under this server are its own'],
  ]
  test.each(refused)('%s', (uri, text) => {
    expect(folder.problemsAfter(resource({ uri }))).toEqual([`acme/resources.yaml: ${text}`])
  })

  test.each([
    'https://files.api/',
    'https://files.api/v1/',
    'https://as.example.com.evil.example/',
    'http://127.0.0.1:9000/api',
    'http://[::1]:9000',
    'http://localhost:9000',
  ])('%s is accepted', (uri) => {
    expect(folder.problemsAfter(resource({ uri }))).toEqual([])
  })

  test('an issuer has no query', () => {
    expect(folder.problemsAfter(issuer({ issuer: 'https://idp.example/?tenant=a' }))).toEqual([
      'acme/tenant.yaml: an issuer has no query',
    ])
  })
})

describe('bounds', () => {
  const apis = (count: number) => Array.from({ length: count }, (_, n) => `api-${n}`)
  check([
    [
      'limits have caps',
      tenant({
        limits: {
          max_depth: 9,
          task_lifetime: '9h',
          token_lifetime: 3601,
          tokens_per_place: 0,
          tokens_per_task: 1.5,
        },
      }),
      [
        'acme/tenant.yaml: expected a whole number from 1 to 8',
        'acme/tenant.yaml: expected a duration from 1s to 28800s',
        'acme/tenant.yaml: expected a duration from 1s to 3600s',
        'acme/tenant.yaml: expected a whole number from 1 to 4096',
        'acme/tenant.yaml: expected a whole number from 1 to 65536',
      ],
    ],
    [
      'a task type stays within them',
      taskType({ max_depth: 5, lifetime: '16m', token_lifetime: '6m' }),
      [
        "acme/task-types.yaml: above what the tenant's limits and the task's lifetime allow (4)",
        "acme/task-types.yaml: above what the tenant's limits and the task's lifetime allow (900)",
        "acme/task-types.yaml: above what the tenant's limits and the task's lifetime allow (300)",
      ],
    ],
    ...['0s', '90', '1d', '-1s', '1.5m', ' 9s', '٣s', 0, -1, 1.5].map(
      (lifetime): Row => [
        `no duration: ${JSON.stringify(lifetime)}`,
        taskType({ lifetime, token_lifetime: 1 }),
        [
          typeof lifetime === 'string'
            ? 'acme/task-types.yaml: expected a duration such as 90s, 15m or 8h'
            : 'acme/task-types.yaml: expected a duration from 1s to 28800s',
        ],
      ],
    ),
    ...['2027-02-30', '2027-6-30', '30.06.2027', '2027-06-30T12:00:00', 'tomorrow'].map(
      (expires): Row => [
        `no date: ${expires}`,
        agent({ expires }),
        ['acme/agents.yaml: expected an RFC 3339 date such as 2027-06-30 or 2027-06-30T12:00:00Z'],
      ],
    ),
    [
      'no scopes, no reach, no opener',
      taskType({ scopes: [], reach: [], openers: [] }),
      [
        'acme/task-types.yaml: name an agent that may open it',
        'acme/task-types.yaml: name a scope',
        'acme/task-types.yaml: name a resource',
      ],
    ],
    [
      'a token has room for 31 scopes and 31 places',
      (documents) => {
        const scopes = Object.fromEntries(apis(32).map((name) => [name, { tier: 'read' }]))
        const ids = apis(32)
        for (const id of ids) {
          documents.resources.resources.push({
            id,
            uri: `https://${id}.api`,
            kind: 'api',
            scopes: {},
          })
        }
        Object.assign(resourceOf(documents, 'api-0'), { scopes })
        taskType({ scopes: Object.keys(scopes), reach: ids })(documents)
      },
      [
        'acme/task-types.yaml: at most 31 scopes fit a token',
        'acme/task-types.yaml: at most 31 places to reach fit a token',
      ],
    ],
    [
      "the opener's home takes one of the 31 places",
      (documents) => {
        const ids = apis(31)
        for (const id of ids) {
          documents.resources.resources.push({
            id,
            uri: `https://${id}.api`,
            kind: 'api',
            scopes: {},
          })
        }
        taskType({ reach: ids })(documents)
      },
      ['acme/task-types.yaml: no room for the home of "planner": with it, 31 places at most'],
    ],
    [
      'a task for a user names whose users; one without has none',
      (documents) => {
        documents.taskTypes.task_types.push({
          ...taskTypeOf(documents),
          id: 'own-work',
          basis: 'client',
        })
        taskType({ subjects_from: [] })(documents)
      },
      [
        'acme/task-types.yaml: name the trusted issuers whose subjects it may be opened for in "subjects_from"',
        'acme/task-types.yaml: a task of basis "client" has no subject: leave "subjects_from" out',
      ],
    ],
  ])
})

describe('the shape of entries', () => {
  check([
    [
      'an API has no agent, an endpoint has one, and there is no third kind',
      (documents) => {
        resource({ agent: 'coder' })(documents)
        delete resourceOf(documents, 'coder-a2a')['agent']
        resource({ kind: 'agnt' }, 'mail-api')(documents)
        delete resourceOf(documents, 'pay-api')['kind']
      },
      [
        'acme/resources.yaml: missing key "agent"',
        'acme/resources.yaml: unknown key "agent"',
        'acme/resources.yaml: expected "api" or "agent"; did you mean "agent"?',
        'acme/resources.yaml: missing key "kind"',
      ],
    ],
    [
      'a scope has a tier and nothing else',
      resource({ scopes: { 'files:read': { tier: 'reed' }, 'files:write': { teir: 'read' } } }),
      [
        'acme/resources.yaml: expected "read" or "propose" or "execute"; did you mean "read"?',
        'acme/resources.yaml: missing key "tier"',
        'acme/resources.yaml: unknown key "teir"; did you mean "tier"?',
      ],
    ],
    [
      'a file holds one list',
      (documents) => {
        Object.assign(documents.agents, { agent: [] })
        Object.assign(documents.taskTypes, { task_types: {} })
      },
      [
        'acme/agents.yaml: unknown key; this file has "agents" alone; did you mean "agents"?',
        'acme/task-types.yaml: expected a list under "task_types"',
      ],
    ],
  ])
})

describe('F04, J07, J10: ids and names', () => {
  const refused = [
    'Coder',
    'coder_1',
    'co der',
    'co:der',
    'co/der',
    '../coder',
    'co{der}',
    'co*',
    'coder\n',
    'coder\0',
    '1coder',
    '-coder',
    '',
    'a'.repeat(64),
    'cоder', // Cyrillic
    'ｃoder', // full-width
    'co\u200bder',
    'co\u202eder',
    'code\u0301r',
    '__proto__',
    'constructor',
    'toString',
  ]
  test.each(refused.map((id) => [JSON.stringify(id), id]))('no id: %s', (_, id) => {
    const lines = folder.problemsAfter((documents) => {
      documents.agents.agents.push({ ...agentOf(documents, 'rogue'), id, issuer_clients: {} })
    })
    expect(lines).toEqual([
      'acme/agents.yaml: an id is a lower-case letter, then up to 62 of a-z 0-9 -',
    ])
  })

  test.each(['openid', 'offline_access', 'constructor'])('no scope: %s', (name) => {
    const scopes = { 'files:read': { tier: 'read' }, 'files:write': { tier: 'propose' } }
    expect(
      folder.problemsAfter(resource({ scopes: { ...scopes, [name]: { tier: 'read' } } })),
    ).toEqual(['acme/resources.yaml: this scope name is reserved'])
  })

  test.each(['files read', 'files"read', 'files\\read', 'fıles:read', 'files:read\u0000', ''])(
    'no scope: %j',
    (name) => {
      const scopes = { 'files:read': { tier: 'read' }, 'files:write': { tier: 'propose' } }
      expect(
        folder.problemsAfter(resource({ scopes: { ...scopes, [name]: { tier: 'read' } } })),
      ).toHaveLength(1)
    },
  )

  test('names in problems are escaped, so that a look-alike is seen', () => {
    const lines = folder.problemsAfter(agent({ 'dis\u202eabled': true }))
    expect(lines).toEqual([
      'acme/agents.yaml: unknown key "dis\\u{202e}abled"; did you mean "disabled"?',
    ])
  })

  test('names every object inherits are inert where a name is free', () => {
    const loaded = folder.load({ change: agent({ issuer_clients: { idp: 'constructor' } }) })
    expect(loaded.agents.get('constructor')).toBeUndefined()
    expect(loaded.agents.get('coder')?.issuerClients.get('idp')).toBe('constructor')
    expect(({} as Members)['polluted']).toBeUndefined()
  })
})

describe('public keys only, and nothing of a refused key is repeated', () => {
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const jwkOf = (key: KeyObject): Members => key.export({ format: 'jwk' }) as Members
  const flipped = (jwk: Members): Members => ({ ...jwk, y: jwk['x'] })

  test.each([
    ['P-256', jwkOf(ec.publicKey)],
    ['RSA of 2048 bits', jwkOf(rsa.publicKey)],
    ['Ed25519', jwkOf(generateKeyPairSync('ed25519').publicKey)],
    [
      'with use, alg and key_ops',
      { ...jwkOf(ec.publicKey), use: 'sig', alg: 'ES256', key_ops: ['verify'] },
    ],
  ])('%s is accepted', (_, key) => {
    const auth = folder.load({ agentKeys: { coder: key } }).agents.get('coder')?.auth
    expect(auth).toMatchObject({ jwks: [key] })
  })

  const disclosed =
    'private or symmetric key: only public keys belong here; treat this one as disclosed'
  test.each([
    ['a private EC key', jwkOf(ec.privateKey), disclosed],
    ['a private RSA key', jwkOf(rsa.privateKey), disclosed],
    ['one private member', { ...jwkOf(rsa.publicKey), dq: 'AQ' }, disclosed],
    ['a symmetric key', { kty: 'oct', k: 'c2VjcmV0LXNlY3JldA' }, disclosed],
    [
      'RSA of 1024 bits',
      jwkOf(generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey),
      'an RSA key must have 2048 to 8192 bits',
    ],
    ['exponent 3', { ...jwkOf(rsa.publicKey), e: 'Aw' }, 'the RSA exponent must be 65537'],
    ['exponent 1', { ...jwkOf(rsa.publicKey), e: 'AQ' }, 'the RSA exponent must be 65537'],
    [
      'another curve',
      jwkOf(generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey),
      'curve must be "P-256"',
    ],
    ['another type', { kty: 'AKP', pub: 'AQ' }, 'key type must be "EC", "OKP" or "RSA"'],
    ['a point off its curve', flipped(jwkOf(ec.publicKey)), 'not a valid public key'],
    ['for encryption', { ...jwkOf(ec.publicKey), use: 'enc' }, '"use" must be "sig"'],
    ['for signing', { ...jwkOf(ec.publicKey), key_ops: ['sign'] }, '"key_ops" must be ["verify"]'],
    [
      'of another algorithm',
      { ...jwkOf(ec.publicKey), alg: 'HS256' },
      '"alg" of such a key must be "ES256"',
    ],
    [
      'padded',
      { ...jwkOf(ec.publicKey), x: `${String(jwkOf(ec.publicKey)['x'])}=` },
      '"x" must be base64url without padding',
    ],
    [
      'a key id of two lines',
      { ...jwkOf(ec.publicKey), kid: 'a\nb' },
      '"kid" must be 1 to 256 printable ASCII characters',
    ],
  ])('%s is refused', (_, key, text) => {
    writeTenantFolder(folder.root, 'acme', { agentKeys: { coder: key } })
    const [line, ...rest] = folder.problems()

    expect(line?.replace(/:\d+:\d+:/, ':')).toBe(`acme/agents.yaml: ${text}`)
    expect(rest).toEqual([])
    const material = Object.values(key).filter((value) => String(value).length > 12)
    expect(material.filter((value) => line?.includes(String(value)))).toEqual([])
  })

  test('a private key is not repeated by broken YAML either', () => {
    const change = agent({
      auth: {
        method: 'private_key_jwt',
        jwks: jwkOf(ec.privateKey),
        [String(jwkOf(ec.privateKey)['kty'])]: 1,
      },
    })
    const lines = folder.problemsAfter(change).join('\n')
    expect(lines).toContain('unknown key "d"')
    expect(lines).not.toContain(String(jwkOf(ec.privateKey)['d']))
  })

  test('a key set is not empty, names no key id twice, and has few keys', () => {
    const key = { ...aPublicKey(), kid: 'same' }
    const set = (keys: readonly Members[]) =>
      agent({ auth: { method: 'private_key_jwt', jwks: { keys } } })
    expect(folder.problemsAfter(set([]))).toEqual(['acme/agents.yaml: a key set needs a key'])
    expect(folder.problemsAfter(set([key, { ...aPublicKey(), kid: 'same' }]))).toEqual([
      'acme/agents.yaml: this "kid" is stated twice',
    ])
    const many = Array.from({ length: 17 }, (_, n) => ({ ...key, kid: `k${n}` }))
    expect(folder.problemsAfter(set(many))).toEqual([
      'acme/agents.yaml: a key set has at most 16 keys',
    ])
  })
})

function aPublicKey(): Members {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return publicKey.export({ format: 'jwk' }) as Members
}
