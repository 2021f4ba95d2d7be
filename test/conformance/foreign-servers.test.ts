/** The runner on servers of others: what they offer is asked of them, and where they differ is told. */
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  type RunningServer,
  SECRET,
  startPlainProvider,
  startProviderWithKeys,
} from '../support/plain-provider.ts'
import { outcomesOf, runConformance } from '../support/run-conformance.ts'
import { startWorkersProvider, type WorkersProvider } from '../support/workers-provider.ts'

const folder = mkdtempSync(join(tmpdir(), 'actchain-foreign-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Each run is a process with workers of its own. */
const LONG = { timeout: 120_000 }

/** Ids with one outcome. */
const idsOf = (outcomes: Readonly<Record<string, string>>, wanted: string): readonly string[] =>
  Object.entries(outcomes).flatMap(([id, outcome]) => (outcome === wanted ? [id] : []))

describe('oidc-provider, with secrets, over plain HTTP', () => {
  let server: RunningServer
  const file = join(folder, 'plain.yaml')
  beforeAll(async () => {
    server = await startPlainProvider()
    // As in conformance/README.md.
    writeFileSync(
      file,
      `issuer: ${server.origin}
features:
  jwt_access_tokens: false
agents:
  second:
    client_id: worker
    client_secret: \${WORKER_SECRET}
api:
  uri: https://files.api
  read: files:read
  write: files:write
`,
    )
  })
  afterAll(() => server.stop())

  test('fails where it is known to differ, and is not asked for an exchange', LONG, async () => {
    const asked = ['8693-', '6749-', '7662-', '7009-', '8414-'].flatMap((id) => ['--only', id])
    const end = await runConformance(['--target', file, '--json', ...asked], {
      WORKER_SECRET: SECRET,
    })
    const outcomes = outcomesOf(end)
    expect(idsOf(outcomes, 'failed')).toEqual([
      // It sends no Pragma.
      '6749-5.1-02',
      // Who does not authenticate is a bad request to it, not a client that fails.
      '6749-5.2-03',
      // A scope that it does not know is passed over.
      '6749-5.2-06',
      '7662-2.1-03',
      // Over plain HTTP.
      '8414-2-01',
    ])
    expect(idsOf(outcomes, 'passed').length).toBeGreaterThan(25)
    const exchanges = Object.entries(outcomes).filter(([id]) => id.startsWith('8693-2'))
    expect(exchanges.filter(([, outcome]) => outcome !== 'not_offered')).toEqual([])
    expect(end.stdout).not.toContain(SECRET)
  })
})

describe('oidc-provider, with keys and proofs', () => {
  let server: RunningServer
  const file = join(folder, 'keys.yaml')
  beforeAll(async () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const jwk = { ...privateKey.export({ format: 'jwk' }), kid: 'worker-1', alg: 'ES256' }
    server = await startProviderWithKeys(jwk)
    const profile = {
      issuer: server.origin,
      // Of tokens that are JWTs it has neither.
      features: { introspection: false, revocation: false },
      agents: { second: { client_id: 'worker', jwk } },
      api: { uri: 'https://files.api', read: 'files:read', write: 'files:write' },
    }
    writeFileSync(file, JSON.stringify(profile))
  })
  afterAll(() => server.stop())

  test('is asked about proofs, client assertions and JWTs', LONG, async () => {
    const asked = ['9449-', '7523', '7521-', '9068-'].flatMap((id) => ['--only', id])
    const outcomes = outcomesOf(await runConformance(['--target', file, '--json', ...asked]))
    expect(idsOf(outcomes, 'failed')).toEqual([
      // An assertion that is no JWT is a bad request to it.
      '7523-2.2-01',
      // The token endpoint is an audience as well.
      '7523bis-3-01',
      // Tokens and proofs authenticate a client that signed them.
      '7523bis-3.2-01',
      '7523-3-09',
      // %74 is no t.
      '9449-4.3-05',
    ])
    // What RFCs leave open fails nobody: an assertion a week old, the code for a proof that comes again.
    expect(idsOf(outcomes, 'warned')).toEqual(['7523-3-06', '9449-11.1-01'])
    expect(idsOf(outcomes, 'passed').length).toBeGreaterThan(25)
  })
})

describe('@cloudflare/workers-oauth-provider, which exchanges tokens', () => {
  let server: WorkersProvider
  const file = join(folder, 'workers.yaml')
  beforeAll(async () => {
    server = await startWorkersProvider()
    const profile = {
      issuer: server.origin,
      features: { jwt_access_tokens: false },
      agents: { second: server.client },
      subject: { type: 'access_token', token: server.token },
      api: { uri: server.resource, read: 'files:read', write: 'files:write' },
      other_api: { uri: 'https://mail.api', scope: 'mail:send' },
    }
    writeFileSync(file, JSON.stringify(profile))
  })
  afterAll(() => server.stop())

  test('passes over actor tokens and audiences, in either mode', LONG, async () => {
    const run = (mode: string, only: string) =>
      runConformance(['--target', file, '--json', '--mode', mode, '--only', only])
    const [strict, lenient] = [await run('strict', '8693-2'), await run('lenient', '8693-2.1-0')]
    const expected = [
      // A JSON body is a form without a grant to it.
      '8693-2.1-02',
      // An actor token, its type, and what is wrong with either.
      '8693-2.1-05',
      '8693-2.1-06',
      '8693-2.1-07',
      '8693-2.1-09',
      '8693-2.2.2-02',
      // An audience nobody has.
      '8693-2.2.2-04',
      '8693-2.2.2-05',
    ]
    expect(idsOf(outcomesOf(strict), 'failed')).toEqual(expected)
    // A token came back, or a code that is no other's: nothing of it is excused.
    const half = expected.filter((id) => id.startsWith('8693-2.1-0'))
    expect(idsOf(outcomesOf(lenient), 'failed')).toEqual(half)
    expect(idsOf(outcomesOf(strict), 'passed').length).toBeGreaterThan(15)
    for (const { stdout } of [strict, lenient]) {
      expect(stdout).not.toContain(server.token)
      expect(stdout).not.toContain(server.client.client_secret)
    }
  })
})
