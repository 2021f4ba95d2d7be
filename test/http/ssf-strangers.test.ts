/** The door of transmitters, knocked at by a stranger in a loop: refused before any cryptography (attack case M05). */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { createTransmitter } from '../../server/http/ssf/transmitter.ts'
import { NO_TELEMETRY } from '../../server/use-cases/telemetry.ts'
import { aTenant } from '../core/facts.ts'
import { endingStage } from '../use-cases/ending-deps.ts'

test('M05: who failed too often is not read any more', async () => {
  const transmitter = {
    id: 'hr',
    issuer: 'https://hr.example',
    audience: 'https://as.example/t/acme',
    keys: { jwks: [] },
    algorithms: ['RS256'],
    subjectsOf: 'idp',
  } as const
  const stage = endingStage({ ...aTenant(), eventTransmitters: new Map([['hr', transmitter]]) })
  const failures: (string | undefined)[] = []
  let read = 0
  const server = createServer(
    createTransmitter({
      ...stage.deps,
      replay: stage.store.replay,
      telemetry: NO_TELEMETRY,
      eventKeys: () => ({ keys: [] }),
      readEvent: async () => {
        read += 1
        return { kind: 'event_fault', err: 'invalid_key', guard: 'key_unknown' }
      },
      peers: {
        isOver: () => failures.length >= 3,
        countFailure: (address) => void failures.push(address),
      },
      onFault: () => expect.unreachable(),
    }),
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const knock = async () =>
    fetch(`http://127.0.0.1:${port}/t/acme/ssf/receive/hr`, {
      method: 'POST',
      headers: { 'content-type': 'application/secevent+jwt' },
      body: 'a.b.c',
    })
  const statuses: number[] = []
  for (let n = 0; n < 6; n += 1) statuses.push((await knock()).status)
  expect(statuses).toEqual([400, 400, 400, 429, 429, 429])
  expect([read, stage.entries.length]).toEqual([3, 3])
  expect(failures).toEqual(Array(3).fill('127.0.0.1'))
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})
