/** Keyrings of tenants in one process: opened when needed, killed keys let go. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Tenant } from '../server/core/tenant.ts'
import { createKeyrings, type Keyrings } from '../server/keyrings.ts'
import { aTenant } from './core/facts.ts'

let dataFolder = ''
let keyrings: Keyrings
beforeEach(() => {
  dataFolder = mkdtempSync(join(tmpdir(), 'actchain-keyrings-'))
  keyrings = createKeyrings({ dataFolder, secret: 'of this test' })
})
afterEach(() => rmSync(dataFolder, { recursive: true }))

const at = (keyEpoch: number, signingAlgorithm: Tenant['signingAlgorithm'] = 'ES256'): Tenant => ({
  ...aTenant(),
  signingAlgorithm,
  keyEpoch,
})

test('a keyring is opened once, whatever else of the tenant changes', () => {
  expect(keyrings.keyringOf(at(0))).toBe(keyrings.keyringOf(at(0)))
  expect(keyrings.keyringOf(at(0, 'EdDSA'))).not.toBe(keyrings.keyringOf(at(0)))
})

test('K04 who still holds the tenant of before the kill gets no key at all', () => {
  const killed = keyrings.keyringOf(at(0))
  const next = keyrings.keyringOf(at(1))
  expect(next.active.kid).not.toBe(killed.active.kid)
  expect(() => keyrings.keyringOf(at(0))).toThrow('the signing key was killed')
  expect(keyrings.keyringOf(at(1))).toBe(next)
})

test('K04 the key that comes next is made before it is used, and is the one that follows', () => {
  const before = keyrings.keyringOf(at(0))
  keyrings.makeNext(at(0))
  expect(keyrings.keyringOf(at(0))).toBe(before)
  const made = readdirSync(join(dataFolder, 'keys')).length
  const [next] = keyrings.list(at(1))
  expect(readdirSync(join(dataFolder, 'keys'))).toHaveLength(made)
  expect(next).toEqual({ kid: keyrings.keyringOf(at(1)).active.kid, alg: 'ES256' })
})
