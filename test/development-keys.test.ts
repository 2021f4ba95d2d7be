/** Development keys on disk: private files, one key however many processes ask, nothing secret in the tenant. */
import { execFile } from 'node:child_process'
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { calculateJwkThumbprint, importJWK } from 'jose'
import { describe, expect, test } from 'vitest'
import type { Agent, Tenant } from '../server/core/tenant.ts'
import {
  developmentKeyFile,
  ensureDevelopmentKey,
  ensureDevelopmentKeys,
  findDevelopmentKey,
} from '../server/development-keys.ts'
import { permitAll } from './core/facts.ts'

const run = promisify(execFile)

function dataFolder(): string {
  return mkdtempSync(join(tmpdir(), 'actchain-keys-'))
}

function anAgent(id: string, development: boolean): Agent {
  return {
    id,
    owner: 'team',
    class: 'worker',
    purpose: undefined,
    scopes: new Set(),
    mayReach: new Set(),
    defaultTarget: undefined,
    home: id,
    auth: { method: 'private_key_jwt', jwks: [], development },
    issuerClients: new Map(),
    binding: 'dpop',
    expires: undefined,
    disabled: false,
    registeredAt: undefined,
  }
}

function aTenant(...agents: readonly Agent[]): Tenant {
  return {
    id: 'acme',
    issuer: 'http://127.0.0.1:8460/t/acme',
    displayName: 'Acme',
    version: 'v1',
    signingAlgorithm: 'ES256',
    limits: {
      maxDepth: 4,
      taskLifetime: 900,
      tokenLifetime: 300,
      tokensPerPlace: 9,
      tokensPerTask: 9,
      requestsPerClient: 100_000,
      requestsPerTenant: 1_000_000,
      requestsPerTask: 100_000,
    },
    trustedIssuers: new Map(),
    eventReceivers: new Map(),
    eventTransmitters: new Map(),
    keysKilled: 0,
    keyCachePeriod: 600,
    dpopNonces: false,
    keptTexts: new Set(),
    trustDomains: new Map(),
    certificateAuthorities: new Map(),
    workloadIssuers: new Map(),
    attesters: new Map(),
    disabledSubjects: new Set(),
    agents: new Map(agents.map((agent) => [agent.id, agent])),
    resources: new Map(),
    resourcesByUri: new Map(),
    scopes: new Map(),
    taskTypes: new Map(),
    roles: [],
    rules: permitAll,
  }
}

function keysOf(agent: Agent | undefined) {
  return agent?.auth.method === 'private_key_jwt' ? agent.auth.jwks : []
}

describe('ensureDevelopmentKeys', () => {
  test('gives each agent that asks a key pair of its own, and leaves the others alone', async () => {
    const folder = dataFolder()
    const given = aTenant(
      anAgent('planner', true),
      anAgent('mailer', true),
      anAgent('other', false),
    )
    const tenant = ensureDevelopmentKeys({ dataFolder: folder, tenant: given })
    const [planner, mailer, other] = [...tenant.agents.values()].map(keysOf)
    expect(planner).toHaveLength(1)
    expect(mailer![0]!['kid']).not.toBe(planner![0]!['kid'])
    expect(other).toEqual([])
    expect(keysOf(given.agents.get('planner'))).toEqual([])
    expect({ ...tenant, agents: 0 }).toEqual({ ...given, agents: 0 })
  })

  test('puts only the public half into the tenant, named by its thumbprint', async () => {
    const given = aTenant(anAgent('planner', true))
    const tenant = ensureDevelopmentKeys({ dataFolder: dataFolder(), tenant: given })
    const jwk = keysOf(tenant.agents.get('planner'))[0]!
    expect(Object.keys(jwk).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'])
    expect(jwk['kid']).toBe(await calculateJwkThumbprint(jwk))
    expect(await importJWK(jwk, 'ES256')).toMatchObject({ type: 'public' })
  })

  test('keeps a key that is there', async () => {
    const folder = dataFolder()
    const given = aTenant(anAgent('planner', true))
    const first = ensureDevelopmentKeys({ dataFolder: folder, tenant: given })
    const again = ensureDevelopmentKeys({ dataFolder: folder, tenant: given })
    expect(again.agents.get('planner')).toEqual(first.agents.get('planner'))
  })

  test('makes files and folders that nobody else can read', async () => {
    const folder = dataFolder()
    ensureDevelopmentKeys({ dataFolder: folder, tenant: aTenant(anAgent('planner', true)) })
    const file = developmentKeyFile(folder, 'acme', 'planner')
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(statSync(dirname(file)).mode & 0o777).toBe(0o700)
    expect(statSync(dirname(dirname(file))).mode & 0o777).toBe(0o700)
  })
})

describe('one key file', () => {
  test('is one key however many processes make it at once', async () => {
    const file = join(dataFolder(), 'deep', 'planner.jwk')
    const source = new URL('../server/development-keys.ts', import.meta.url).href
    const script = `import { ensureDevelopmentKey } from ${JSON.stringify(source)}
      const keys = await Promise.all(Array.from({ length: 8 }, () => ensureDevelopmentKey(${JSON.stringify(file)})))
      console.log(JSON.stringify(keys.map((key) => key.kid)))`
    const args = ['--input-type=module', '-e', script]
    const outputs = await Promise.all([1, 2, 3].map(() => run(process.execPath, args)))
    const kids = outputs.flatMap(({ stdout }) => JSON.parse(stdout) as string[])
    expect(kids).toHaveLength(24)
    expect(new Set(kids).size).toBe(1)
    expect(readdirSync(dirname(file))).toEqual(['planner.jwk'])
  })

  test('is refused when others can read it', async () => {
    const file = join(dataFolder(), 'a.jwk')
    await ensureDevelopmentKey(file)
    chmodSync(file, 0o640)
    await expect(ensureDevelopmentKey(file)).rejects.toThrow('open to others; chmod 600 it')
  })

  test('is refused when damaged, without repeating it, and never replaced', async () => {
    const file = join(dataFolder(), 'a.jwk')
    writeFileSync(file, '{"kty":"EC","d":"sentinel"}', { mode: 0o600 })
    const refusal = ensureDevelopmentKey(file)
    await expect(refusal).rejects.toThrow('is not an ES256 key')
    await expect(refusal).rejects.not.toThrow('sentinel')
    expect(readFileSync(file, 'utf8')).toContain('sentinel')
  })

  test('is not looked for behind a link', async () => {
    const folder = dataFolder()
    await ensureDevelopmentKey(join(folder, 'real.jwk'))
    symlinkSync('real.jwk', join(folder, 'a.jwk'))
    await expect(findDevelopmentKey(join(folder, 'a.jwk'))).rejects.toThrow('ELOOP')
  })

  test.each(['../x', 'a/b', '', 'A', '.'])('is never named by an id like %j', (id) => {
    expect(() => developmentKeyFile('/data', 'acme', id)).toThrow(TypeError)
    expect(() => developmentKeyFile('/data', id, 'planner')).toThrow(TypeError)
  })
})
