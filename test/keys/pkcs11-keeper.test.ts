/** Keys in a token of SoftHSM: made there, used there, and nowhere else. */
import { execFile } from 'node:child_process'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { createPkcs11Keeper, type Pkcs11Keeper } from '../../keys/pkcs11-keeper.ts'
import {
  type Attribute,
  CKA,
  CKM,
  DeviceRefused,
  type Pkcs11Module,
} from '../../keys/pkcs11-module.ts'
import type { Signer } from '../../keys/signer.ts'
import { readVerificationKey, verifySignature } from '../../keys/verification-key.ts'
import { makeToken, NO_SOFTHSM, PIN, type SoftHsm } from '../support/softhsm.ts'

const NODE = fileURLToPath(new URL('../../node_modules/.bin/node', import.meta.url))
const PROCESS = fileURLToPath(new URL('../support/pkcs11-process.ts', import.meta.url))

/** Functions that the keeper has no use for. */
interface WholeModule extends Pkcs11Module {
  C_CloseAllSessions(slot: Buffer): void
  C_Logout(session: Buffer): void
  C_GenerateKeyPair(
    session: Buffer,
    mechanism: { readonly mechanism: number },
    publicHalf: readonly Attribute[],
    privateHalf: readonly Attribute[],
  ): unknown
}

async function isSignedBy(signer: Signer): Promise<boolean> {
  const signature = await signer.sign('some text')
  return isSigned(signer.publicJwk, signer.alg, 'some text', signature)
}

function isSigned(
  publicJwk: Signer['publicJwk'],
  alg: Signer['alg'],
  text: string,
  signature: string,
): boolean {
  const key = readVerificationKey(publicJwk, [alg])
  return key !== undefined && verifySignature(key, text, Buffer.from(signature, 'base64url'))
}

const title = NO_SOFTHSM === undefined ? 'a PKCS#11 token' : `a PKCS#11 token (${NO_SOFTHSM})`

describe.skipIf(NO_SOFTHSM !== undefined)(title, () => {
  let hsm: SoftHsm
  let keeper: Pkcs11Keeper
  beforeAll(() => {
    hsm = makeToken()
    keeper = createPkcs11Keeper(hsm.place)
  })
  afterAll(async () => {
    await keeper.close()
    hsm.remove()
  })

  /** The same library in this process, as others would use it. */
  function besides(): {
    readonly module: WholeModule
    readonly slot: Buffer
    readonly session: () => Buffer
  } {
    const { PKCS11 } = createRequire(import.meta.url)('pkcs11js') as {
      readonly PKCS11: new () => WholeModule
    }
    const module = new PKCS11()
    module.load(hsm.place.module)
    const slot = module
      .C_GetSlotList(true)
      .find((one) => module.C_GetTokenInfo(one).label.trimEnd() === hsm.place.token)
    if (slot === undefined) throw new Error('the token is not there')
    return { module, slot, session: () => module.C_OpenSession(slot, 6) }
  }

  function makeOther(label: string, isExtractable: boolean): void {
    const { module, session } = besides()
    const opened = session()
    const both = [
      { type: CKA.TOKEN, value: true },
      { type: CKA.LABEL, value: label },
    ]
    module.C_GenerateKeyPair(
      opened,
      { mechanism: CKM.EC_KEY_PAIR_GEN },
      [...both, { type: CKA.EC_PARAMS, value: Buffer.from('06082a8648ce3d030107', 'hex') }],
      [
        ...both,
        { type: CKA.SIGN, value: true },
        { type: CKA.SENSITIVE, value: !isExtractable },
        { type: CKA.EXTRACTABLE, value: isExtractable },
      ],
    )
    module.C_CloseSession(opened)
  }

  describe('a key', () => {
    test.each(['ES256', 'RS256', 'EdDSA'] as const)(
      '%s is made, signs what anybody can verify, and is found again',
      async (alg) => {
        const name = `acme.${alg.toLowerCase()}`
        const made = await keeper.make(name, alg)
        expect(made.publicJwk).toMatchObject({ alg, use: 'sig', kid: made.kid })
        expect(await isSignedBy(made)).toBe(true)
        const opened = await keeper.open(name, alg)
        expect(opened?.publicJwk).toEqual(made.publicJwk)
        expect(opened !== undefined && (await isSignedBy(opened))).toBe(true)
        expect((await keeper.make(name, alg)).kid).toBe(made.kid)
      },
    )

    test('that is not there is none, and one of another algorithm is a fault', async () => {
      await keeper.make('acme.first', 'ES256')
      expect(await keeper.open('acme.second', 'ES256')).toBeUndefined()
      await expect(keeper.open('acme.first', 'RS256')).rejects.toThrow('does not fit RS256')
    })

    test('does not come out of the token, and none is put in', async () => {
      await keeper.make('acme.inside', 'ES256')
      const { module, session } = besides()
      const opened = session()
      module.C_FindObjectsInit(opened, [
        { type: CKA.CLASS, value: 3 },
        { type: CKA.LABEL, value: 'acme.inside' },
      ])
      const [key] = module.C_FindObjects(opened, 1)
      module.C_FindObjectsFinal(opened)
      const CKA_VALUE = 0x11
      expect(() =>
        module.C_GetAttributeValue(opened, key ?? Buffer.alloc(0), [{ type: CKA_VALUE }]),
      ).toThrow('CKR_ATTRIBUTE_SENSITIVE')
      module.C_CloseSession(opened)
      expect(keeper.import).toBeUndefined()
    })

    test('that is removed is gone, also for who held it', async () => {
      const made = await keeper.make('acme.killed', 'ES256')
      await keeper.remove('acme.killed')
      await keeper.remove('acme.killed')
      expect(await keeper.open('acme.killed', 'ES256')).toBeUndefined()
      await expect(made.sign('x')).rejects.toThrow('no key acme.killed any more')
    })

    test('that others put there is not used where it may leave, or where there are two', async () => {
      await keeper.connect()
      makeOther('acme.loose', true)
      await expect(keeper.open('acme.loose', 'ES256')).rejects.toThrow('may leave it')
      makeOther('acme.twice', false)
      makeOther('acme.twice', false)
      await expect(keeper.open('acme.twice', 'ES256')).rejects.toThrow('several keys')
    })
  })

  describe('many', () => {
    test('signatures at once are each right, on few sessions', async () => {
      const signer = await keeper.make('acme.busy', 'ES256')
      const texts = Array.from({ length: 60 }, (_, at) => `text ${at}`)
      const signatures = await Promise.all(texts.map((text) => signer.sign(text)))
      const isRight = texts.map((text, at) =>
        isSigned(signer.publicJwk, 'ES256', text, signatures[at] ?? ''),
      )
      expect(isRight).not.toContain(false)
    })

    test('processes see each other\u2019s keys', async () => {
      const { module, token } = hsm.place
      const names = ['acme.there', 'globex.there']
      // One after the other: SoftHSM does not find its token while another process writes to it.
      const said: { readonly stdout: string }[] = []
      for (const name of names)
        said.push(
          await promisify(execFile)(
            NODE,
            ['--conditions=actchain:source', PROCESS, module, token, PIN, name],
            { env: { PATH: process.env['PATH'], SOFTHSM2_CONF: hsm.configuration } },
          ),
        )
      for (const [at, { stdout }] of said.entries()) {
        const { publicJwk, signature } = JSON.parse(stdout)
        const here = await keeper.open(names[at] ?? '', 'ES256')
        expect(here?.publicJwk).toEqual(publicJwk)
        expect(isSigned(publicJwk, 'ES256', 'said elsewhere', signature)).toBe(true)
      }
    })

    test('keepers share the library: closing one leaves the other what it has', async () => {
      const signer = await keeper.make('acme.shared', 'ES256')
      const second = createPkcs11Keeper(hsm.place)
      expect((await second.open('acme.shared', 'ES256'))?.kid).toBe(signer.kid)
      await second.close()
      await second.close()
      expect(await isSignedBy(signer)).toBe(true)
      await expect(second.open('acme.shared', 'ES256')).rejects.toThrow('was closed')
    })
  })

  describe('what is lost', () => {
    test('sessions are opened again, in the middle of work', async () => {
      const signer = await keeper.make('acme.lost', 'ES256')
      const { module, slot } = besides()
      const during = Array.from({ length: 6 }, () => isSignedBy(signer))
      module.C_CloseAllSessions(slot)
      expect(await Promise.all(during)).not.toContain(false)
      expect(await isSignedBy(signer)).toBe(true)
    })

    test('a token that logged us out has not lost its keys', async () => {
      const signer = await keeper.make('acme.hidden', 'ES256')
      const { module, session } = besides()
      module.C_Logout(session())
      expect((await keeper.open('acme.hidden', 'ES256'))?.kid).toBe(signer.kid)
      module.C_Logout(session())
      expect(await isSignedBy(signer)).toBe(true)
    })
  })

  describe('what the operator has to change', () => {
    const refusalOf = async (changed: Partial<SoftHsm['place']>): Promise<string> => {
      const other = createPkcs11Keeper({ ...hsm.place, ...changed })
      const refusal = await caught(other.connect())
      await caught(other.connect())
      await other.close()
      expect(refusal).toBeInstanceOf(DeviceRefused)
      return String((refusal as Error).message)
    }

    test('a PIN that is wrong, which is tried once and told nobody', async () => {
      // Logged in already, a token asks for no PIN.
      await keeper.close()
      const reveal = vi.fn(() => 'another-pin')
      const text = await refusalOf({ pin: { reveal } })
      expect(text).toBe(
        'ACTCHAIN_PKCS11_PIN does not log in to the token "actchain-tests": CKR_PIN_INCORRECT.',
      )
      expect(reveal).toHaveBeenCalledTimes(1)
      keeper = createPkcs11Keeper(hsm.place)
    })

    test('a label no token has', async () => {
      expect(await refusalOf({ token: 'elsewhere' })).toBe(
        'ACTCHAIN_PKCS11_TOKEN is "elsewhere", and no token of the device has that label.',
      )
    })

    test('a library that is none', async () => {
      expect(await refusalOf({ module: '/nowhere/library.so' })).toBe(
        'ACTCHAIN_PKCS11_MODULE is /nowhere/library.so, which is no library that loads.',
      )
    })
  })
})

async function caught(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (fault: unknown) => fault,
  )
}

test('without the package the operator is told what to install', async () => {
  vi.doMock('pkcs11js', () => {
    throw new Error('Cannot find package')
  })
  const keeper = createPkcs11Keeper({ module: '/any', token: 't', pin: { reveal: () => 'p' } })
  await expect(keeper.connect()).rejects.toThrow(
    'the npm package pkcs11js is not installed or not built; run npm install --no-save pkcs11js@2.1.7',
  )
  vi.doUnmock('pkcs11js')
})
