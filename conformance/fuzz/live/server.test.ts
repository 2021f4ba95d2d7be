/**
 * The fuzzer over requests and chains, for a moment, at the server of the suite: the corpus, a fixed seed and one of chance. What only
 * the one who started the server can see, its memory and its log, `npm run fuzz` looks at.
 */
import { expect, test } from 'vitest'
import { type Profile, readProfile } from '../../suite/profile.ts'
import { CORPUS } from '../corpus.ts'
import { newSeed } from '../random.ts'
import type { AreaResult } from '../run.ts'
import { runChains } from '../server/run-chains.ts'
import { runRequests, type ServerSettings } from '../server/run-requests.ts'

// The runner has its own configuration: here the servers are ours, whose profile has everything.
const profile = readProfile() as Profile

const settings = (seed: number, runs: number): ServerSettings => ({
  seed,
  runs,
  seconds: undefined,
  corpus: CORPUS,
  keep: false,
  signal: new AbortController().signal,
  progress: () => {},
  target: profile,
  watch: undefined,
})

function expectWell({ seed, area, faults }: AreaResult): void {
  expect(faults, `npm run fuzz -- ${area} --seed ${seed}`).toEqual([])
}

test.each([20_261_122, newSeed()])(
  'requests of seed %i are answered as the RFCs say',
  async (seed) => {
    const result = await runRequests(settings(seed, 120))
    expectWell(result)
    expect(result.corpus.replayed).toBeGreaterThan(15)
    expect(Object.keys(result.outcomes).length).toBeGreaterThan(10)
  },
)

test.each([20_261_122, newSeed()])(
  'chains of seed %i only narrow, and end when they are revoked',
  async (seed) => {
    const result = await runChains(settings(seed, 6))
    expectWell(result)
    expect(result.figures['tokens']).toBeGreaterThan(10)
  },
)
