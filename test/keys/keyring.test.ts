/** A keyring: keys that sign and verify; and one key of an issuer: made once, the same for every process, readable with one secret. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { keyringOf, openKeyring } from '../../keys/keyring.ts'
import { createLocalSigner, generatePrivateJwk } from '../../keys/signer.ts'
import { verifySignature } from '../../keys/verification-key.ts'
import type { OpenOrder } from './opener.ts'
import { ALGORITHM_NAMES } from './public-keys.ts'

const SECRET = 'the-secret-of-the-operator'
let dataFolder = ''
const children: ChildProcess[] = []
beforeEach(() => {
  dataFolder = mkdtempSync(join(tmpdir(), 'actchain-keyring-'))
})
afterEach(async () => {
  for (const child of children.splice(0)) {
    const gone = once(child, 'exit')
    child.kill()
    await gone
  }
  rmSync(dataFolder, { recursive: true })
})

const place = (owner = 'acme', secret = SECRET) => ({ dataFolder, owner, secret })

describe.each(ALGORITHM_NAMES)('a keyring of %s', (alg) => {
  test('is made on first use and the same ever after', () => {
    const first = openKeyring(place(), alg)
    const again = openKeyring(place(), alg)
    expect(again.active.kid).toBe(first.active.kid)
    expect(again.jwks).toEqual(first.jwks)
    expect(readdirSync(join(dataFolder, 'keys'))).toEqual([`acme.${alg}.sealed`])
  })

  test('verifies what it signs, by the key its id names', async () => {
    const { active, verificationKeys } = openKeyring(place(), alg)
    const key = verificationKeys.get(active.kid)!
    const signature = Buffer.from(await active.sign('a.b'), 'base64url')
    expect(verifySignature(key, 'a.b', signature)).toBe(true)
    expect([...verificationKeys.keys()]).toEqual([active.kid])
  })

  test('publishes public members alone', () => {
    const { jwks, active } = openKeyring(place(), alg)
    const expected =
      alg === 'RS256' ? ['e', 'n'] : alg === 'EdDSA' ? ['crv', 'x'] : ['crv', 'x', 'y']
    expect(jwks.keys.map((key) => Object.keys(key).sort())).toEqual([
      ['alg', 'kid', 'kty', 'use', ...expected].sort(),
    ])
    expect(jwks.keys[0]).toMatchObject({ kid: active.kid, alg, use: 'sig' })
  })
})

test('owners and algorithms have keys of their own', () => {
  const kids = [
    openKeyring(place('acme'), 'ES256'),
    openKeyring(place('globex'), 'ES256'),
    openKeyring(place('acme'), 'EdDSA'),
  ].map(({ active }) => active.kid)
  expect(new Set(kids).size).toBe(3)
})

test('another secret is refused in a sentence that names the setting and no key or secret', () => {
  openKeyring(place(), 'ES256')
  const open = () => openKeyring(place('acme', 'the-wrong-secret'), 'ES256')
  expect(open).toThrow(
    `${join(dataFolder, 'keys', 'acme.ES256.sealed')} cannot be opened: it was altered, or ACTCHAIN_KEY_SECRET is not the one that sealed it`,
  )
  // Nothing is made in its place.
  expect(readdirSync(join(dataFolder, 'keys'))).toHaveLength(1)
})

test('the key of one owner does not pass for another’s', () => {
  openKeyring(place('acme'), 'ES256')
  const keys = join(dataFolder, 'keys')
  renameSync(join(keys, 'acme.ES256.sealed'), join(keys, 'globex.ES256.sealed'))
  expect(() => openKeyring(place('globex'), 'ES256')).toThrow('was altered')
})

test('processes that start together agree on one key', async () => {
  const openers = await Promise.all(Array.from({ length: 3 }, startOpener))
  for (const tenant of ['acme', 'globex', 'initech', 'umbrella']) {
    const kids = await Promise.all(openers.map((opener) => ask(opener, [dataFolder, tenant])))
    expect(new Set(kids).size).toBe(1)
  }
  expect(readdirSync(join(dataFolder, 'keys'))).toHaveLength(4)
}, 60_000) // three processes of their own

test('a signer without a usable public half makes no keyring', () => {
  const signer = createLocalSigner(generatePrivateJwk('ES256'), 'ES256')
  expect(() => keyringOf({ ...signer, publicJwk: { kty: 'EC' } })).toThrow('no usable public half')
})

test('keys that do not sign verify, each for its own algorithm', () => {
  const [active, next, last] = ALGORITHM_NAMES.map((alg) =>
    createLocalSigner(generatePrivateJwk(alg), alg),
  )
  const keyring = keyringOf(active!, [next!.publicJwk, last!.publicJwk])
  const signers = [active!, next!, last!]
  expect(keyring.active).toBe(active)
  expect(keyring.jwks.keys).toEqual(signers.map(({ publicJwk }) => publicJwk))
  expect([...keyring.verificationKeys].map(([kid, { alg }]) => [kid, alg])).toEqual(
    signers.map(({ kid, alg }) => [kid, alg]),
  )
})

async function startOpener(): Promise<ChildProcess> {
  const child = fork(join(import.meta.dirname, 'opener.ts'), {
    execArgv: ['--conditions=actchain:source'],
  })
  children.push(child)
  await once(child, 'message')
  return child
}

async function ask(child: ChildProcess, order: OpenOrder): Promise<unknown> {
  const answer = once(child, 'message')
  child.send(order)
  const [kid] = await answer
  return kid
}
