/**
 * Private keys in a token of a PKCS#11 device: they are made in it and never leave it. A key's label is its name, so one token is
 * for one installation.
 */
import type { SignatureAlgorithm } from './algorithm.ts'
import type { KeyKeeper } from './key-keeper.ts'
import { Pkcs11Device, type Pkcs11Place, type Session } from './pkcs11-device.ts'
import { findPrivateKey, makePair, readPublicHalf, removePair, signWith } from './pkcs11-objects.ts'
import { namePublicKey, type Signer } from './signer.ts'
import { readVerificationKey, verifySignature } from './verification-key.ts'

export interface Pkcs11Keeper extends KeyKeeper {
  readonly kind: 'pkcs11'
  /** Logs in now instead of at the first use. Throws DeviceRefused where the operator has to change something. */
  connect(): Promise<void>
  close(): Promise<void>
}

/** Nothing is loaded before the first use. A key that was made elsewhere stays elsewhere: there is no import. */
export function createPkcs11Keeper(place: Pkcs11Place): Pkcs11Keeper {
  const device = new Pkcs11Device(place)

  function signerOf(session: Session, name: string, alg: SignatureAlgorithm): Signer {
    const publicJwk = namePublicKey(readPublicHalf(session, name, alg), alg)
    return {
      alg,
      kid: publicJwk.kid,
      publicJwk,
      sign: (signingInput) =>
        device.use(async (lent) => {
          const key = findPrivateKey(lent, name, alg)
          if (key === undefined) throw new Error(`the PKCS#11 token has no key ${name} any more`)
          return (await signWith(lent, key, alg, signingInput)).toString('base64url')
        }),
    }
  }

  async function open(name: string, alg: SignatureAlgorithm): Promise<Signer | undefined> {
    const signer = await device.use(async (session) =>
      findPrivateKey(session, name, alg) === undefined ? undefined : signerOf(session, name, alg),
    )
    if (signer !== undefined) await proveHalves(signer)
    return signer
  }

  return {
    kind: 'pkcs11',
    open,
    make: async (name, alg) => {
      await device.use(async (session) => {
        if (findPrivateKey(session, name, alg) === undefined) await makePair(session, name, alg)
      })
      const made = await open(name, alg)
      if (made === undefined) throw new Error(`the PKCS#11 token lost the new key ${name}`)
      return made
    },
    remove: (name) => device.use(async (session) => removePair(session, name)),
    connect: () => device.connect(),
    close: () => device.close(),
  }
}

/** Labels are whatever someone wrote: a public half that is not the private one's would be published for nothing. */
async function proveHalves(signer: Signer): Promise<void> {
  const { publicJwk, alg } = signer
  const key = readVerificationKey(publicJwk, [alg])
  const shown = 'actchain'
  const signature = Buffer.from(await signer.sign(shown), 'base64url')
  if (key === undefined || !verifySignature(key, shown, signature)) {
    throw new Error('a key of the PKCS#11 token does not go with its public half')
  }
}
