/** Private keys as sealed files: one file each, made once, opened again, destroyed when told. */
import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { KeyKeeper } from '../../keys/key-keeper.ts'
import { createSealedKeeper } from '../../keys/sealed-keeper.ts'
import { generatePrivateJwk } from '../../keys/signer.ts'
import { readVerificationKey, verifySignature } from '../../keys/verification-key.ts'
import { ALGORITHM_NAMES } from './public-keys.ts'

let dataFolder = ''
let keeper: KeyKeeper
beforeEach(() => {
  dataFolder = mkdtempSync(join(tmpdir(), 'actchain-keeper-'))
  keeper = createSealedKeeper({ dataFolder, secret: 'of this test' })
})
afterEach(() => rmSync(dataFolder, { recursive: true }))

/** Beside the spare one. */
const files = () => readdirSync(join(dataFolder, 'keys')).filter((name) => name !== '.spare')

describe.each(ALGORITHM_NAMES)('a sealed key of %s', (alg) => {
  test('is opened again as the one that was made', async () => {
    const made = await keeper.make('acme.1', alg)
    const again = await keeper.open('acme.1', alg)
    expect([again?.kid, again?.publicJwk]).toEqual([made.kid, made.publicJwk])
    const key = readVerificationKey(made.publicJwk, [alg])!
    const signature = Buffer.from((await again?.sign('a.b')) ?? '', 'base64url')
    expect(verifySignature(key, 'a.b', signature)).toBe(true)
  })

  test('that was made elsewhere is kept as it is', async () => {
    const key = generatePrivateJwk(alg)
    const kept = await keeper.import?.('acme.1', alg, key)
    expect((await keeper.open('acme.1', alg))?.kid).toBe(kept?.kid)
    const [name = ''] = files()
    expect(readFileSync(join(dataFolder, 'keys', name)).includes(key['d'] ?? '')).toBe(false)
    expect(statSync(join(dataFolder, 'keys', name)).mode & 0o777).toBe(0o600)
  })
})

test('a name has one key, however many make it', async () => {
  const makers = [keeper, createSealedKeeper({ dataFolder, secret: 'of this test' })]
  const made = await Promise.all([...makers, ...makers].map((one) => one.make('acme.1', 'ES256')))
  expect(new Set(made.map(({ kid }) => kid)).size).toBe(1)
  expect(files()).toEqual(['acme.1.sealed'])
})

test('a key that is not there is none, and destroying it again is no fault', async () => {
  expect(await keeper.open('acme.1', 'ES256')).toBeUndefined()
  await keeper.make('acme.1', 'ES256')
  await keeper.remove('acme.1')
  await keeper.remove('acme.1')
  expect(await keeper.open('acme.1', 'ES256')).toBeUndefined()
  expect(files()).toEqual([])
})

test('K04 the file of one key does not pass for another, nor a key for another algorithm', async () => {
  await keeper.make('acme.1', 'ES256')
  await expect(keeper.open('acme.1', 'EdDSA')).rejects.toThrow('does not fit EdDSA')
  const folder = join(dataFolder, 'keys')
  renameSync(join(folder, 'acme.1.sealed'), join(folder, 'acme.2.sealed'))
  await expect(keeper.open('acme.2', 'ES256')).rejects.toThrow('it was altered')
})

test('another secret opens nothing', async () => {
  await keeper.make('acme.1', 'ES256')
  const other = createSealedKeeper({ dataFolder, secret: 'another' })
  await expect(other.open('acme.1', 'ES256')).rejects.toThrow('ACTCHAIN_KEY_SECRET is not the one')
})
