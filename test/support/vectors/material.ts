/** What vectors are made of: a good chain of any length, tokens and proofs for it, and the report of one that is accepted. */
import type { Report, VectorRequest } from '../../../conformance/vectors/vector.ts'
import { type Claims, withMember } from '../chain-token.ts'
import { base64url, base64urlSha256, type Signer, signerOf } from './signer.ts'

export const NOW = 1_795_316_410
export const ISSUER = 'https://as.example.com/t/acme'
export const API = 'https://ledger.acme.example/api'
export const LIST = `${ISSUER}/status/g1-7`
export const SCOPES: readonly string[] = ['docs:read', 'crm:read', 'ledger:read', 'ledger:propose']
/** The index of the root; its hops have the next ones, the oldest first. */
export const ROOT_INDEX = 2
const AGENTS = 'planner researcher writer editor checker filer mailer closer'.split(' ')

export const [es256, eddsa, rs256, agent, stranger] = [
  'es256',
  'eddsa',
  'rs256',
  'agent',
  'stranger',
].map(signerOf) as [Signer, Signer, Signer, Signer, Signer]

export interface ChainShape {
  /** 1 to 8, 3 if not said. */
  readonly hops?: number
  readonly basis?: 'policy' | 'client' | 'consent' | 'approval'
  /** When the task began, 10 seconds ago if not said. */
  readonly begin?: number
  readonly cnf?: Claims
}

/** Claims of a good token. Each hop after the first lost a scope, each agent cannot go back to those before it. */
export function aChain({
  hops: count = 3,
  basis = 'policy',
  begin = NOW - 10,
  cnf,
}: ChainShape = {}): Claims {
  const agents = AGENTS.slice(0, count)
  const api = count
  const hops = agents.map((_, age) => {
    const isLast = age === count - 1
    return {
      jti: `hop-${age + 1}-Tz4bXq`,
      idx: ROOT_INDEX + 1 + age,
      scope: age === 0 ? 15 : age < 3 ? 14 : 12,
      reach: isLast && age > 0 ? 2 ** api : 2 ** (count + 1) - 2 ** age,
      aud: isLast ? api : age + 1,
      iat: Math.min(age, 9),
      exp: 300 - age,
    }
  })
  const actors = (basis === 'client' ? agents.slice(1) : agents).toReversed()
  const subject = basis === 'client' ? (agents[0] ?? '') : 'alice'
  const newest = hops.at(-1)
  if (newest === undefined) throw new Error('a chain has a hop')
  return {
    iss: ISSUER,
    sub: subject,
    aud: API,
    client_id: actors[0] ?? subject,
    scope: namesOf(SCOPES, newest.scope).join(' '),
    iat: begin + newest.iat,
    exp: begin + newest.exp,
    jti: newest.jti,
    txn: 'wfSVmODM4hd52WLVa7sRoA',
    ...(cnf === undefined ? {} : { cnf }),
    status: { status_list: { idx: newest.idx, uri: LIST } },
    ...(actors.length === 0 ? {} : { act: nested(actors) }),
    act_bounds: {
      v: 1,
      root: {
        jti: 'root-Tz4bXq',
        idx: ROOT_INDEX,
        iat: begin,
        exp: begin + 900,
        max_depth: 8,
        basis,
        scope: SCOPES,
        reach: [...agents.map((name) => `https://acme.example/${name}`), API],
      },
      hops: hops.toReversed(),
    },
  }
}

function nested([sub, ...others]: readonly string[]): Claims {
  const act = others.length > 0 ? { act: nested(others) } : {}
  return { sub, iss: ISSUER, sub_profile: 'ai_agent', ...act }
}

/** Members by dotted path; undefined takes one away. */
export type Changes = Readonly<Record<string, unknown>>

export function changed(claims: Claims, changes: Changes): Claims {
  return Object.entries(changes).reduce((so, [path, value]) => withMember(so, path, value), claims)
}

/** Entries of the list whose bit is set. */
export function namesOf(list: readonly string[], mask: number): readonly string[] {
  return list.filter((_, at) => Math.floor(mask / 2 ** at) % 2 === 1)
}

/** A signed text of these two parts, as they are; an object is written as JSON. */
export function signedText(
  signer: Signer,
  header: string | Uint8Array | Claims,
  payload: string | Uint8Array | Claims,
): string {
  const input = `${part(header)}.${part(payload)}`
  return `${input}.${base64url(signer.sign(input))}`
}

function part(value: string | Uint8Array | Claims): string {
  const isText = typeof value === 'string' || value instanceof Uint8Array
  return base64url(isText ? value : JSON.stringify(value))
}

/** An access token as the issuer signs it. `header` replaces members, undefined takes one away. */
export function aToken(claims: Claims, header: Claims = {}, signer: Signer = es256): string {
  return signedText(signer, { alg: signer.alg, typ: 'at+jwt', kid: signer.kid, ...header }, claims)
}

/** A DPoP proof for a request with this token (RFC 9449 §4.2). */
export function aProof(
  token: string,
  claims: Claims = {},
  { header = {}, signer = agent }: { readonly header?: Claims; readonly signer?: Signer } = {},
): string {
  return signedText(
    signer,
    { typ: 'dpop+jwt', alg: signer.alg, jwk: signer.bare, ...header },
    {
      jti: 'proof-Tz4bXq',
      htm: 'GET',
      htu: `${API}/entries`,
      iat: NOW,
      ath: base64urlSha256(token),
      ...claims,
    },
  )
}

/** Requests as most vectors have them. */
export const BEARER: VectorRequest = { method: 'GET', url: `${API}/entries`, scheme: 'Bearer' }

export function withProof(proof: string, more: Partial<VectorRequest> = {}): VectorRequest {
  return { method: 'GET', url: `${API}/entries`, scheme: 'DPoP', proof, ...more }
}

/** What is reported of these claims. */
export function reportOf(claims: Claims, revocation: Report['revocation'] = 'not_checked'): Report {
  const { sub, txn, jti, exp, act, act_bounds } = claims as unknown as Wire
  const { root, hops } = act_bounds
  const actors: string[] = []
  for (let level = act; level !== undefined; level = level.act) actors.push(level.sub)
  const chain = root.basis === 'client' ? [...actors, sub] : actors
  const ceilings = hops.map((hop) => ({
    scope: namesOf(root.scope, hop.scope),
    reach: namesOf(root.reach, hop.reach),
    audience: root.reach[hop.aud] ?? '',
    expires_at: root.iat + hop.exp,
  }))
  return {
    subject: sub,
    actor: chain[0] ?? '',
    chain,
    scope: ceilings[0]?.scope ?? [],
    ceilings,
    basis: root.basis,
    txn,
    jti,
    expires_at: exp,
    revocation,
  }
}

interface Level {
  readonly sub: string
  readonly act?: Level
}

interface Wire {
  readonly sub: string
  readonly txn: string
  readonly jti: string
  readonly exp: number
  readonly act?: Level
  readonly act_bounds: {
    readonly root: {
      readonly basis: string
      readonly iat: number
      readonly scope: readonly string[]
      readonly reach: readonly string[]
    }
    readonly hops: readonly {
      readonly scope: number
      readonly reach: number
      readonly aud: number
      readonly exp: number
    }[]
  }
}
