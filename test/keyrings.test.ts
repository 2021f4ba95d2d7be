/** Keyrings of tenants in one process: read from the records, opened when they sign, killed keys let go. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { KeyKeeper } from '../keys/key-keeper.ts'
import { createSealedKeeper } from '../keys/sealed-keeper.ts'
import { verifySignature } from '../keys/verification-key.ts'
import { PUBLISHED_AFTER, withKey, withoutKilled } from '../server/core/key-plan.ts'
import type { Tenant } from '../server/core/tenant.ts'
import { createKeyrings, type Keyrings } from '../server/keyrings.ts'
import type { TenantVersions } from '../server/use-cases/ports.ts'
import {
  addKey,
  ensureFirstKey,
  followAlgorithm,
  replaceLostKey,
  type SigningKeysDeps,
} from '../server/use-cases/signing-keys.ts'
import { aTenant } from './core/facts.ts'
import { aClock, type SettableClock } from './store/contract.ts'
import { MemoryTenantVersions } from './support/memory-store.ts'

const CACHE = 600
/** Seconds from the plan to the first signature. */
const WAIT = 2 * CACHE + 1

let dataFolder: string
let clock: SettableClock
let versions: MemoryTenantVersions
let keeper: KeyKeeper
let keyrings: Keyrings
let faults: unknown[]
let deps: SigningKeysDeps

beforeEach(async () => {
  dataFolder = mkdtempSync(join(tmpdir(), 'actchain-keyrings-'))
  clock = aClock()
  versions = new MemoryTenantVersions()
  keeper = createSealedKeeper({ dataFolder, secret: 'of this test' })
  faults = []
  keyrings = openProcess()
  deps = { clock, versions, keys: keyrings }
  await ensureFirstKey(deps, 'acme', 'ES256')
})
afterEach(() => rmSync(dataFolder, { recursive: true }))

/** As another process on the same data folder and store has it. */
function openProcess(): Keyrings {
  const onFault = (fault: unknown) => void faults.push(fault)
  return createKeyrings({ versions, clock, keepers: [keeper], onFault })
}

/** As it is live. */
function tenant(parts: Partial<Tenant> = {}): Tenant {
  const keysKilled = versions.live('acme').signingKeys.killed.length
  return { ...aTenant(), keyCachePeriod: CACHE, keysKilled, ...parts }
}

const advance = (seconds: number) => clock.set(clock.now() + seconds)
/** Those of keys: room for one more is beside them. */
const files = () =>
  readdirSync(join(dataFolder, 'keys'))
    .filter((name) => name !== '.spare')
    .sort()
const active = (of: Keyrings = keyrings) => of.keyringOf(tenant()).active
const kids = (of: Keyrings = keyrings) => of.keyringOf(tenant()).jwks.keys.map(({ kid }) => kid)

async function rotate(of: SigningKeysDeps = deps): Promise<{ kid: string; from: number }> {
  const added = await addKey(of, tenant(), (number) => of.keys.make('acme', number, 'ES256'))
  if (added.kind !== 'added') throw new Error(added.kind)
  return added.key
}

async function kill(kid: string): Promise<void> {
  const number = await versions.reserveKeyNumber('acme')
  const heir = { number, ...(await keyrings.make('acme', number, 'ES256')), from: 0 }
  const now = clock.now()
  const left = withoutKilled(versions.live('acme').signingKeys, kid, { now, heir })
  if (typeof left === 'string') throw new Error(left)
  expect(await versions.setSigningKeys('acme', left)).toBe('changed')
}

describe('K03 a planned rotation', () => {
  test('publishes the next key at once, signs with it two cache periods later, and is one keyring in between', async () => {
    const before = keyrings.keyringOf(tenant())
    const next = await rotate()
    const planned = keyrings.keyringOf(tenant())
    expect(planned.active.kid).toBe(before.active.kid)
    expect(kids()).toEqual([before.active.kid, next.kid])
    expect(next.from).toBe(clock.now() + WAIT)
    advance(WAIT - 1)
    expect(keyrings.keyringOf(tenant())).toBe(planned)
    advance(1)
    expect(active().kid).toBe(next.kid)
    expect(kids()).toEqual([next.kid, before.active.kid])
  })

  test('a keyring that was taken before signs on, for what is under way', async () => {
    const before = keyrings.keyringOf(tenant())
    await rotate()
    advance(WAIT)
    const signature = Buffer.from(await before.active.sign('a.b'), 'base64url')
    const key = keyrings.keyringOf(tenant()).verificationKeys.get(before.active.kid)!
    expect(verifySignature(key, 'a.b', signature)).toBe(true)
  })

  test('keeps the old key published until the last token it signed has ended, and its file no longer', async () => {
    const { kid } = active()
    await rotate()
    advance(WAIT + PUBLISHED_AFTER - 1)
    expect(kids()).toContain(kid)
    expect(files()).toEqual(['acme.1.sealed', 'acme.2.sealed'])
    advance(1)
    expect(kids()).not.toContain(kid)
    await vi.waitFor(() => expect(files()).toEqual(['acme.2.sealed']))
    expect(faults).toEqual([])
  })

  test('a clock set back goes back to the key of then', async () => {
    const first = active()
    const next = await rotate()
    advance(WAIT)
    expect(active().kid).toBe(next.kid)
    advance(-1)
    expect(active().kid).toBe(first.kid)
    await expect(active().sign('a.b')).resolves.toBeTypeOf('string')
  })

  test('whatever else of the tenant changes, the keyring is the same', async () => {
    const before = keyrings.keyringOf(tenant())
    await versions.setDisabled('acme', 'planner', { disabled: true, expected: undefined })
    expect(keyrings.keyringOf(tenant())).toBe(before)
  })
})

describe('a private key', () => {
  test('is opened by nobody who only verifies, and once by those who sign', async () => {
    const open = vi.spyOn(keeper, 'open')
    const keyring = openProcess().keyringOf(tenant())
    expect([keyring.verificationKeys.size, keyring.jwks.keys.length]).toEqual([1, 1])
    expect(open).not.toHaveBeenCalled()
    await Promise.all(['a.b', 'c.d', 'e.f'].map((input) => keyring.active.sign(input)))
    expect(open).toHaveBeenCalledTimes(1)
  })

  test('is let go once another one signs', async () => {
    const before = keyrings.keyringOf(tenant())
    await before.active.sign('a.b')
    await rotate()
    advance(WAIT)
    await active().sign('a.b')
    const open = vi.spyOn(keeper, 'open')
    await before.active.sign('a.b')
    await before.active.sign('a.b')
    await active().sign('a.b')
    expect(open.mock.calls).toEqual([
      ['acme.1', 'ES256'],
      ['acme.1', 'ES256'],
    ])
  })

  test('that cannot be opened now can be later', async () => {
    const again = openProcess()
    vi.spyOn(keeper, 'open').mockRejectedValueOnce(new Error('the disk'))
    await expect(active(again).sign('a.b')).rejects.toThrow('the disk')
    await expect(active(again).sign('a.b')).resolves.toBeTypeOf('string')
  })

  test('that is gone, or another than was recorded, signs nothing', async () => {
    const other = await keeper.make('acme.77', 'ES256')
    vi.spyOn(keeper, 'open').mockResolvedValueOnce(undefined).mockResolvedValueOnce(other)
    await expect(active().sign('a.b')).rejects.toThrow('not where it was kept')
    await expect(active().sign('a.b')).rejects.toThrow('another one than was recorded')
  })

  test('of a crash between file and record is nobody’s: the next one has a name of its own', async () => {
    const lost = await keyrings.make('acme', await versions.reserveKeyNumber('acme'), 'ES256')
    expect(kids()).not.toContain(lost.kid)
    const next = await rotate()
    expect(next.kid).not.toBe(lost.kid)
    expect(files()).toEqual(['acme.1.sealed', 'acme.2.sealed', 'acme.3.sealed'])
    advance(WAIT)
    await expect(active().sign('a.b')).resolves.toBeTypeOf('string')
  })
})

describe('K04 a kill', () => {
  test('whoever still holds the tenant of before gets no key at all', async () => {
    const before = tenant()
    const killed = keyrings.keyringOf(before).active.kid
    await kill(killed)
    expect(() => keyrings.keyringOf(before)).toThrow('the signing key was killed')
    expect(kids()).toHaveLength(1)
    expect(kids()).not.toContain(killed)
  })

  test('the killed key signs nothing more, in any process that had it open', async () => {
    const there = openProcess()
    const held = [active(), active(there)]
    await Promise.all(held.map((signer) => signer.sign('a.b')))
    await kill(held[0]!.kid)
    for (const signer of held) {
      await expect(signer.sign('a.b')).rejects.toThrow('the signing key was killed')
    }
    await vi.waitFor(() => expect(files()).toEqual(['acme.2.sealed']))
  })

  test('what is being signed when it comes is not answered', async () => {
    const { promise: released, resolve: release } = Promise.withResolvers<void>()
    const real = await keeper.open('acme.1', 'ES256')
    vi.spyOn(keeper, 'open').mockResolvedValueOnce({
      ...real!,
      sign: async (input) => {
        await released
        return real!.sign(input)
      },
    })
    const signing = active().sign('a.b')
    await kill(real!.kid)
    release()
    await expect(signing).rejects.toThrow('the signing key was killed')
  })

  test('of the next or a retired key leaves the one in use', async () => {
    const first = active()
    const next = await rotate()
    await kill(next.kid)
    expect(kids()).toEqual([first.kid])
    const second = await rotate()
    advance(WAIT)
    await kill(first.kid)
    expect(kids()).toEqual([second.kid])
    await expect(active().sign('a.b')).resolves.toBeTypeOf('string')
  })

  test('a file that cannot be removed is told, and tried again at the next start', async () => {
    const remove = vi.spyOn(keeper, 'remove').mockRejectedValue(new Error('read-only'))
    await kill(active().kid)
    active()
    await vi.waitFor(() => expect(faults).toHaveLength(1))
    remove.mockRestore()
    active(openProcess())
    await vi.waitFor(() => expect(files()).toEqual(['acme.2.sealed']))
  })
})

describe('who plans at once', () => {
  test('makes one key: the record that is first wins, and the other key is destroyed', async () => {
    const there = { clock, versions, keys: openProcess() }
    const plans = await Promise.allSettled([rotate(), rotate(there)])
    expect(plans.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
    expect(kids()).toHaveLength(2)
    expect(files()).toHaveLength(2)
  })

  /** A store in which somebody else plans a key right after it was read this often. */
  function plannedAfter(reads: number): TenantVersions {
    let left = reads
    const live: TenantVersions['live'] = (id) => {
      const read = versions.live(id)
      if (--left === 0) {
        const key = { ...versions.live('acme').signingKeys.keys[0]!, number: 77, kid: 'theirs' }
        const from = clock.now() + WAIT
        const planned = withKey(versions.live('acme').signingKeys, { ...key, from }, clock.now())
        void versions.setSigningKeys('acme', planned) // done before it returns
      }
      return read
    }
    return new Proxy(versions, {
      get: (of, name) => {
        if (name === 'live') return live
        const member: unknown = Reflect.get(of, name)
        return typeof member === 'function' ? member.bind(of) : member
      },
    })
  }

  const published = () => versions.live('acme').signingKeys.keys.map(({ kid }) => kid)

  test.each([1, 2])('K03 one key waits, whoever records after read %i', async (reads) => {
    const [{ kid } = { kid: '' }] = versions.live('acme').signingKeys.keys
    await expect(rotate({ ...deps, versions: plannedAfter(reads) })).rejects.toThrow('waiting')
    expect(published()).toEqual([kid, 'theirs'])
    expect(files()).toEqual(['acme.1.sealed'])
  })

  test.each([1, 2])(
    'a lost key has one heir, the one that waits, if it is planned after read %i',
    async (reads) => {
      const [{ kid } = { kid: '' }] = versions.live('acme').signingKeys.keys
      const heir = await replaceLostKey({ ...deps, versions: plannedAfter(reads) }, tenant(), 1)
      expect(heir).toMatchObject({ kid: 'theirs', from: clock.now() })
      expect(published()).toEqual([kid, 'theirs'])
      expect(files()).toEqual(['acme.1.sealed'])
    },
  )

  test('a first key is one first key', async () => {
    const there = { clock, versions, keys: openProcess() }
    await Promise.all([deps, there].map((each) => ensureFirstKey(each, 'globex', 'ES256')))
    expect(versions.live('globex').signingKeys.keys).toHaveLength(1)
    expect(files().filter((name) => name.startsWith('globex'))).toHaveLength(1)
  })
})

describe('a key whose file is lost', () => {
  const lose = () => rmSync(join(dataFolder, 'keys', 'acme.1.sealed'))

  test('is found at the start, and another signs from then on; what it signed stays good', async () => {
    const { kid } = active()
    lose()
    const again = openProcess()
    const lost = await again.findLost(tenant())
    expect(lost?.kid).toBe(kid)
    const next = await replaceLostKey(deps, tenant(), lost!.number)
    expect(kids(again)).toEqual([next?.kid, kid])
    await expect(active(again).sign('a.b')).resolves.toBeTypeOf('string')
    expect(await again.findLost(tenant())).toBeUndefined()
    expect(await replaceLostKey(deps, tenant(), lost!.number)).toBeUndefined()
  })

  test('gives way to the one that waits, where one does', async () => {
    const next = await rotate()
    lose()
    expect(await replaceLostKey(deps, tenant(), 1)).toMatchObject({
      kid: next.kid,
      from: clock.now(),
    })
    expect(files()).toEqual(['acme.2.sealed'])
  })
})

describe('another algorithm', () => {
  const algs = () => keyrings.keyringOf(tenant()).jwks.keys.map(({ alg }) => alg)
  const follow = (signingAlgorithm: Tenant['signingAlgorithm']) =>
    followAlgorithm(deps, tenant({ signingAlgorithm }))

  test('is planned as a rotation, once, and begins when that does', async () => {
    const planned = await follow('EdDSA')
    expect(planned).toMatchObject({ alg: 'EdDSA', from: clock.now() + WAIT })
    expect(await follow('EdDSA')).toBeUndefined()
    expect(active().alg).toBe('ES256')
    expect(algs()).toEqual(['ES256', 'EdDSA'])
    advance(WAIT)
    expect(active().alg).toBe('EdDSA')
    await expect(active().sign('a.b')).resolves.toBeTypeOf('string')
  })

  test('that is taken back before it began is no rotation at all', async () => {
    const { kid } = active()
    await follow('EdDSA')
    expect(await follow('ES256')).toBeUndefined()
    expect([kids(), files()]).toEqual([[kid], ['acme.1.sealed']])
  })

  test('that changes again is the last one said', async () => {
    await follow('EdDSA')
    expect(await follow('RS256')).toMatchObject({ alg: 'RS256' })
    expect(algs()).toEqual(['ES256', 'RS256'])
  })
})
