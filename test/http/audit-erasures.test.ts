/** What a tenant keeps of people's words, from the request to the file, and how it goes. */
import { existsSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { logFolder, textsPath } from '../../server/audit/log-paths.ts'
import { type Stage, setStage } from '../attacks/fixture.ts'
import { readLog } from '../support/embedded-store.ts'
import { clientOf, type ManageClient, operatorAt, personAt } from '../support/manage-client.ts'
import { payloadOf } from '../support/signing.ts'

let stage: Stage
let planner: ManageClient
let admin: ManageClient
beforeAll(async () => {
  stage = await setStage()
  planner = await clientOf(stage.planner)
  admin = await personAt(stage.server, 'dave', { roles: ['admin'] })
})
afterAll(() => stage.close())

const files = () => stage.server.config.dataFolder
const kept = (): string[] => {
  const text = readFileSync(textsPath(logFolder(files(), 'acme')), 'latin1')
  return text.split('\n').filter((line) => line !== '')
}
const entries = (tenant = 'acme') => readLog(files(), tenant).map((line) => JSON.parse(line))
const isErased = (line: string | undefined): boolean => /"sealed":"\.+"/.test(line ?? '')

async function end(reason: string, user = 'alice', form = {}): Promise<string> {
  const opened = await stage.planner.open(stage.server.idToken(user), form)
  const txn = String(payloadOf(String(opened.body['access_token']))['txn'])
  expect((await planner.post(`tasks/${txn}/revoke`, { reason })).status).toBe(200)
  return txn
}

const erase = (body: unknown, by = admin) => by.post('audit/erasures', body)

describe('words', () => {
  test('are sealed beside the log where the tenant keeps them, and in no entry', async () => {
    const txn = await end('his laptop was stolen', 'alice', { purpose: 'find the report' })
    const globex = await stage.server
      .client('planner', 'globex')
      .open(stage.server.idToken(), { purpose: 'find it' })
    expect(globex.status).toBe(200)
    const entry = entries().findLast((one) => one.txn === txn)
    expect(entry).toMatchObject({ code: 'task.revoked', digests: { because: expect.any(String) } })
    expect(kept()).toHaveLength(2)
    expect(existsSync(textsPath(logFolder(files(), 'globex')))).toBe(false)
    expect(JSON.parse(kept()[1] ?? '')).toEqual({ ref: entry.ref, sealed: expect.any(String) })
    for (const text of [...readLog(files(), 'acme'), ...kept()]) {
      for (const word of ['laptop', 'report']) expect(text).not.toContain(word)
    }
  })

  test('are erased by task, by subject and by entry; the log stays what it was', async () => {
    const [byTask, others] = [await end('one'), await end('two', 'bob')]
    await end('three', 'bob')
    const before = readLog(files(), 'acme')
    const size = kept().length
    expect((await erase({ txn: byTask })).body).toEqual({ entries: 1 })
    expect(kept().slice(-3).map(isErased)).toEqual([true, false, false])
    const { ref } = entries().find(({ txn, code }) => txn === others && code === 'task.revoked')
    expect((await erase({ ref })).body).toEqual({ entries: 1 })
    expect(kept().slice(-3).map(isErased)).toEqual([true, true, false])
    expect((await erase({ subject: 'bob' })).body).toEqual({ entries: 1 })
    expect(kept().slice(-3).map(isErased)).toEqual([true, true, true])
    expect((await erase({ subject: 'bob' })).body).toEqual({ entries: 0 })
    expect(isErased(kept()[0])).toBe(false)
    expect(kept()).toHaveLength(size)
    const after = readLog(files(), 'acme')
    expect(after.slice(0, before.length)).toEqual(before)
    expect(entries().slice(before.length)).toMatchObject([
      { code: 'audit.texts_erased', author: 'idp:dave', txn: byTask, texts_erased: 1 },
      { code: 'audit.texts_erased', query: { ref }, texts_erased: 1 },
      { code: 'audit.texts_erased', subject: 'bob', texts_erased: 1 },
      { code: 'audit.texts_erased', subject: 'bob', texts_erased: 0 },
    ])
  })

  test('are erased by an admin alone, and an attempt of others is on record', async () => {
    for (const by of [
      planner,
      await operatorAt(stage.server),
      await personAt(stage.server, 'dave', { roles: ['reviewer', 'helpdesk', 'policy_author'] }),
    ]) {
      const { status, body } = await erase({ subject: 'alice' }, by)
      expect([status, body['reason']]).toEqual([403, 'role_required'])
      expect(entries().at(-1)).toMatchObject({ code: 'audit.erasure_refused' })
    }
    for (const body of [{}, { txn: 'x' }, { subject: 'a', ref: 'A'.repeat(22) }]) {
      expect((await erase(body)).status).toBe(400)
    }
    expect(isErased(kept()[0])).toBe(false)
  })

  test('of a task of another tenant are not there', async () => {
    const txn = await end('mine')
    const elsewhere = await personAt(stage.server, 'dave', { roles: ['admin'], tenant: 'globex' })
    expect((await erase({ txn }, elsewhere)).body).toEqual({ entries: 0 })
    expect(isErased(kept().at(-1))).toBe(false)
  })
})
