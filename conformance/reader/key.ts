/** Public keys (RFC 7517, RFC 7518 §6, RFC 8037 §2), the one algorithm of each, and what they signed. */
import { createHash, createPublicKey, type KeyObject, verify } from 'node:crypto'
import { bytesOf, type Signed } from './compact.ts'
import { type JsonObject, readObjectText } from './json.ts'
import { firstBroken, listAt, optional, type Sentence, type Test, textAt } from './sentence.ts'

export interface Key {
  readonly kid: string | undefined
  readonly algorithm: string
  /** RFC 7638 */
  readonly thumbprint: string
  /** Undefined where its numbers are no point of the curve. */
  readonly object: () => KeyObject | undefined
}

interface Kind {
  readonly algorithm: string
  /** What headers call the algorithm. */
  readonly names: readonly string[]
  /** Members that say which kind it is. */
  readonly fixed: Readonly<Record<string, string>>
  /** Members with the numbers of the key. */
  readonly numbers: Readonly<Record<string, Test>>
  readonly digest: string | null
  /** Bytes of a signature, where they are the same for every key. */
  readonly size?: number
}

const octets = (value: unknown): Buffer => bytesOf(String(value)) ?? Buffer.alloc(0)
const numberOf = (value: unknown): bigint => BigInt(`0x0${octets(value).toString('hex')}`)
const isWithin = (value: bigint, least: bigint, most: bigint): boolean =>
  least <= value && value <= most

const isCoordinate: Test = (value) => typeof value === 'string' && octets(value).length === 32
/** RFC 7518 §3.3: 2048 bits or more; more than 4096 only cost time. RFC 7518 §6.3.1.1: no zero octet before it. */
const isModulus: Test = (value) =>
  typeof value === 'string' &&
  octets(value)[0] !== 0 &&
  numberOf(value) % 2n === 1n &&
  isWithin(numberOf(value), 2n ** 2047n, 2n ** 4096n - 1n)
/** 2^255 - 19, of Ed25519. */
const FIELD = 2n ** 255n - 19n
/** Where the points of order 1, 2, 4 and 8 lie (RFC 7748 §7): whoever knows none of their secrets signs for them all the same. */
const SMALL_ORDER: readonly bigint[] = [
  0n,
  1n,
  FIELD - 1n,
  0x05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826n,
  0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7n,
]
/** RFC 8032 §5.1.2: the lowest byte first, the highest bit is the sign of the other coordinate. */
const isEdwardsPoint: Test = (value) => {
  const lowestFirst = BigInt(`0x0${Buffer.from(octets(value)).reverse().toString('hex')}`)
  return isCoordinate(value) && !SMALL_ORDER.includes((lowestFirst % 2n ** 255n) % FIELD)
}

/** The one that everybody uses (FIPS 186-5 §5.1 allows greater ones): with 1, anything is a signature. */
const isExponent: Test = (value) => value === 'AQAB'

const KINDS: readonly Kind[] = [
  {
    algorithm: 'ES256',
    names: ['ES256'],
    fixed: { kty: 'EC', crv: 'P-256' },
    numbers: { x: isCoordinate, y: isCoordinate },
    digest: 'sha256',
    size: 64,
  },
  {
    algorithm: 'EdDSA',
    // RFC 9864 §2.2: the name that says which curve.
    names: ['EdDSA', 'Ed25519'],
    fixed: { kty: 'OKP', crv: 'Ed25519' },
    numbers: { x: isEdwardsPoint },
    digest: null,
    size: 64,
  },
  {
    algorithm: 'RS256',
    names: ['RS256'],
    fixed: { kty: 'RSA' },
    numbers: { n: isModulus, e: isExponent },
    digest: 'sha256',
  },
]

/** RFC 7518 §6: members of private and symmetric keys. Who publishes one has no key any more. */
const SECRETS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv']

/** The algorithm that a header's `alg` stands for. */
export function algorithmNamed(name: string): string | undefined {
  return KINDS.find(({ names }) => names.includes(name))?.algorithm
}

/** The key of this JWK; undefined where it is none that verifies signatures here. */
export function readKey(jwk: JsonObject): Key | undefined {
  const kind = KINDS.find(({ fixed }) =>
    Object.entries(fixed).every(([name, value]) => jwk.get(name) === value),
  )
  if (kind === undefined) return undefined
  const sentences: readonly Sentence<JsonObject>[] = [
    ['secret', () => !SECRETS.some((name) => jwk.has(name))],
    ['use', () => optional((use) => use === 'sig')(jwk.get('use'))],
    ['operation', () => !jwk.has('key_ops') || listAt(jwk, 'key_ops').includes('verify')],
    // RFC 8725 §3.1: a key is used with one algorithm.
    ['algorithm', () => !jwk.has('alg') || algorithmNamed(textAt(jwk, 'alg')) === kind.algorithm],
    ['numbers', () => Object.entries(kind.numbers).every(([name, is]) => is(jwk.get(name)))],
  ]
  if (firstBroken(jwk, sentences) !== undefined) return undefined
  const required = Object.keys({ ...kind.fixed, ...kind.numbers }).toSorted()
  const members = Object.fromEntries(required.map((name) => [name, textAt(jwk, name)]))
  const thumbprint = digestOf(JSON.stringify(members))
  const kid = jwk.has('kid') ? textAt(jwk, 'kid') : undefined
  return { kid, algorithm: kind.algorithm, thumbprint, object: () => objectOf(members) }
}

function objectOf(members: Readonly<Record<string, string>>): KeyObject | undefined {
  try {
    return createPublicKey({ key: members, format: 'jwk' })
  } catch {
    return undefined
  }
}

/** base64url of SHA-256 of the text. */
export function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url')
}

/** Keys of a JWK Set, by the set: reading them again for every case would take longer than all the rest. */
const read = new WeakMap<object, readonly Key[]>()

export function keysOf(jwks: { readonly keys: readonly object[] }): readonly Key[] {
  const known = read.get(jwks)
  if (known !== undefined) return known
  const keys = jwks.keys.flatMap((jwk) => {
    const members = readObjectText(JSON.stringify(jwk))
    const key = members && readKey(members)
    if (key === undefined) return []
    const object = key.object()
    return [{ ...key, object: () => object }]
  })
  read.set(jwks, keys)
  return keys
}

/** The one key a header can mean: of its algorithm, and of its name if it says one. */
export function keyFor({ header }: Signed, keys: readonly Key[]): Key | undefined {
  const algorithm = algorithmNamed(textAt(header, 'alg'))
  const meant = keys.filter(
    (key) => key.algorithm === algorithm && (!header.has('kid') || key.kid === header.get('kid')),
  )
  const [key] = meant
  return meant.length === 1 && key?.object() !== undefined ? key : undefined
}

/** Whether the signature is the key's. */
export function isSignedBy({ signed, signature }: Signed, key: Key): boolean {
  const kind = KINDS.find(({ algorithm }) => algorithm === key.algorithm)
  const object = key.object()
  if (kind === undefined || object === undefined) return false
  // RFC 7518 §3.4: R and S side by side, 32 bytes each; not the DER of other places.
  if (kind.size !== undefined && signature.length !== kind.size) return false
  const how = { key: object, dsaEncoding: 'ieee-p1363' as const }
  return verify(kind.digest, Buffer.from(signed), how, signature)
}
