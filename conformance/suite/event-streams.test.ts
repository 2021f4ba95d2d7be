/** Streams of security events: where they may go, when they rest, and what belongs together (OpenID SSF 1.0, RFC 8935). */
import { describe, expect } from 'vitest'
import { Client } from './client.ts'
import { profile } from './given.ts'
import { type Members, payloadOf } from './jwt.ts'
import { ask } from './manage.ts'
import { first, handover, issuer } from './scenario.ts'
import { verifies } from './verifies.ts'

// The other checks of events have the first receiver’s stream, and a receiver has one.
const { other_receiver: receiver, push_endpoint: push } = profile

describe.runIf(receiver !== undefined)('a stream', () => {
  function edr(): Client {
    if (receiver === undefined) throw new Error('no such receiver')
    return new Client(issuer, receiver)
  }

  /** Made anew; its id. */
  async function aStream(by: Client): Promise<string> {
    await clear(by)
    const made = await ask(by, 'ssf/stream', { method: 'POST', body: {} })
    expect(made.status).toBe(201)
    return String(made.json['stream_id'])
  }

  async function clear(by: Client): Promise<void> {
    for (const { stream_id: id } of (await ask(by, 'ssf/stream')).json as Iterable<Members>) {
      await ask(by, `ssf/stream?stream_id=${id}`, { method: 'DELETE' })
    }
  }

  /** What waits for it, as claims. */
  async function waiting(by: Client, id: string): Promise<readonly Members[]> {
    const body = { returnImmediately: true }
    const { json } = await ask(by, `ssf/poll/${id}`, { method: 'POST', body })
    return Object.values((json['sets'] ?? {}) as Record<string, string>).map(payloadOf)
  }

  if (push !== undefined) {
    verifies(
      '8935-4-01',
      'is pushed over TLS, to an address it may have, and not inside',
      async () => {
        const by = edr()
        await clear(by)
        const askFor = (endpoint_url: string) => {
          const delivery = { method: 'urn:ietf:rfc:8935', endpoint_url }
          return ask(by, 'ssf/stream', { method: 'POST', body: { delivery } })
        }
        const inside = ['https://127.0.0.1:9/x', 'https://[::1]:9/x', 'https://169.254.169.254/x']
        const plain = push.replace('https:', 'http:')
        for (const endpoint_url of [plain, 'siem.example', '', ...inside]) {
          const { status } = await askFor(endpoint_url)
          expect({ endpoint_url, status }).toEqual({ endpoint_url, status: 400 })
        }
        // Nothing but the address was wrong.
        expect((await askFor(push)).status).toBe(201)
        await clear(by)
      },
    )
  }

  verifies('SSF-4-05', 'tells what has one cause by its txn', async () => {
    const by = edr()
    const id = await aStream(by)
    const causes: unknown[] = []
    for (let times = 0; times < 2; times++) {
      const { txn } = payloadOf(await handover())
      causes.push(txn)
      const body = { reason: 'x' }
      expect((await ask(first, `tasks/${txn}/revoke`, { method: 'POST', body })).status).toBe(200)
    }
    const txns = (await waiting(by, id)).map(({ txn }) => String(txn))
    const ours = causes.map((cause) => txns.filter((txn) => txn.startsWith(String(cause))))
    for (const found of ours) expect(new Set(found).size).toBe(1)
    expect(ours[0]?.[0]).not.toBe(ours[1]?.[0])
  })

  verifies('SSF-7-03', 'that is paused gives nothing, and afterwards all in order', async () => {
    const by = edr()
    const id = await aStream(by)
    const setStatus = (status: string) =>
      ask(by, 'ssf/status', { method: 'POST', body: { stream_id: id, status } })
    expect((await setStatus('paused')).json['status']).toBe('paused')
    const causes: string[] = []
    for (let times = 0; times < 2; times++) {
      const { txn } = payloadOf(await handover())
      causes.push(String(txn))
      await ask(first, `tasks/${txn}/revoke`, { method: 'POST', body: { reason: 'x' } })
    }
    const found = async () =>
      (await waiting(by, id)).flatMap(({ txn }) => {
        const cause = causes.find((one) => String(txn).startsWith(one))
        return cause === undefined ? [] : [cause]
      })
    expect(await found()).toEqual([])
    expect((await setStatus('enabled')).json['status']).toBe('enabled')
    expect(await found()).toEqual(causes)
  })
})
