/** RFC 9449 §8: an authorization server that asks for nonces. */
import { describe, expect } from 'vitest'
import { Client } from './client.ts'
import { profile } from './given.ts'
import type { Reply } from './http.ts'
import type { Claims } from './jwt.ts'
import { expectError, newId } from './scenario.ts'
import { verifies } from './verifies.ts'

describe.runIf(profile.nonces !== undefined)('a server that asks for nonces', () => {
  const setStage = () => {
    if (profile.nonces === undefined) throw new Error('no such server')
    const client = new Client(profile.nonces.issuer, profile.nonces.agent)
    const target = { resource: profile.nonces.api.uri }
    return (members: Claims = {}) => client.alone(target, { proof: members })
  }

  /** RFC 9449 §8: the error, and one nonce of the characters it allows. */
  function nonceAsked(reply: Reply): string {
    expectError(reply, 'use_dpop_nonce')
    const nonce = reply.headers['dpop-nonce']
    // Several headers arrive joined by a comma and a space.
    expect(nonce).toMatch(/^[\x21\x23-\x5b\x5d-\x7e]{16,}$/)
    expect(nonce).not.toContain(',')
    return String(nonce)
  }

  verifies('9449-8-01', 'a proof without one is told which', async () => {
    const ask = setStage()
    expect((await ask({ nonce: nonceAsked(await ask()) })).status).toBe(200)
  })

  verifies('9449-8-02', 'only its own are good', async () => {
    const ask = setStage()
    const good = nonceAsked(await ask())
    const others = [newId(), '', `${good}x`, good.slice(1), [good], null, 7, good.toUpperCase()]
    for (const nonce of others) nonceAsked(await ask({ nonce }))
    expect((await ask({ nonce: good })).status).toBe(200)
  })

  verifies('9449-11.3-01', 'and no proof without one is good afterwards', async () => {
    const ask = setStage()
    expect((await ask({ nonce: nonceAsked(await ask()) })).status).toBe(200)
    nonceAsked(await ask())
  })
})
