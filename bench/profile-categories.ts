/**
 * Where the main thread's time goes: every sample of a CPU profile belongs to the function that ran, and so to one
 * component. Native code has no file; it belongs to whoever called it.
 */
import type { Profiler } from 'node:inspector/promises'

export interface FunctionTime {
  readonly component: string
  readonly name: string
  readonly file: string
  /** Microseconds. */
  readonly self: number
  /** With everything it called before it first awaited. */
  readonly total: number
}

type Node = Profiler.ProfileNode

/** First match wins. */
const COMPONENTS: readonly (readonly [RegExp, string])[] = [
  [/^node:internal\/crypto\/(sig|keys)/, 'signatures (one-shot node:crypto)'],
  [/^node:internal\/crypto\/hash/, 'hashes (node:crypto)'],
  [/^node:internal\/crypto\//, 'jose and webcrypto'],
  [/node_modules\/jose\//, 'jose and webcrypto'],
  [/node_modules\/(lmdb|msgpackr|ordered-binary)|server\/store\//, 'store'],
  [/^node:(internal\/worker|worker_threads|internal\/fs|fs)/, 'store'],
  [/\/(server|lib\/src|keys)\//, 'ours'],
  [/node_modules\//, 'oidc-provider, koa and theirs'],
  [/^node:(_?http|net|internal\/(http|net|streams|stream_base)|stream)/, 'http (node:http, net)'],
  [/^node:/, 'node, other'],
]
const NATIVE = 'native, outside JavaScript'
const SPECIAL: ReadonlyMap<string, string> = new Map([
  ['(garbage collector)', 'garbage collection'],
  ['(program)', NATIVE],
])
const ROOT = '(root)'
const IDLE = '(idle)'

/** Every function that was seen at work, each once. */
export function functionTimes(profile: Profiler.Profile): readonly FunctionTime[] {
  const [root] = profile.nodes
  if (root === undefined) throw new Error('the profile is empty')
  const walk: Walk = {
    selfTimes: timesOf(profile),
    nodes: new Map(profile.nodes.map((node) => [node.id, node])),
    found: new Map(),
  }
  addTimes(walk, root, NATIVE, new Set())
  return [...walk.found.values()]
}

interface Walk {
  readonly selfTimes: ReadonlyMap<number, number>
  readonly nodes: ReadonlyMap<number, Node>
  readonly found: Map<string, FunctionTime>
}

/** Adds what a node and all below it took; returns it. `open` are the functions that are on the stack. */
function addTimes(walk: Walk, node: Node, owner: string, open: ReadonlySet<string>): number {
  const { functionName, url, lineNumber } = node.callFrame
  if (functionName === IDLE) return 0
  const component = SPECIAL.get(functionName) ?? componentOf(url) ?? owner
  const file = `${shortened(url)}:${lineNumber + 1}`
  const key = `${component} ${functionName} ${file}`
  const self = walk.selfTimes.get(node.id) ?? 0
  const below = new Set(open).add(key)
  const children = (node.children ?? []).flatMap((id) => walk.nodes.get(id) ?? [])
  const total = children.reduce((sum, child) => sum + addTimes(walk, child, component, below), self)
  if (functionName === ROOT) return total
  const known = walk.found.get(key)
  walk.found.set(key, {
    component,
    name: functionName === '' ? '(anonymous)' : functionName,
    file,
    self: (known?.self ?? 0) + self,
    // A function that calls itself counts once.
    total: (known?.total ?? 0) + (open.has(key) ? 0 : total),
  })
  return total
}

/** Microseconds by node: a sample stands for the time until the next one. */
function timesOf({ samples = [], timeDeltas = [] }: Profiler.Profile): ReadonlyMap<number, number> {
  const times = new Map<number, number>()
  for (const [at, id] of samples.entries()) {
    times.set(id, (times.get(id) ?? 0) + Math.max(0, timeDeltas[at + 1] ?? 0))
  }
  return times
}

function componentOf(url: string): string | undefined {
  if (url === '') return undefined
  return COMPONENTS.find(([pattern]) => pattern.test(url))?.[1] ?? 'node, other'
}

/** From the project's root, or from the package's. */
function shortened(url: string): string {
  if (url === '') return 'native'
  return url.replace(/^.*\/node_modules\//, '').replace(new URL('..', import.meta.url).href, '')
}
