/** Sessions of a token: few, one piece of work each, and none that saw a fault. By a library that counts. */
import { beforeEach, expect, test } from 'vitest'
import type { Pkcs11Module } from '../../keys/pkcs11-module.ts'
import { Sessions } from '../../keys/pkcs11-sessions.ts'

let opened = 0
let closed: number[] = []
let isFull = false
let sessions: Sessions
beforeEach(() => {
  opened = 0
  closed = []
  isFull = false
  const library: Pick<Pkcs11Module, 'C_OpenSession' | 'C_CloseSession'> = {
    C_OpenSession: () => {
      if (isFull) throw new Error('CKR_SESSION_COUNT:177')
      opened += 1
      return Buffer.of(opened)
    },
    C_CloseSession: (session) => void closed.push(session[0] ?? 0),
  }
  sessions = new Sessions(library as Pkcs11Module, Buffer.of(0))
})

/** The first one is the login's, lent to nobody. */
const LOGIN = 1

async function borrow(count: number): Promise<Buffer[]> {
  return Promise.all(Array.from({ length: count }, () => sessions.borrow()))
}

const settled = async (waiting: Promise<Buffer>): Promise<string> =>
  Promise.race([
    waiting.then(
      (session) => `session ${session[0]}`,
      (fault: Error) => fault.message,
    ),
    new Promise<string>((resolve) => setImmediate(() => resolve('waits'))),
  ])

test('three are lent at once, and who comes fourth gets the first that comes back', async () => {
  const [first] = await borrow(3)
  const fourth = sessions.borrow()
  expect(await settled(fourth)).toBe('waits')
  sessions.giveBack(first!)
  expect(await settled(fourth)).toBe(`session ${first![0]}`)
  expect(opened).toBe(LOGIN + 3)
})

test('what came back is lent again before another is opened', async () => {
  for (let turn = 0; turn < 5; turn += 1) sessions.giveBack((await borrow(1))[0]!)
  expect(opened).toBe(LOGIN + 1)
})

test('one that saw a fault is closed, and who waits gets a new one', async () => {
  const [first] = await borrow(3)
  const fourth = sessions.borrow()
  sessions.discard(first!)
  expect(closed).toEqual([first![0]])
  expect(await settled(fourth)).toBe('session 5')
})

test('where the device opens no more, those there are go round; where there is none, who asked is told', async () => {
  const [only] = await borrow(1)
  isFull = true
  const second = sessions.borrow()
  expect(await settled(second)).toBe('waits')
  sessions.giveBack(only!)
  expect(await settled(second)).toBe(`session ${only![0]}`)
  sessions.discard(only!)
  expect(await settled(sessions.borrow())).toBe('CKR_SESSION_COUNT:177')
})

test('a connection that is dropped lends nothing, tells who waits, and closes what comes back', async () => {
  const lent = await borrow(3)
  const fourth = sessions.borrow()
  sessions.drop()
  sessions.drop()
  expect(await settled(fourth)).toBe('CKR_SESSION_CLOSED')
  expect(await settled(sessions.borrow())).toBe('CKR_SESSION_CLOSED')
  expect(closed).toEqual([LOGIN])
  for (const session of lent) sessions.giveBack(session)
  expect(closed.toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4])
})
