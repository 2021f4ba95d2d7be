import { generateKeyPairSync } from 'node:crypto'
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { loadTenants } from '../../server/tenants/load-tenants.ts'
import { type TenantDocuments, writeTenantFolder } from '../support/tenant-folder.ts'
import { agentOf, publicUrl, taskTypeOf, useFolder } from './folder-fixture.ts'

const folder = useFolder()
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const publicEc = ec.publicKey.export({ format: 'jwk' })

describe('a folder becomes a tenant', () => {
  test('with facts as stated and defaults for the rest', () => {
    const tenant = folder.load({ agentKeys: { planner: { ...publicEc, kid: 'p1', ext: true } } })

    expect(tenant).toMatchObject({
      id: 'acme',
      issuer: 'https://as.example.com/t/acme',
      displayName: 'Acme',
      signingAlgorithm: 'ES256',
      limits: {
        maxDepth: 4,
        taskLifetime: 900,
        tokenLifetime: 300,
        tokensPerPlace: 64,
        tokensPerTask: 512,
      },
    })
    expect(tenant.trustedIssuers.get('https://idp.example')).toEqual({
      id: 'idp',
      issuer: 'https://idp.example',
      keys: { jwksUri: 'https://idp.example/jwks' },
      algorithms: ['ES256'],
      tokenTypes: new Set(['id_token']),
      subjectPrefix: '',
      clientClaim: undefined,
      scopeClaim: undefined,
      audiences: new Set(),
      subjectClaims: [],
      managementClient: undefined,
    })
    expect(tenant.agents.get('planner')).toEqual({
      id: 'planner',
      owner: 'team@acme.example',
      class: 'orchestrator',
      purpose: undefined,
      scopes: new Set(['files:read', 'files:write', 'mail:send', 'pay:transfer']),
      mayReach: new Set(['researcher-a2a', 'coder-a2a', 'files-api', 'mail-api', 'pay-api']),
      defaultTarget: undefined,
      home: 'planner.home',
      auth: {
        method: 'private_key_jwt',
        jwks: [{ ...publicEc, kid: 'p1' }],
        development: false,
      },
      issuerClients: new Map([['idp', 'planner']]),
      binding: 'dpop',
      expires: undefined,
      disabled: false,
      registeredAt: undefined,
    })
    expect(tenant.agents.get('coder')?.auth).toEqual({
      method: 'private_key_jwt',
      jwks: [],
      development: true,
    })
    expect(tenant.scopes.get('pay:transfer')).toEqual({
      name: 'pay:transfer',
      tier: 'execute',
      sensitivity: 'low',
      resource: 'pay-api',
    })
    expect(tenant.taskTypes.get('file-work')).toEqual({
      id: 'file-work',
      basis: 'policy',
      openers: new Set(['planner']),
      subjectsFrom: new Set(['idp']),
      scopes: ['files:read', 'files:write', 'mail:send', 'pay:transfer'],
      reach: ['researcher-a2a', 'coder-a2a', 'files-api', 'mail-api', 'pay-api'],
      maxDepth: 3,
      lifetime: 600,
      tokenLifetime: 300,
      triggers: [],
    })
    expect(tenant.limits).toMatchObject({
      requestsPerClient: 6000,
      requestsPerTenant: 60_000,
      requestsPerTask: 1200,
    })
  })

  test('an agent without an endpoint gets a home no folder can name', () => {
    const tenant = folder.load()

    expect(tenant.agents.get('researcher')?.home).toBe('researcher-a2a')
    const home = {
      id: 'planner.home',
      uri: 'https://as.example.com/t/acme/agents/planner',
      kind: 'agent',
      agent: 'planner',
      scopes: new Set(['files:read', 'files:write', 'mail:send', 'pay:transfer']),
      sensitivity: 'low',
      owner: 'team@acme.example',
      keys: [],
    }
    expect(tenant.resources.get('planner.home')).toEqual(home)
    expect(tenant.resourcesByUri.get(home.uri)).toEqual(home)
    expect([...tenant.resources.keys()].filter((id) => id.endsWith('.home'))).toHaveLength(1)
  })

  test('one of several endpoints is its home where it says so', () => {
    const second = { id: 'coder-two', uri: 'https://two.agents/', kind: 'agent', agent: 'coder' }
    const change = (documents: TenantDocuments) => {
      documents.resources.resources.push({ ...second, scopes: [] })
      agentOf(documents, 'coder')['home'] = 'coder-two'
    }
    expect(folder.load({ change }).agents.get('coder')?.home).toBe('coder-two')
  })

  test('durations are seconds or text, dates are RFC 3339, and defaults come from the limits', () => {
    const tenant = folder.load({
      change: (documents) => {
        documents.tenant['limits'] = { task_lifetime: '8h', token_lifetime: 90, max_depth: 2 }
        const type = taskTypeOf(documents)
        for (const member of ['max_depth', 'lifetime', 'token_lifetime']) delete type[member]
        agentOf(documents, 'coder')['expires'] = '2027-06-30'
        agentOf(documents, 'rogue')['expires'] = '2027-06-30T12:00:00+02:00'
      },
    })

    expect(tenant.limits).toMatchObject({ taskLifetime: 28_800, tokenLifetime: 90 })
    expect(tenant.taskTypes.get('file-work')).toMatchObject({
      maxDepth: 2,
      lifetime: 28_800,
      tokenLifetime: 90,
    })
    expect(tenant.agents.get('coder')?.expires).toBe(Date.UTC(2027, 5, 30) / 1000)
    expect(tenant.agents.get('rogue')?.expires).toBe(Date.UTC(2027, 5, 30, 10) / 1000)
  })

  test('a bearer binding loads with a warning', () => {
    writeTenantFolder(folder.root, 'acme', {
      change: (documents) => {
        agentOf(documents, 'coder')['binding'] = 'bearer'
      },
    })
    const result = loadTenants({ folder: folder.root, publicUrl })

    expect(result.kind).toBe('loaded')
    expect(result.warnings.map((warning) => warning.text)).toEqual([
      'tokens of "coder" work for whoever holds them; prefer "dpop"',
    ])
  })

  test('several tenants are told apart by their folders; dot names and files beside them are ignored', () => {
    writeTenantFolder(folder.root, 'acme')
    writeTenantFolder(folder.root, 'globex')
    mkdirSync(join(folder.root, '.git'))
    writeFileSync(join(folder.root, 'README.md'), 'tenants')
    const result = loadTenants({ folder: folder.root, publicUrl: `${publicUrl}/` })

    expect(
      result.kind === 'loaded' && [...result.tenants.values()].map(({ tenant }) => tenant.issuer),
    ).toEqual(['https://as.example.com/t/acme', 'https://as.example.com/t/globex'])
  })

  test('a folder mounted through symbolic links is read', () => {
    writeTenantFolder(join(folder.root, '..data'), 'acme')
    symlinkSync(join(folder.root, '..data', 'acme'), join(folder.root, 'acme'))
    expect(folder.problems()).toEqual([])
  })
})

describe('the version', () => {
  test('follows what the files say, not how they say it', () => {
    const first = folder.load().version
    expect(first).toMatch(/^[0-9a-f]{64}$/)

    const reordered = folder.load({
      change: (documents) => {
        documents.tenant = Object.fromEntries(Object.entries(documents.tenant).toReversed())
      },
    })
    expect(reordered.version).toBe(first)

    const widened = folder.load({
      change: (documents) => {
        agentOf(documents, 'coder')['scopes'] = ['files:read', 'files:write', 'mail:send']
      },
    })
    expect(widened.version).not.toBe(first)

    const turned = folder.load({
      change: (documents) => {
        taskTypeOf(documents)['scopes'] = ['pay:transfer', 'mail:send', 'files:write', 'files:read']
      },
    })
    expect(turned.version).not.toBe(first)
  })
})

describe('all problems at once, each with its place', () => {
  test('over several files and tenants, sorted', () => {
    const acme = writeTenantFolder(folder.root, 'acme')
    writeTenantFolder(folder.root, 'globex')
    writeFileSync(
      join(acme, 'agents.yaml'),
      [
        'agents:',
        '  - id: planner',
        '    owner: team@acme.example',
        '    class: orchestrater',
        '    scope: [files:read]',
        '    scopes: [files:raed]',
        '    may_reach: [files-ap]',
        '    auth: { method: private_key_jwt }',
        '  - owner: team@acme.example',
        '',
      ].join('\n'),
    )
    writeFileSync(join(folder.root, 'globex', 'tenant.yaml'), 'display_name: [\n')

    expect(folder.problems()).toEqual([
      'acme/agents.yaml:4:12: expected "retrieval" or "worker" or "orchestrator"; did you mean "orchestrator"?',
      'acme/agents.yaml:5:5: unknown key "scope"; did you mean "scopes"?',
      'acme/agents.yaml:6:14: unknown scope "files:raed"; did you mean "files:read"?',
      'acme/agents.yaml:7:17: unknown resource "files-ap"; did you mean "files-api"?',
      'acme/agents.yaml:9:5: missing key "id"',
      'acme/agents.yaml:9:5: missing key "class"',
      'acme/agents.yaml:9:5: missing key "scopes"',
      'acme/agents.yaml:9:5: missing key "may_reach"',
      'acme/agents.yaml:9:5: missing key "auth"',
      'acme/resources.yaml:5:12: unknown agent "researcher"',
      'acme/resources.yaml:13:12: unknown agent "coder"',
      'acme/resources.yaml:20:12: unknown agent "rogue"',
      'globex/tenant.yaml:2:1: not valid YAML: bad indent',
    ])
  })

  test('a folder that is missing, empty, or has no tenant does not start', () => {
    expect(folder.problems()).toEqual([`${folder.root}:1:1: no tenant here; each is a folder`])
    const missing = loadTenants({ folder: join(folder.root, 'none'), publicUrl })
    expect(missing.kind === 'refused' && missing.problems.map(({ text }) => text)).toEqual([
      'no such folder, or it cannot be read',
    ])
  })

  test('files that are missing, misnamed, too large, not text, or not files', () => {
    const acme = writeTenantFolder(folder.root, 'acme')
    rmSync(join(acme, 'tenant.yaml'))
    mkdirSync(join(acme, 'tenant.yaml'))
    renameSync(join(acme, 'agents.yaml'), join(acme, 'agent.yaml'))
    writeFileSync(join(acme, 'resources.yaml'), ' '.repeat(8 * 1024 * 1024 + 1))
    writeFileSync(join(acme, 'task-types.yaml'), Buffer.from([0x61, 0xff]))
    writeFileSync(join(acme, 'tests'), '')
    writeFileSync(join(acme, 'rules.cedar'), 'forbid (principal, action, resource);')
    writeFileSync(join(acme, 'policies', 'deny.txt'), 'forbid (principal, action, resource);')
    writeFileSync(join(acme, 'policies', 'Deny.cedar'), 'forbid (principal, action, resource);')
    mkdirSync(join(acme, 'policies', 'more'))
    mkdirSync(join(acme, 'policis'))
    writeFileSync(join(acme, 'README.md'), 'nothing to read')

    expect(folder.problems()).toEqual([
      'acme/agent.yaml:1:1: unknown file "agent.yaml"; did you mean "agents.yaml"?',
      'acme/agents.yaml:1:1: missing file',
      'acme/policies/Deny.cedar:1:1: not a file name here: a letter or digit, then up to 62 of a-z 0-9 _ -, then ".cedar"',
      'acme/policies/deny.txt:1:1: unknown file "policies/deny.txt": it must end in ".cedar"',
      'acme/policies/more:1:1: unknown file "policies/more": it must end in ".cedar"',
      'acme/policis:1:1: unknown folder "policis"; did you mean "policies"?',
      'acme/resources.yaml:1:1: larger than 8 MB',
      'acme/rules.cedar:1:1: unknown file "rules.cedar"',
      'acme/task-types.yaml:1:1: not UTF-8',
      'acme/tenant.yaml:1:1: not a regular file',
      'acme/tests:1:1: not a folder that can be read',
    ])
  })

  test.each([
    'Acme',
    'ac me',
    'аcme',
    'ａcme',
    '__proto__',
    'constructor',
    '-a',
    'a'.repeat(64),
    'a:b',
  ])('F04: a folder named %s is no tenant', (name) => {
    writeTenantFolder(folder.root, name)
    expect(folder.problems()).toHaveLength(1)
    expect(folder.problems()[0]).toMatch(/^[ -~]+ is not the id of a tenant$/)
  })
})
