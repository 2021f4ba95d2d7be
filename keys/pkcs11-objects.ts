/** Key pairs as objects of a token: how each algorithm's are made, found by their label, read and used. */
import { createHash } from 'node:crypto'
import type { SignatureAlgorithm } from './algorithm.ts'
import type { Session } from './pkcs11-device.ts'
import {
  type Attribute,
  CKA,
  CKK,
  CKM,
  CKO,
  CKS_RW_USER_FUNCTIONS,
  DeviceRefused,
} from './pkcs11-module.ts'

interface PairFacts {
  readonly keyType: number
  readonly generate: number
  /** What a new public half is asked to be. */
  readonly asked: readonly Attribute[]
  readonly sign: number
  /** The device signs the digest; undefined: it hashes by itself. */
  readonly digest?: 'sha256'
  readonly signatureBytes: number
  readonly read: readonly number[]
  /** Public JWK members of what was read. */
  readonly members: (...values: readonly Buffer[]) => Readonly<Record<string, string>>
}

/** RFC 5480 §2.1.1.1 and RFC 8410 §3: object identifiers of the curves, in DER. */
const P256 = Buffer.from('06082a8648ce3d030107', 'hex')
const ED25519 = Buffer.from('06032b6570', 'hex')

const PAIRS: Readonly<Record<SignatureAlgorithm, PairFacts>> = {
  ES256: {
    keyType: CKK.EC,
    generate: CKM.EC_KEY_PAIR_GEN,
    asked: [{ type: CKA.EC_PARAMS, value: P256 }],
    // Signature is r and s side by side, as RFC 7518 §3.4 has it.
    sign: CKM.ECDSA,
    digest: 'sha256',
    signatureBytes: 64,
    read: [CKA.EC_POINT],
    members: (encoded = Buffer.alloc(0)) => {
      const point = pointOf(encoded, 65)
      if (point[0] !== 4) throw new Error('a key of the PKCS#11 token has no uncompressed point')
      const [x, y] = [text(point.subarray(1, 33)), text(point.subarray(33))]
      return { kty: 'EC', crv: 'P-256', x, y }
    },
  },
  EdDSA: {
    keyType: CKK.EC_EDWARDS,
    generate: CKM.EC_EDWARDS_KEY_PAIR_GEN,
    asked: [{ type: CKA.EC_PARAMS, value: ED25519 }],
    sign: CKM.EDDSA,
    signatureBytes: 64,
    read: [CKA.EC_POINT],
    members: (encoded = Buffer.alloc(0)) => ({
      kty: 'OKP',
      crv: 'Ed25519',
      x: text(pointOf(encoded, 32)),
    }),
  },
  RS256: {
    keyType: CKK.RSA,
    generate: CKM.RSA_PKCS_KEY_PAIR_GEN,
    asked: [
      { type: CKA.MODULUS_BITS, value: 2048 },
      { type: CKA.PUBLIC_EXPONENT, value: Buffer.from([1, 0, 1]) },
    ],
    sign: CKM.SHA256_RSA_PKCS,
    signatureBytes: 512,
    read: [CKA.MODULUS, CKA.PUBLIC_EXPONENT],
    members: (n = Buffer.alloc(0), e = Buffer.alloc(0)) => ({
      kty: 'RSA',
      n: text(withoutZeros(n)),
      e: text(withoutZeros(e)),
    }),
  },
}

const HALVES = [CKO.PRIVATE_KEY, CKO.PUBLIC_KEY] as const

/** Handles of the token's objects of a class and label. Throws where the session sees public objects only. */
export function findObjects(session: Session, name: string, kind: number): readonly Buffer[] {
  const { module, handle } = session
  module.C_FindObjectsInit(handle, [
    { type: CKA.CLASS, value: kind },
    { type: CKA.TOKEN, value: true },
    { type: CKA.LABEL, value: name },
  ])
  const found = module.C_FindObjects(handle, 2)
  module.C_FindObjectsFinal(handle)
  // A token that has logged us out hides private keys: what is not seen is not known to be gone.
  if (found.length === 0 && module.C_GetSessionInfo(handle).state !== CKS_RW_USER_FUNCTIONS) {
    throw new Error('CKR_USER_NOT_LOGGED_IN')
  }
  return found
}

/** The private key of this name; undefined where there is none. Throws unless it is one, of its algorithm, and cannot leave. */
export function findPrivateKey(
  session: Session,
  name: string,
  alg: SignatureAlgorithm,
): Buffer | undefined {
  const known = session.keys.get(`${alg} ${name}`)
  if (known !== undefined) return known
  const found = findObjects(session, name, CKO.PRIVATE_KEY)
  const [key] = found
  if (key === undefined) return undefined
  if (found.length > 1)
    throw new Error(`the PKCS#11 token has several keys ${name}: remove all but one`)
  const [type, sensitive, extractable] = session.module.C_GetAttributeValue(session.handle, key, [
    { type: CKA.KEY_TYPE },
    { type: CKA.SENSITIVE },
    { type: CKA.EXTRACTABLE },
  ])
  // CK_ULONG in the machine's order; all that run Node are little-endian where a device's library is to be had.
  if (type?.value[0] !== PAIRS[alg].keyType) throw new Error(`the key ${name} does not fit ${alg}`)
  if (sensitive?.value[0] !== 1 || extractable?.value[0] !== 0) {
    throw new Error(`the key ${name} of the PKCS#11 token may leave it, so it is not used`)
  }
  session.keys.set(`${alg} ${name}`, key)
  return key
}

/** Public JWK members of the pair of this name. */
export function readPublicHalf(
  session: Session,
  name: string,
  alg: SignatureAlgorithm,
): Readonly<Record<string, string>> {
  const [half, second] = findObjects(session, name, CKO.PUBLIC_KEY)
  if (half === undefined || second !== undefined) {
    throw new Error(`the PKCS#11 token has not exactly one public key ${name}`)
  }
  const { read, members } = PAIRS[alg]
  const template = read.map((type) => ({ type }))
  const values = session.module.C_GetAttributeValue(session.handle, half, template)
  return members(...values.map(({ value }) => value))
}

/** Makes a pair of which the private half never leaves. Throws DeviceRefused where the token does not know the algorithm. */
export async function makePair(
  session: Session,
  name: string,
  alg: SignatureAlgorithm,
): Promise<void> {
  const { keyType, generate, asked, sign } = PAIRS[alg]
  const { module, slot, handle } = session
  const known = module.C_GetMechanismList(slot)
  if (!known.includes(generate) || !known.includes(sign)) {
    throw new DeviceRefused(`The PKCS#11 token neither makes nor uses keys for ${alg}.`)
  }
  const both: readonly Attribute[] = [
    { type: CKA.TOKEN, value: true },
    { type: CKA.LABEL, value: name },
    { type: CKA.ID, value: Buffer.from(name) },
    { type: CKA.KEY_TYPE, value: keyType },
  ]
  const publicHalf = [...both, { type: CKA.VERIFY, value: true }, ...asked]
  const privateHalf = [
    ...both,
    { type: CKA.PRIVATE, value: true },
    { type: CKA.SIGN, value: true },
    { type: CKA.SENSITIVE, value: true },
    { type: CKA.EXTRACTABLE, value: false },
  ]
  await module.C_GenerateKeyPairAsync(handle, { mechanism: generate }, publicHalf, privateHalf)
}

export function removePair({ module, handle, ...rest }: Session, name: string): void {
  rest.keys.clear()
  for (const kind of HALVES) {
    for (const object of findObjects({ module, handle, ...rest }, name, kind)) {
      module.C_DestroyObject(handle, object)
    }
  }
}

/** The signature over ASCII text, in the form JWS wants. */
export async function signWith(
  { module, handle }: Session,
  key: Buffer,
  alg: SignatureAlgorithm,
  signingInput: string,
): Promise<Buffer> {
  const { sign, digest, signatureBytes } = PAIRS[alg]
  const input = Buffer.from(signingInput, 'ascii')
  const data = digest === undefined ? input : createHash(digest).update(input).digest()
  const place = Buffer.alloc(signatureBytes)
  module.C_SignInit(handle, { mechanism: sign }, key)
  const signature = await module.C_SignAsync(handle, data, place)
  // The package hands the other thread addresses and holds nothing: what is used after the call lives as long as it.
  data.fill(0)
  return signature
}

/** CKA_EC_POINT is an OCTET STRING in DER; some devices leave its two octets of header out. */
function pointOf(encoded: Buffer, length: number): Buffer {
  if (encoded.length === length) return encoded
  if (encoded.length === length + 2 && encoded[0] === 4 && encoded[1] === length) {
    return encoded.subarray(2)
  }
  throw new Error('a key of the PKCS#11 token has a point of another curve')
}

/** RFC 7518 §6.3.1: the fewest octets that say the number. */
function withoutZeros(number: Buffer): Buffer {
  const first = number.findIndex((octet) => octet !== 0)
  return number.subarray(Math.max(first, 0))
}

function text(octets: Buffer): string {
  return octets.toString('base64url')
}
