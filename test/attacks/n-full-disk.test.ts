/**
 * Threat N04 where the disk is full in truth: a file system of a few megabytes. Nothing is issued, what ends something is
 * acknowledged and on record, and once there is room again everything goes on.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type AdminClient, operatorOf } from '../support/admin-client.ts'
import type { Answer } from '../support/agent-client.ts'
import { startAuthorizationServer, type TestServer } from '../support/authorization-server.ts'
import { readEntries } from '../support/embedded-store.ts'
import { type ManageClient, operatorAt } from '../support/manage-client.ts'
import { payloadOf } from '../support/signing.ts'
import { tokenOf } from './fixture.ts'

const DISK = '40m'
const ENDINGS = new Set(['revoke_task', 'disable_agent', 'kill_key'])
const folder = mkdtempSync(join(tmpdir(), 'actchain-full-'))
const ballast = join(folder, 'ballast')
const why = mountDisk()

/** Why there is none; undefined where there is. */
function mountDisk(): string | undefined {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK}`, 'tmpfs', folder], { stdio: 'pipe' })
    return undefined
  } catch {
    return 'only root may mount a disk of a few megabytes'
  }
}

/** To its last octet. */
function fillDisk(): void {
  let octets = 64 * 1024
  for (let at = 0; octets >= 1; at += 1) {
    try {
      writeFileSync(`${ballast}-${at}`, Buffer.alloc(octets))
    } catch {
      octets = Math.floor(octets / 4)
    }
  }
}

function freeDisk(): void {
  execFileSync('sh', ['-c', 'rm -f "$0"-*', ballast])
}

afterAll(() => {
  if (why === undefined) execFileSync('umount', ['-l', folder])
  rmSync(folder, { recursive: true, force: true })
})

describe.skipIf(why !== undefined)(`N04 a full disk${why === undefined ? '' : ` (${why})`}`, () => {
  let server: TestServer
  let operator: ManageClient
  let admin: AdminClient
  const open = (user: string): Promise<Answer> =>
    server.client('planner').open(server.idToken(user), { audience: 'researcher-a2a' })

  const disable = async (agent: string): Promise<Answer> => {
    const path = `/tenants/acme/agents/${agent}`
    const etag = (await admin.get(path)).headers.get('etag') ?? ''
    return admin.send('PUT', path, { body: { disabled: true }, headers: { 'if-match': etag } })
  }
  /** Entries of what was ended, that can be read. */
  const revocations = (): number =>
    readEntries(join(folder, 'data')).filter(
      ({ outcome, action }) => outcome === 'permit' && ENDINGS.has(action ?? ''),
    ).length

  beforeAll(async () => {
    server = await startAuthorizationServer({
      environment: { ACTCHAIN_DATA: join(folder, 'data') },
    })
    operator = await operatorAt(server)
    admin = await operatorOf(server)
  })
  afterAll(async () => {
    freeDisk()
    await server?.close()
  })

  test('issues nothing and ends everything; then it has room again, and all of it is on record', async () => {
    const tokens = await Promise.all(
      ['alice', 'bob', 'carol'].map(async (user) => tokenOf(await open(user))),
    )
    const txns = tokens.map((token) => String(payloadOf(token)['txn']))
    fillDisk()
    expect(statfsSync(folder).bavail).toBe(0)
    // The last page of the log has some room left.
    let user = 0
    while ((await open(`last-${user}`)).status === 200) user += 1
    expect(user).toBeLessThan(20)
    for (let each = 0; each < 20; each += 1) {
      const answer = await open(`user-${each}`)
      expect([answer.status, answer.body['reason']]).toEqual([503, 'unavailable'])
    }
    for (const txn of txns) {
      const revoked = await operator.post(`tasks/${txn}/revoke`, { reason: 'it went wrong' })
      expect([revoked.status, revoked.body['state']]).toEqual([200, 'revoked'])
    }
    expect((await disable('coder')).status).toBe(200)
    // Nor has it to be one who was signed in before.
    expect((await operatorAt(server)).token).toMatch(/^eyJ/)
    expect((await open('nobody')).status).toBe(503)
    expect(revocations()).toBe(0)
    const { body } = await admin.get('/tenants/acme/keys')
    const [{ kid }] = body['items']
    const killed = await admin.post('/tenants/acme/keys/kill', { kid, reason: 'it was stolen' })
    expect([killed.status, killed.body]).toEqual([200, { kid, killed: true }])
    freeDisk()
    await expect.poll(revocations, { timeout: 20_000 }).toBe(5)
    expect((await open('dave')).status).toBe(200)
    for (const token of tokens) {
      const { body: answer } = await server.client('researcher').introspect(token)
      expect(answer['active']).toBe(false)
    }
  })
})
