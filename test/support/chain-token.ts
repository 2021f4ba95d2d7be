/**
 * Delegated access tokens for tests: a valid chain of 1 to 8 hops by docs/chain-format.md, signed with a real key,
 * and a way to change exactly one member of it. Written apart from the issuer's own code on purpose.
 */
import {
  base64url,
  type CryptoKey,
  calculateJwkThumbprint,
  exportJWK,
  generateKeyPair,
  type JWK,
  SignJWT,
} from 'jose'

export type Claims = { [member: string]: unknown }

export const NOW = 1_795_316_410
export const ISSUER = 'https://as.example.com/t/acme'
export const API = 'https://ledger.acme.example/api'
export const AGENTS = [
  'planner',
  'researcher',
  'writer',
  'editor',
  'checker',
  'filer',
  'mailer',
  'closer',
] as const

export interface TestKey {
  readonly alg: string
  readonly kid: string
  readonly privateKey: CryptoKey
  readonly publicJwk: JWK
  readonly thumbprint: string
}

/** A fresh key pair; `publicJwk` has `kid` and `alg` as a JWKS entry of the issuer would. */
export async function aKey(alg = 'ES256', kid = 'k1'): Promise<TestKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true })
  const bare = await exportJWK(publicKey)
  const thumbprint = await calculateJwkThumbprint(bare)
  return { alg, kid, privateKey, publicJwk: { ...bare, kid, alg }, thumbprint }
}

export interface ChainShape {
  readonly depth?: number
  readonly issuer?: string
  readonly audience?: string
  readonly basis?: 'policy' | 'client'
  readonly now?: number
  readonly cnf?: Claims
}

/** Claims of a valid token, `depth` hops deep. With basis `client` the oldest agent is the subject itself. */
export function chainClaims(shape: ChainShape = {}): Claims {
  const { depth = 3, issuer = ISSUER, audience = API, basis = 'policy', now = NOW, cnf } = shape
  const agents = AGENTS.slice(0, depth).toReversed()
  const rootIat = now - 10
  const reach = [...AGENTS.map((agent) => `${issuer}/agents/${agent}`), audience]
  // Newest first; the newest is addressed to the API, each earlier one to the next agent.
  const hops = agents.map((_, place) => {
    const age = depth - 1 - place
    return {
      jti: `hop-${age}-${'x'.repeat(16)}`,
      idx: 48_211 + age,
      scope: age === 0 ? 15 : age < 3 ? 14 : 12,
      reach: place === 0 && depth > 1 ? 1 << 8 : (1 << 9) - (1 << age),
      aud: place === 0 ? 8 : Math.min(age + 1, 7),
      iat: Math.min(age, 9),
      exp: 300 - age,
    }
  })
  const actors = basis === 'client' ? agents.slice(0, -1) : agents
  const subject = basis === 'client' ? AGENTS[0] : 'alice'
  const newest = hops[0]!
  const scope = ['docs:read', 'crm:read', 'ledger:read', 'ledger:propose']
  return {
    iss: issuer,
    sub: subject,
    aud: audience,
    client_id: actors[0] ?? subject,
    scope: scope.filter((_, bit) => newest.scope & (1 << bit)).join(' '),
    iat: rootIat + newest.iat,
    exp: rootIat + newest.exp,
    jti: newest.jti,
    txn: 'wfSVmODM4hd52WLVa7sRoA',
    ...(cnf === undefined ? {} : { cnf }),
    status: { status_list: { idx: newest.idx, uri: `${issuer}/status/g1-7` } },
    ...(actors.length === 0 ? {} : { act: nested(actors, issuer) }),
    act_bounds: {
      v: 1,
      root: {
        jti: 'root-xxxxxxxxxxxxxxxx',
        idx: 48_210,
        iat: rootIat,
        exp: rootIat + 900,
        max_depth: 8,
        basis,
        scope,
        reach,
      },
      hops,
    },
  }
}

function nested(actors: readonly string[], iss: string): Claims {
  return actors.reduceRight<Claims>(
    (act, sub) => ({
      sub,
      iss,
      sub_profile: 'ai_agent',
      ...(Object.keys(act).length > 0 ? { act } : {}),
    }),
    {},
  )
}

/** A deep copy with the member at a dotted path replaced; `undefined` deletes it. */
export function withMember(claims: Claims, path: string, value: unknown): Claims {
  const copy = structuredClone(claims)
  const names = path.split('.')
  const last = names.pop()!
  let target: Claims = copy
  for (const name of names) target = target[name] as Claims
  if (value === undefined) delete target[last]
  else target[last] = value
  return copy
}

/** Signs claims as the issuer would; `header` replaces header members, `undefined` deletes one. */
export async function signToken(
  key: TestKey,
  claims: Claims,
  header: Claims = {},
): Promise<string> {
  const members: Claims = { alg: key.alg, typ: 'at+jwt', kid: key.kid, ...header }
  for (const name of Object.keys(members)) if (members[name] === undefined) delete members[name]
  return signText(key, JSON.stringify(members), JSON.stringify(claims))
}

/** Signs header and payload exactly as written, however malformed; `alg` of the key decides how. */
export async function signText(
  key: Pick<TestKey, 'alg' | 'privateKey'>,
  header: string | Uint8Array,
  payload: string | Uint8Array,
): Promise<string> {
  const input = `${base64url.encode(header)}.${base64url.encode(payload)}`
  const signature = await crypto.subtle.sign(
    key.alg === 'ES256' ? { name: 'ECDSA', hash: 'SHA-256' } : key.privateKey.algorithm.name,
    key.privateKey,
    new TextEncoder().encode(input),
  )
  return `${input}.${base64url.encode(new Uint8Array(signature))}`
}

export interface ProofShape {
  readonly token: string
  readonly method?: string
  readonly url?: string
  readonly claims?: Claims
  readonly header?: Claims
}

let proofs = 0

/** A DPoP proof (RFC 9449 §4.2) made at NOW by `key` for one request with `token`. */
export async function aProof(key: TestKey, shape: ProofShape): Promise<string> {
  const { kty, crv, x, y, n, e } = key.publicJwk
  const jwk = JSON.parse(JSON.stringify({ kty, crv, x, y, n, e })) as JWK
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(shape.token))
  const claims: Claims = {
    jti: `proof-${++proofs}`,
    htm: shape.method ?? 'GET',
    htu: shape.url ?? `${API}/entries`,
    iat: NOW,
    ath: base64url.encode(new Uint8Array(digest)),
    ...shape.claims,
  }
  const header: Claims = { alg: key.alg, typ: 'dpop+jwt', jwk, ...shape.header }
  return signText(key, JSON.stringify(header), JSON.stringify(claims))
}

/** An ordinary JWT of another kind, for tests of what is no access token. */
export async function aJwt(key: TestKey, typ: string | undefined, claims: Claims): Promise<string> {
  return new SignJWT(claims)
    .setProtectedHeader({ alg: key.alg, kid: key.kid, ...(typ === undefined ? {} : { typ }) })
    .sign(key.privateKey)
}
