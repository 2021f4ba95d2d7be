/**
 * What a resource server pays for a call: a token never seen, a token seen before, and the proof that comes with every
 * call, beside JWT libraries that look at the signature and the usual claims and at nothing of the chain.
 */
import { createPublicKey } from 'node:crypto'
import { createVerifier as createFastVerifier } from 'fast-jwt'
import { importJWK, jwtVerify } from 'jose'
import { readChain } from '../../lib/src/chain.ts'
import type { Presentation } from '../../lib/src/presentation.ts'
import type { JsonObject } from '../../lib/src/strict-json.ts'
import { createVerifier, type Verifier } from '../../lib/src/verifier.ts'
import { API, chainClaims, ISSUER, NOW } from '../../test/support/chain-token.ts'
import type { Area, Bench, Target } from '../area.ts'
import { type Competitor, interleave, ratios, type Samples } from '../interleave.ts'
import { inFlight } from '../load.ts'
import { aPresenter, NEED, type Presenter, VERIFIER_OPTIONS } from '../presentations.ts'
import { median, rounded } from '../statistics.ts'

const DEPTHS = [3, 4] as const
const JUDGED_DEPTH = 4

const TARGETS = { coldToJose: 0.9, repeatedToCold: 20, chainMicroseconds: 20 } as const

interface Scale {
  readonly rounds: number
  readonly warmUp: number
  readonly tokens: number
}

const FULL: Scale = { rounds: 40, warmUp: 10, tokens: 160 }
const QUICK: Scale = { rounds: 2, warmUp: 1, tokens: 16 }

export const verify: Area = {
  name: 'verify',
  summary: 'verifications per core-second, cold and repeated, beside jose and fast-jwt',
  byDefault: true,
  run: async (bench) => {
    const scale = bench.quick ? QUICK : FULL
    const presenter = await aPresenter()
    const targets: Target[] = []
    for (const depth of DEPTHS) {
      const samples = await interleave(await competitors(presenter, depth, scale), scale)
      const found = report(bench, samples, depth)
      if (depth === JUDGED_DEPTH) targets.push(...found)
    }
    return targets
  },
}

const COLD = 'verify.cold'
const REPEATED = 'verify.repeated'
const WITH_PROOF = 'verify.repeated_with_proof'
const CHAIN = 'verify.chain_rules'
const JOSE = 'verify.jose_jwtVerify'
const FAST_JWT = 'verify.fast_jwt'

async function competitors(
  presenter: Presenter,
  depth: number,
  { tokens: count, rounds, warmUp }: Scale,
): Promise<readonly Competitor[]> {
  const tokens = await presenter.tokens(depth, count)
  const bare = await bareVerifiers(presenter)
  const jwks = { keys: [presenter.issuerKey.publicJwk] }
  const cold = createVerifier({ ...VERIFIER_OPTIONS, jwks, cacheSize: 0 })
  const remembering = createVerifier({ ...VERIFIER_OPTIONS, jwks })
  const unseen = tokens.map((token) => presenter.withCertificate(token))
  const [seen] = unseen
  // A proof is good once: each turn has its own.
  const turns = await Promise.all(
    Array.from({ length: rounds + warmUp }, () => presenter.withProofs(depth, count)),
  )
  const claims = JSON.parse(JSON.stringify(chainClaims({ depth }))) as JsonObject
  return [
    { name: COLD, times: count, run: () => verifyAll(cold, unseen) },
    { name: JOSE, times: count, run: () => inFlight(tokens, bare.jose) },
    { name: FAST_JWT, times: count, run: () => tokens.forEach(bare.fastJwt) },
    {
      name: REPEATED,
      times: count * 20,
      run: async (times) => {
        if (seen === undefined) return
        for (let time = 0; time < times; time++) await remembering.verify(seen, NEED)
      },
    },
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

function report({ emit }: Bench, samples: Samples, depth: number): readonly Target[] {
  const ratioOf = (name: string, other: string): number =>
    rounded(median(ratios(samples, name, other)), 3)
  const emitAgainst = (name: string, other: string | undefined): void => {
    const cpu = median(samples.get(name) ?? [])
    emit({
      name: `${name}.depth${depth}`,
      value: rounded(1e6 / cpu),
      unit: 'verifications/core-second',
      ...(other !== undefined && {
        ratio_to: `${other}.depth${depth}`,
        ratio: ratioOf(name, other),
      }),
      depth,
      cpu_us: rounded(cpu),
    })
  }
  emitAgainst(JOSE, undefined)
  emitAgainst(FAST_JWT, JOSE)
  emitAgainst(COLD, JOSE)
  emitAgainst(REPEATED, COLD)
  emitAgainst(WITH_PROOF, COLD)
  const chain = rounded(median(samples.get(CHAIN) ?? []), 3)
  emit({ name: `${CHAIN}.depth${depth}`, value: chain, unit: 'us', depth })
  return [
    {
      target: `cold verification / jose.jwtVerify, depth ${depth}`,
      value: ratioOf(COLD, JOSE),
      bound: { least: TARGETS.coldToJose },
    },
    {
      target: `repeated / cold verification, depth ${depth}`,
      value: ratioOf(REPEATED, COLD),
      bound: { least: TARGETS.repeatedToCold },
    },
    {
      target: `chain rules alone, depth ${depth}, in microseconds`,
      value: chain,
      bound: { most: TARGETS.chainMicroseconds },
    },
  ]
}
