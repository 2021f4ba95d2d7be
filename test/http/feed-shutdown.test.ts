/** Streams have no end of their own, so the server that stops has to end them: whole, and without waiting for anybody. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startSecondNode } from '../attacks/second-node.ts'
import { startAuthorizationServer, type TestServer } from '../support/authorization-server.ts'
import { EventStream } from './event-stream.ts'

let server: TestServer
beforeAll(async () => {
  server = await startAuthorizationServer()
})
afterAll(() => server.close())

const listen = (origin: string, tenant: string) =>
  EventStream.open(`${origin}/t/${tenant}/events`, { headers: { connection: 'keep-alive' } })

test('a server that is stopped ends its streams, and is there again for who comes back', async () => {
  const { publicUrl } = server.config
  const streams = await Promise.all(['acme', 'globex', 'acme'].map((id) => listen(publicUrl, id)))
  const told = await Promise.all(streams.map((stream) => stream.next()))
  await server.stop()
  // One that was cut at the end of the time for draining would not be whole.
  expect(await Promise.all(streams.map(({ ended }) => ended))).toEqual(['whole', 'whole', 'whole'])
  await expect(listen(publicUrl, 'acme')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  await server.start()
  const again = await EventStream.open(`${publicUrl}/t/acme/events`, {
    headers: { 'last-event-id': told[0]?.id ?? '' },
  })
  // What it is told starts where the one before ended.
  expect((await again.next()).id).toBe(told[0]?.id)
  again.close()
})

test('a process that is told to stop exits, whoever listens', async () => {
  const node = await startSecondNode(server)
  const streams = await Promise.all(Array.from({ length: 20 }, () => listen(node.origin, 'acme')))
  await Promise.all(streams.map((stream) => stream.next()))
  await node.close()
  expect(await Promise.all(streams.map(({ ended }) => ended))).toEqual(Array(20).fill('whole'))
})
