/**
 * A small reference model of the exchange: what a person with the tenant's facts and the format's rules would expect, told
 * in sets and lists. Written from docs/chain-format.md §3 and nothing of the server.
 */

type Names = ReadonlySet<string>
const names = (...all: string[]): Names => new Set(all)
const reach = (text: string): Names => new Set(text.split(' '))
const both = (a: Names, b: Names): Names => new Set([...a].filter((name) => b.has(name)))

interface ModelAgent {
  readonly scopes: Names
  readonly mayReach: Names
  /** Resource id of its endpoint, or of its generated home. */
  readonly home: string
}

const FILES = ['files:read', 'files:write']
const ALL = [...FILES, 'mail:send', 'pay:transfer']

export const AGENTS: Readonly<Record<string, ModelAgent>> = {
  planner: {
    scopes: names(...ALL),
    mayReach: reach('researcher-a2a coder-a2a files-api mail-api pay-api planner-a2a rogue-a2a'),
    home: 'planner-a2a',
  },
  researcher: {
    scopes: names(...FILES, 'mail:send'),
    mayReach: names('coder-a2a', 'files-api', 'mail-api', 'planner-a2a'),
    home: 'researcher-a2a',
  },
  coder: {
    scopes: names(...FILES),
    mayReach: names('files-api', 'rogue-a2a', 'planner-a2a'),
    home: 'coder-a2a',
  },
  rogue: { scopes: names(...ALL), mayReach: names('planner-a2a'), home: 'rogue-a2a' },
}

/** Scopes an API defines, or an agent accepts to be handed. */
export const RESOURCES: Readonly<Record<string, { owner?: string; scopes: Names }>> = {
  'planner-a2a': { owner: 'planner', scopes: names(...FILES, 'mail:send') },
  'researcher-a2a': { owner: 'researcher', scopes: names(...FILES, 'mail:send') },
  'coder-a2a': { owner: 'coder', scopes: names(...FILES) },
  'rogue-a2a': { owner: 'rogue', scopes: names(...FILES, 'mail:send') },
  'files-api': { scopes: names(...FILES) },
  'mail-api': { scopes: names('mail:send') },
  'pay-api': { scopes: names('pay:transfer') },
}

/** The task type: no execute-tier scope is ever opened without a human. */
const ROOT = {
  scopes: names(...FILES, 'mail:send'),
  reach: reach('researcher-a2a coder-a2a files-api mail-api pay-api planner-a2a'),
  agents: 3,
  seconds: 600,
  tokenSeconds: 300,
}

export interface ModelToken {
  readonly tenant: string
  readonly subject: string
  /** Agents from the root to the holder. */
  readonly chain: readonly string[]
  readonly audience: string
  readonly scope: Names
  readonly reach: Names
  readonly expires: number
  readonly taskEnds: number
  readonly parent: ModelToken | undefined
  isRevoked: boolean
}

export interface Wish {
  readonly tenant: string
  readonly caller: string
  readonly target: string | undefined
  readonly scope: readonly string[] | undefined
}

/** What a root exchange by this agent gives; undefined where it is refused. */
export function open(wish: Wish, subject: string, now: number): ModelToken | undefined {
  if (wish.caller !== 'planner') return undefined
  const taskEnds = now + ROOT.seconds
  const everything = { scope: ROOT.scopes, reach: ROOT.reach, expires: taskEnds, taskEnds }
  const base = { tenant: wish.tenant, subject, audience: '', parent: undefined, isRevoked: false }
  return hop({ ...base, ...everything, chain: [] }, ['planner'], wish, now)
}

/** What an exchange of `token` gives; undefined where it is refused. */
export function exchange(token: ModelToken, wish: Wish, now: number): ModelToken | undefined {
  const owner = RESOURCES[token.audience]?.owner
  const isHolder = token.chain.at(-1) === wish.caller
  if (token.tenant !== wish.tenant || owner === undefined) return undefined
  if (!isHolder && owner !== wish.caller) return undefined
  if (!isHolder && token.chain.includes(wish.caller)) return undefined
  for (let at: ModelToken | undefined = token; at !== undefined; at = at.parent) {
    if (at.isRevoked) return undefined
  }
  if (now >= token.expires || now >= token.taskEnds) return undefined
  const child = hop(token, isHolder ? token.chain : [...token.chain, wish.caller], wish, now)
  return child && { ...child, parent: token }
}

function hop(
  parent: ModelToken,
  chain: readonly string[],
  wish: Wish,
  now: number,
): ModelToken | undefined {
  const caller = AGENTS[wish.caller]
  if (caller === undefined || chain.length > ROOT.agents) return undefined
  const audience = wish.target ?? caller.home
  const target = RESOURCES[audience]
  if (target === undefined || !parent.reach.has(audience)) return undefined
  if (audience !== caller.home && !caller.mayReach.has(audience)) return undefined
  const recipient = target.owner === undefined ? undefined : AGENTS[target.owner]
  const handed = recipient?.scopes ?? names(...ALL)
  const most = both(both(parent.scope, caller.scopes), both(target.scopes, handed))
  const scope = wish.scope === undefined ? most : names(...wish.scope)
  if (scope.size === 0 || [...scope].some((name) => !most.has(name))) return undefined
  const beyond = new Set([audience, ...(recipient?.mayReach ?? [])])
  const mine = audience === caller.home ? parent.taskEnds : now + ROOT.tokenSeconds
  return {
    ...parent,
    chain,
    audience,
    scope,
    reach: both(parent.reach, beyond),
    expires: Math.min(parent.expires, mine),
    isRevoked: false,
  }
}
