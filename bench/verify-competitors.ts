/**
 * What takes turns at one token: the verifier with a token it never saw, with one it saw before, with the proof that
 * comes with every call, with a status list it holds; and JWT libraries, which look at the signature and the usual claims and at nothing of the chain.
 */
import { createPublicKey } from 'node:crypto'
import { createVerifier as createFastVerifier } from 'fast-jwt'
import { importJWK, jwtVerify } from 'jose'
import { readChain } from '../lib/src/chain.ts'
import type { Presentation } from '../lib/src/presentation.ts'
import { statusLists } from '../lib/src/status/status-lists.ts'
import type { JsonObject } from '../lib/src/strict-json.ts'
import { createVerifier, type Verifier } from '../lib/src/verifier.ts'
import { API, chainClaims, ISSUER, NOW } from '../test/support/chain-token.ts'
import type { Competitor } from './interleave.ts'
import { inFlight } from './load.ts'
import { NEED, type Presenter, VERIFIER_OPTIONS } from './presentations.ts'

export const COLD = 'verify.cold'
export const REPEATED = 'verify.repeated'
export const WITH_PROOF = 'verify.repeated_with_proof'
export const CHECKED = 'verify.repeated_checked'
export const CHAIN = 'verify.chain_rules'
export const JOSE = 'verify.jose_jwtVerify'
export const FAST_JWT = 'verify.fast_jwt'

/**
 * Groups, a process each: a new token beside the bare libraries; what comes after the first time beside a new token; and with its
 * statuses looked up beside without. Proofs in between would make the engine compile the same code for two uses, and the libraries' for one.
 */
export type Group = 'bare' | 'seen' | 'status'
export const BARE: readonly string[] = [COLD, JOSE, FAST_JWT]

export interface VerifyScale {
  readonly rounds: number
  readonly warmUp: number
  readonly tokens: number
}

export async function competitors(
  group: Group,
  presenter: Presenter,
  depth: number,
  { tokens: count, rounds, warmUp }: VerifyScale,
): Promise<readonly Competitor[]> {
  const tokens = await presenter.tokens(depth, count)
  const bare = await bareVerifiers(presenter)
  const jwks = { keys: [presenter.issuerKey.publicJwk] }
  const cold = createVerifier({ ...VERIFIER_OPTIONS, jwks, cacheSize: 0 })
  const unseen = tokens.map((token) => presenter.withCertificate(token))
  const first = { name: COLD, times: count, run: () => verifyAll(cold, unseen) }
  if (group === 'bare') {
    return [
      first,
      { name: JOSE, times: count, run: () => inFlight(tokens, bare.jose) },
      { name: FAST_JWT, times: count, run: () => tokens.forEach(bare.fastJwt) },
    ]
  }
  const remembering = createVerifier({ ...VERIFIER_OPTIONS, jwks })
  const [seen] = unseen
  if (seen === undefined) return []
  const repeated = {
    name: REPEATED,
    times: count * 20,
    run: (times: number) => verifyAgain(remembering, seen, times),
  }
  if (group === 'status') {
    const checking = createVerifier({
      ...VERIFIER_OPTIONS,
      jwks,
      // The clock stands still, so a list stays as old as the process.
      revocation: statusLists({ feed: 'off', freshness: 60 }),
      fetch: async (url) => new Response(await presenter.statusList(url)),
    })
    const checked = { ...repeated, name: CHECKED }
    return [repeated, { ...checked, run: (times: number) => verifyAgain(checking, seen, times) }]
  }
  // A proof is good once: each turn has its own.
  const turns = await Promise.all(
    Array.from({ length: rounds + warmUp }, () => presenter.withProofs(depth, count)),
  )
  const claims = JSON.parse(JSON.stringify(chainClaims({ depth }))) as JsonObject
  return [
    first,
    repeated,
    {
      name: WITH_PROOF,
      times: count,
      run: (_, turn) => verifyAll(remembering, turns[turn] ?? []),
    },
    { name: CHAIN, times: count * 20, run: (times) => readChains(claims, times) },
  ]
}

function verifyAll(verifier: Verifier, shown: readonly Presentation[]): Promise<void> {
  return inFlight(shown, (one) => verifier.verify(one, NEED))
}

async function verifyAgain(verifier: Verifier, shown: Presentation, times: number): Promise<void> {
  for (let time = 0; time < times; time++) await verifier.verify(shown, NEED)
}

function readChains(claims: JsonObject, times: number): void {
  for (let time = 0; time < times; time++) {
    const reading = readChain(claims)
    if (!reading.ok) throw new Error(`a good chain was refused: ${reading.reason}`)
  }
}

/** Both check issuer, audience and times as well; neither remembers tokens. */
async function bareVerifiers({ issuerKey }: Presenter) {
  const key = await importJWK(issuerKey.publicJwk, 'ES256')
  const options = {
    issuer: ISSUER,
    audience: API,
    typ: 'at+jwt',
    algorithms: ['ES256'],
    currentDate: new Date(NOW * 1000),
  }
  const pem = createPublicKey({ key: { ...issuerKey.publicJwk }, format: 'jwk' }).export({
    format: 'pem',
    type: 'spki',
  })
  const fastJwt = createFastVerifier({
    key: pem,
    algorithms: ['ES256'],
    allowedIss: ISSUER,
    allowedAud: API,
    clockTimestamp: NOW * 1000,
    cache: false,
  })
  return {
    jose: (token: string): Promise<unknown> => jwtVerify(token, key, options),
    fastJwt: (token: string): void => void fastJwt(token),
  }
}
