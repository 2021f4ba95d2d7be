/** Threats H02: a parent is revoked while an exchange of its token is under way, wherever that exchange is just then. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Fault, type FaultyServer, startFaultyServer } from './faulty-server.ts'

let server: FaultyServer
beforeAll(async () => {
  server = await startFaultyServer()
})
afterAll(() => server.close())

const open = async (): Promise<string> => {
  const opened = await server.planner.open(server.idToken(), { audience: 'researcher-a2a' })
  return opened.body['access_token']
}

/** From the look at the parent to the entry on record: what the exchange waits for. */
const MOMENTS: readonly Fault[] = ['find hop', 'allocate', 'record hop', 'mint']

describe('H02 a revocation overtakes an exchange', () => {
  test.each(MOMENTS)('that waits at: %s', async (moment) => {
    const { planner, researcher } = server
    const parent = await open()
    const held = server.hold(moment)
    const asking = researcher.exchange(parent, { audience: 'files-api', scope: 'files:read' })
    await held.reached
    expect((await planner.revoke(parent)).status).toBe(200)
    held.release()
    const answer = await asking
    const child: string | undefined = answer.body['access_token']
    // Refused, or dead before anyone can use it: which one is a matter of the moment.
    if (child === undefined) {
      expect(answer.status).toBe(400)
      expect(answer.body['reason']).toBe('subject_token_revoked')
    } else {
      expect((await researcher.introspect(child)).body).toEqual({ active: false })
    }
    expect(moment === 'mint').toBe(child !== undefined)
    expect((await planner.introspect(parent)).body).toEqual({ active: false })
  })

  test('a child that was answered before is as dead', async () => {
    const { planner, researcher } = server
    const parent = await open()
    const child = (await researcher.exchange(parent, { audience: 'files-api' })).body
    expect((await researcher.introspect(child['access_token'])).body['active']).toBe(true)
    await planner.revoke(parent)
    expect((await researcher.introspect(child['access_token'])).body).toEqual({ active: false })
  })
})
