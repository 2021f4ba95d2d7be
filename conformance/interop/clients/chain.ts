/** The chain as every library in this process walks it: three exchanges, a call of the API, and one exchange too many. */
import { expect } from 'vitest'
import { ENTRIES, entriesFor, expectChain, hopsOf, idToken, target } from '../given.ts'
import type { Agent, TeamName } from '../target.ts'

export type Parameters = Readonly<Record<string, string>>

/** One agent, as a library sees it. */
export interface LibraryClient {
  /** A token exchange with these parameters; resolves with the access token. */
  exchange(parameters: Parameters): Promise<string>
  /** GET with the token, and a proof where the token is bound; resolves with the JSON of the answer. */
  call(token: string, url: URL): Promise<unknown>
}

/** Expects the chain and the API's answer; resolves with what the library threw when the writer asked for more than it was handed. */
export async function walkChain(
  team: TeamName,
  clientOf: (agent: Agent) => Promise<LibraryClient>,
): Promise<unknown> {
  const { ledger } = target.apis
  const [first, second, third] = hopsOf(team, ledger)
  const [planner, researcher, writer] = await Promise.all(
    [first, second, third].map(({ agent }) => clientOf(agent)),
  )
  const one = await planner?.exchange({ ...first.parameters, subject_token: idToken(team) })
  const two = await researcher?.exchange({ ...second.parameters, subject_token: String(one) })
  const handed = { ...third.parameters, subject_token: String(two) }
  const three = await writer?.exchange(handed)
  expectChain([one, two, three].map(String), team, ledger)
  expect(await writer?.call(String(three), new URL(ENTRIES))).toEqual(entriesFor(team))
  const wider = { ...handed, scope: `${ledger.read} ${ledger.write}` }
  return writer?.exchange(wider).then(
    () => undefined,
    (error: unknown) => error,
  )
}
