/** Threats H08: a store that was lost has forgotten every revocation. What it knew of tokens is not confirmed by its successor. */
import { createHash } from 'node:crypto'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { createVerifier, VerificationError } from '@actchain/verifier'
import { statusLists } from '@actchain/verifier/status'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startAuthorizationServer, type TestServer } from '../support/authorization-server.ts'
import { tokenOf } from './fixture.ts'

let server: TestServer
beforeAll(async () => {
  server = await startAuthorizationServer({ tenants: { acme: () => {} } })
})
afterAll(() => server?.close())

test('H08 tokens of a store that was lost are unknown within the bound, though the feed goes on', async () => {
  const planner = server.client('planner')
  const revoked = tokenOf(await planner.open(server.idToken(), { audience: 'files-api' }))
  await planner.revoke(revoked)
  const token = tokenOf(await planner.open(server.idToken('bob'), { audience: 'files-api' }))
  const freshness = 3
  const verifier = createVerifier({
    issuer: server.issuer(),
    audience: 'https://files.api',
    allowInsecureLoopback: true,
    revocation: statusLists({ freshness }),
  })
  const url = 'https://files.api/entries'
  const verdict = async (): Promise<string> => {
    const ath = createHash('sha256').update(token).digest('base64url')
    const proof = planner.proof({ proof: { htm: 'GET', htu: url, ath } })
    const shown = { token, proof, method: 'GET', url, scheme: 'DPoP' } as const
    return verifier.verify(shown, { scope: 'files:read' }).then(
      () => 'accepted',
      (error: unknown) => {
        if (error instanceof VerificationError) return error.reason
        throw error
      },
    )
  }
  try {
    expect(await verdict()).toBe('accepted')
    await server.stop()
    rmSync(join(server.config.dataFolder, 'store'), { recursive: true })
    await server.start()
    const back = performance.now()
    // Something changes in the new store, too: its messages name lists and numbers of its own.
    await planner.revoke(tokenOf(await planner.open(server.idToken('carol'), {})))
    let said = await verdict()
    while (said === 'accepted' && performance.now() - back < (freshness + 5) * 1000) {
      await new Promise((resolve) => setTimeout(resolve, 50))
      said = await verdict()
    }
    expect(said).toBe('revocation_unknown')
    expect((await planner.introspect(token)).body).toEqual({ active: false })
  } finally {
    verifier.close()
  }
})
