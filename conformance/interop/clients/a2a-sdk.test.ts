/**
 * The A2A SDK, client and server: a planner sends a message to a researcher, whose door the verifier keeps; the researcher exchanges
 * what came in and asks a writer, who does the same and calls the API.
 */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ENTRIES, entriesFor, expectChain, hopsOf, idToken, target } from '../given.ts'
import { openDoor, send } from './a2a-agent.ts'
import { clientOf } from './oauth4webapi.ts'

const { ledger } = target.apis
const { planner, researcher, writer } = target.teams.served
const [asPlanner, asResearcher, asWriter] = hopsOf('served', ledger)
const [plans, researches, writes] = await Promise.all([
  clientOf(planner),
  clientOf(researcher),
  clientOf(writer),
])
/** What crossed the wire, in order. */
const tokens: string[] = []
let stops: readonly (() => Promise<void>)[] = []

beforeAll(async () => {
  stops = await Promise.all([
    openDoor(researcher, (text, subject_token) =>
      send(text, writer, researches, async () => {
        const token = await researches.exchange({ ...asResearcher.parameters, subject_token })
        tokens.push(token)
        return token
      }),
    ),
    openDoor(writer, async (scope, subject_token) => {
      const token = await writes.exchange({ ...asWriter.parameters, scope, subject_token })
      tokens.push(token)
      return JSON.stringify(await writes.call(token, new URL(ENTRIES)))
    }),
  ])
})
afterAll(() => Promise.all(stops.map((stop) => stop())))

/** The user's work, of which the message says what the writer is to ask for. */
function ask(scope: string): Promise<string> {
  tokens.length = 0
  return send(scope, researcher, plans, async () => {
    const token = await plans.exchange({
      ...asPlanner.parameters,
      subject_token: idToken('served'),
    })
    tokens.push(token)
    return token
  })
}

test('three agents that speak A2A walk three hops', async () => {
  expect(JSON.parse(await ask(ledger.read))).toEqual(entriesFor('served'))
  expectChain(tokens, 'served', ledger)
})

test('a refusal at the last hop comes back to the first', async () => {
  const answer = JSON.parse(await ask(`${ledger.read} ${ledger.write}`))
  expect(answer).toEqual({ error: 'invalid_scope', reason: 'scope_not_permitted' })
})

test('a token for one door opens no other', async () => {
  await ask(ledger.read)
  const [handed = ''] = tokens
  const shown = send(ledger.read, writer, plans, () => Promise.resolve(handed))
  await expect(shown).rejects.toThrow('401')
})
