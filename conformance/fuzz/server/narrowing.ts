/** Whether a token is within the one it was made from, which its own hops cannot show of a holder's exchange. */
import { isDeepStrictEqual } from 'node:util'
import { namesOf } from '../mask.ts'

type Claims = Readonly<Record<string, unknown>>

interface Bounds {
  readonly root: {
    readonly iat: number
    readonly scope: readonly string[]
    readonly reach: readonly string[]
  }
  readonly hops: readonly { readonly scope: number; readonly reach: number }[]
}

/** What the child has that its parent had not, in words; undefined where it is within, or has no parent. */
export function narrowingFault(child: Claims, parent: Claims | undefined): string | undefined {
  if (parent === undefined) return undefined
  const [mine, theirs] = [boundsOf(child), boundsOf(parent)]
  if (!isDeepStrictEqual(mine.root, theirs.root)) return 'another root'
  for (const name of ['txn', 'sub', 'iss'])
    if (child[name] !== parent[name]) return `another ${name}`
  for (const member of ['scope', 'reach'] as const) {
    const had = namesOf(theirs.root[member], theirs.hops[0]?.[member])
    const more = namesOf(mine.root[member], mine.hops[0]?.[member]).filter(
      (name) => !had.includes(name),
    )
    if (more.length > 0) return `${member} beyond its parent's: ${more.join(' ')}`
  }
  if (Number(child['exp']) > Number(parent['exp'])) return 'it outlives its parent'
  const isHolder = child['client_id'] === parent['client_id']
  const [before, after] = [mine.hops.slice(1), isHolder ? theirs.hops.slice(1) : theirs.hops]
  if (!isDeepStrictEqual(before, after)) return 'its chain is not its parent’s'
  return undefined
}

function boundsOf(claims: Claims): Bounds {
  return claims['act_bounds'] as Bounds
}
