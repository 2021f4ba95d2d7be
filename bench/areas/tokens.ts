/** How long a token is by the depth of its chain: a header has to carry it, with a proof beside it, on every call. */
import type { Area, Bench } from '../area.ts'
import { accessToken, startActchain, subjectToken } from '../measured-server.ts'
import { sampleStoryTokens } from '../sample-story.ts'
import { agentAt, exchangeForm, MOST_AGENTS } from '../signed-requests.ts'
import { API } from '../tenant.ts'

const MOST_STORY_BYTES = 2100

export const tokens: Area = {
  name: 'tokens',
  summary: 'bytes of a token by depth',
  byDefault: true,
  run: async (bench) => {
    await measureBenchTenant(bench)
    const story = await sampleStoryTokens()
    for (const [at, token] of story.entries()) {
      bench.emit({
        name: `tokens.sample.depth${at + 1}`,
        value: token.length,
        unit: 'bytes',
        depth: at + 1,
      })
    }
    const target = 'token of depth 3 in the sample tenant, in bytes'
    const value = story.at(-1)?.length ?? Number.NaN
    return [{ target, value, bound: { most: MOST_STORY_BYTES } }]
  },
}

/** To an API, and to the agent that comes next. */
async function measureBenchTenant({ cores, emit }: Bench): Promise<void> {
  const ours = await startActchain(cores)
  try {
    for (let depth = 1; depth <= MOST_AGENTS; depth++) {
      const subject = await subjectToken(ours, depth)
      const [toApi, toAgent] = await Promise.all(
        [API, undefined].map(async (target) => {
          const form = exchangeForm(depth, subject, target)
          return accessToken(await ours.driver.send(ours.signer.prepare(agentAt(depth), form)))
        }),
      )
      emit({
        name: `tokens.bench.depth${depth}`,
        value: toApi?.length ?? Number.NaN,
        unit: 'bytes',
        depth,
        to_next_agent: toAgent?.length ?? Number.NaN,
      })
    }
  } finally {
    await ours.close()
  }
}
