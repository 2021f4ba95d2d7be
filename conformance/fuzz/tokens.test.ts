/**
 * The fuzzer over tokens, for a moment: the corpus, a fixed seed and one of chance. And that it would find something: a judge that
 * sees no fault is worth nothing.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createVerifier } from '@actchain/verifier'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { bytesOf, CORPUS, keepInput, readCorpus } from './corpus.ts'
import { KEYS, signRaw } from './issuer.ts'
import { newSeed } from './random.ts'
import { growthOf } from './run.ts'
import { fuzzTokens } from './tokens/fuzz-tokens.ts'
import { Generator } from './tokens/generate.ts'
import { HangWatch } from './tokens/hang-watch.ts'
import { API, ISSUER, NOW, SETTING_NAMES, type TokenInput } from './tokens/input.ts'
import { judge } from './tokens/judge.ts'
import { add, emptyTally, quantile, type Tally } from './tokens/tally.ts'
import { closeVerifiers, newVerifiers, type Verifiers } from './tokens/verifiers.ts'

const INPUTS = 500

async function run(seed: number, kept: readonly TokenInput[] = []): Promise<Tally> {
  const tally = emptyTally()
  await fuzzTokens(
    { seed, kept, first: 0, step: 1, end: INPUTS },
    {
      begins: () => {},
      judged: () => {},
      progress: (part) => {
        add(tally, part)
        return true
      },
    },
  )
  return tally
}

test('what is in the corpus comes to what it came to before', async () => {
  const corpus = readCorpus<TokenInput>(CORPUS, 'tokens')
  expect(corpus.length).toBeGreaterThan(30)
  expect(bytesOf(CORPUS)).toBeLessThan(300_000)
  const verifiers = newVerifiers()
  for (const { file, input, outcome } of corpus) {
    const judged = await judge(verifiers, input)
    expect({ file, fault: judged.fault, outcome: judged.outcome }).toEqual({
      file,
      fault: undefined,
      outcome,
    })
  }
  closeVerifiers(verifiers)
})

test.each([
  ['a fixed seed', 20_261_122],
  ['a seed of chance', newSeed()],
])('%s (%i): no crash, no false acceptance, no false refusal', async (_, seed) => {
  const kept = readCorpus<TokenInput>(CORPUS, 'tokens').map(({ input }) => input)
  const tally = await run(seed, kept)
  expect(tally.faults, `npm run fuzz -- tokens --seed ${seed}`).toEqual([])
  expect(tally.runs).toBe(INPUTS)
  // A fuzzer whose inputs all end at the first check fuzzes that check.
  expect(tally.reached).toBeGreaterThan(INPUTS / 3)
  expect(tally.accepted).toBeGreaterThan(INPUTS / 10)
  expect(Object.keys(tally.outcomes).length).toBeGreaterThan(25)
  expect(quantile(tally, 'small', 0.5)).toBeGreaterThan(0)
})

test('an input is made again from its number', () => {
  const [one, other] = [new Generator(3, []), new Generator(3, [])]
  one.input(1)
  const kinds = new Set<string>()
  for (let number = 2; number < 40; number++) {
    const [first, again] = [one.input(number), other.input(number)]
    kinds.add(first.by)
    expect(again.by).toBe(first.by)
    expect(again.setting).toBe(first.setting)
    // Signatures are made with chance, so only what is signed is the same.
    if (first.signed) expect(payloadOf(again)).toBe(payloadOf(first))
  }
  expect(kinds.size).toBeGreaterThan(15)
})

function payloadOf({ token }: TokenInput): string | undefined {
  return token.split('.')[1]
}

/** A verifier that another issuer's keys convince, in the place of each good one. */
const careless: Partial<Parameters<typeof createVerifier>[0]> = {
  jwks: { keys: [{ kid: KEYS.stranger.kid, alg: 'ES256', ...KEYS.stranger.jwk }] },
}

function verifiersOf(options: typeof careless): Verifiers {
  const verifier = createVerifier({
    issuer: ISSUER,
    audience: API,
    revocation: 'off',
    bearer: 'allowed',
    now: () => NOW,
    ...options,
  })
  return Object.fromEntries(SETTING_NAMES.map((name) => [name, verifier])) as Verifiers
}

function goodInput(): TokenInput {
  const generator = new Generator(11, [])
  for (let number = 0; ; number++) {
    const input = generator.input(number)
    if (input.good === true && input.setting === 'bearer') return input
  }
}

test('the judge sees a token accepted that the issuer did not sign', async () => {
  const input = goodInput()
  const header = JSON.stringify({ alg: 'ES256', typ: 'at+jwt', kid: KEYS.stranger.kid })
  const payload = Buffer.from(payloadOf(input) ?? '', 'base64url')
  const token = signRaw(KEYS.stranger, header, payload)
  const judged = await judge(verifiersOf(careless), { ...input, token, signed: false })
  expect(judged).toMatchObject({ outcome: 'accepted', fault: { kind: 'false_acceptance' } })
})

test('the judge sees what the reader refuses accepted', async () => {
  // The verifier's clock is five seconds ahead of the reader's, and tolerance is five more.
  const input = goodInput()
  const claims = JSON.parse(Buffer.from(payloadOf(input) ?? '', 'base64url').toString())
  const header = JSON.stringify({ alg: 'ES256', typ: 'at+jwt', kid: KEYS.es256.kid })
  const token = signRaw(KEYS.es256, header, JSON.stringify({ ...claims, nbf: NOW + 6 }))
  const late = await judge(verifiersOf({ now: () => NOW + 5, jwks: jwks() }), { ...input, token })
  expect([late.outcome, late.reading]).toEqual(['accepted', 'token_not_yet_valid'])
  expect(late.fault?.kind).toBe('false_acceptance')
})

test('the judge sees a good token refused, and a throw that is no refusal', async () => {
  const input = goodInput()
  const refused = await judge(verifiersOf({ issuer: 'https://other.example', jwks: jwks() }), input)
  expect(refused.fault?.kind).toBe('false_refusal')
  const broken = verifiersOf({
    jwks: jwks(),
    now: () => {
      throw new RangeError('no clock')
    },
  })
  expect((await judge(broken, input)).fault).toMatchObject({ kind: 'crash' })
})

function jwks() {
  return { keys: [{ kid: KEYS.es256.kid, alg: 'ES256', ...KEYS.es256.jwk }] }
}

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'actchain-corpus-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

test('a corpus keeps what it is given until it is full, and a fault always', () => {
  const input = { token: 'x'.repeat(140_000) }
  const kept = ['one', 'two', 'three'].map((name) =>
    keepInput(folder, 'tokens', { name, outcome: 'token_malformed', input: { ...input, name } }),
  )
  expect(kept.map((path) => path !== undefined)).toEqual([true, true, false])
  expect(keepInput(folder, 'tokens', { name: 'f', outcome: 'fault: crash', input })).toBeDefined()
  expect(readCorpus(folder, 'tokens').map(({ outcome }) => outcome)).toEqual([
    'fault: crash',
    'token_malformed',
    'token_malformed',
  ])
  expect(readCorpus(folder, 'chains')).toEqual([])
})

test('a thread hangs that stays at one input, once, and not when it has ended', () => {
  const watch = new HangWatch(30_000, 3, 0)
  const look = (now: number, inputs: readonly number[]) =>
    inputs.map((input, thread) => watch.look(thread, input, now))
  expect(look(1_000, [1, 2, 3])).toEqual([false, false, false])
  watch.end(2)
  expect(look(31_000, [4, 2, 3])).toEqual([false, false, false])
  expect(look(31_001, [4, 2, 3])).toEqual([false, true, false])
  expect(look(61_001, [4, 2, 3])).toEqual([true, false, false])
})

test('memory that stays is no growth, memory that climbs is', () => {
  const steady = [90, 60, 61, 60, 62, 61, 60, 61, 62, 60].map((mb) => mb * 1e6)
  expect(growthOf(steady).grows).toBe(false)
  expect(growthOf(steady.map((bytes, at) => bytes + at * 1e7)).grows).toBe(true)
})
