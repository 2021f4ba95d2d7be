/** What the status lists say of a token at this moment: read by hand, as a stranger to our code would. */
import { statusesOf } from '../http/status-site.ts'
import { payloadOf } from '../support/signing.ts'

export type ShownStatus = 'valid' | 'invalid' | 'suspended'

const NAMES: readonly ShownStatus[] = ['valid', 'invalid', 'suspended']

/** The strictest of its root's and of every hop's, which is what a verifier goes by (docs/chain-format.md §2, rule 6). */
export async function shownStatus(token: string): Promise<ShownStatus> {
  const { status, act_bounds: bounds } = payloadOf(token)
  const hops: { readonly idx: number }[] = [bounds.root, ...bounds.hops]
  const text = await (await fetch(status.status_list.uri)).text()
  const list = statusesOf(payloadOf(text))
  const all = hops.map(({ idx }) => NAMES[list.at(idx)])
  if (all.includes(undefined)) throw new Error('an index is outside its list')
  if (all.includes('invalid')) return 'invalid'
  return all.includes('suspended') ? 'suspended' : 'valid'
}
