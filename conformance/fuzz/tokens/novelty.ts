/** What makes an input worth keeping: verifier and reader together said something that they had not said before. */

import type { TokenInput } from './input.ts'
import type { Judgement } from './judge.ts'

/** Accepted ones differ by the resource server that accepted them. */
export function nameOf({ setting }: TokenInput, { outcome, reading }: Judgement): string {
  if (outcome === 'accepted') return `accepted by ${setting}`
  return reading === undefined || outcome === reading ? outcome : `${outcome}, read as ${reading}`
}

/** Characters of a token that is kept for being new: a corpus is to be read. */
const LONGEST = 2_400

/** An input stands alone: one that was refused for what came before it does not. */
export function isKeepable({ token, request }: TokenInput, { outcome }: Judgement): boolean {
  if (outcome === 'proof_replayed') return false
  return token.length + (request.proof?.length ?? 0) <= LONGEST
}
