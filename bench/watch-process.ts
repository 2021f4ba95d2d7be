/**
 * Resource servers in one process: verifiers with status lists of their own, shown the same tokens every five
 * milliseconds, and when each came to which outcome. Argument: WatchSettings.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { statusLists } from '@actchain/verifier/status'
import { createVerifier, VerificationError, type Verifier } from '../lib/src/index.ts'
import { CountedFetch } from './counted-fetch.ts'
import { monotonic } from './monotonic.ts'
import type { Outcome, Span, WatchAsk, WatchMessage, WatchSettings } from './watch.ts'

const PAUSE_MILLISECONDS = 5
const NEED = { scope: 'ledger:propose' } as const

interface Watcher {
  readonly verifier: Verifier
  readonly source: CountedFetch
  /** By the name of what is watched. */
  readonly spans: Map<string, Span[]>
  /** Acceptances that began after the time that is counted from. */
  late: number
}

const settings = JSON.parse(process.argv[2] ?? '') as WatchSettings
const watchers = Array.from({ length: settings.verifiers }, (): Watcher => {
  const { issuer, audience, origin, freshness } = settings
  const source = new CountedFetch(issuer, origin)
  const verifier = createVerifier({
    issuer,
    audience,
    revocation: statusLists({ freshness }),
    bearer: 'allowed',
    fetch: source.fetch,
  })
  return { verifier, source, spans: new Map(), late: 0 }
})
const watched = new Map<string, string>()
let isOpen = true
let countedFrom = Number.POSITIVE_INFINITY

async function judge({ verifier }: Watcher, token: string): Promise<Outcome> {
  const url = `${settings.audience}/entries`
  try {
    await verifier.verify({ token, method: 'GET', url, scheme: 'Bearer' }, NEED)
    return 'accepted'
  } catch (error) {
    if (error instanceof VerificationError) return error.reason
    throw error
  }
}

async function look(watcher: Watcher, name: string, token: string): Promise<void> {
  const began = monotonic()
  const outcome = await judge(watcher, token)
  if (outcome === 'accepted' && began > countedFrom) watcher.late += 1
  const spans = watcher.spans.get(name) ?? []
  watcher.spans.set(name, spans)
  const last = spans.at(-1)
  if (last?.outcome === outcome) spans.splice(-1, 1, { ...last, until: began })
  else spans.push({ outcome, from: monotonic(), until: began })
}

/** No verifier waits for another: one that is fetching holds up its own looks alone. */
async function watch(watcher: Watcher): Promise<void> {
  while (isOpen) {
    for (const [name, token] of watched) await look(watcher, name, token)
    await pause(PAUSE_MILLISECONDS)
  }
}

async function untilAll(name: string, outcome: Outcome): Promise<readonly number[]> {
  for (;;) {
    const lasts = watchers.map(({ spans }) => spans.get(name)?.at(-1))
    if (lasts.every((last) => last?.outcome === outcome))
      return lasts.map((last) => last?.from ?? 0)
    await pause(PAUSE_MILLISECONDS)
  }
}

async function answer(asked: WatchAsk): Promise<unknown> {
  switch (asked.ask) {
    case 'watch':
      watched.set(asked.name, asked.token)
      return undefined
    case 'until':
      return untilAll(asked.name, asked.outcome)
    case 'drop':
      watched.delete(asked.name)
      return watchers.map(({ spans }) => spans.get(asked.name) ?? [])
    case 'judge':
      return Promise.all(
        watchers.map((watcher) => Promise.all(asked.tokens.map((token) => judge(watcher, token)))),
      )
    case 'count':
      countedFrom = asked.after
      return undefined
    case 'counted':
      countedFrom = Number.POSITIVE_INFINITY
      return watchers.map(({ late }) => late)
    case 'bytes':
      return watchers.map(({ source }) => source.fetched)
    case 'close':
      isOpen = false
      for (const { verifier } of watchers) verifier.close()
      return undefined
  }
}

function tell(message: WatchMessage): void {
  process.send?.(message)
}

process.on('message', (message: WatchAsk & { readonly id: number }) => {
  const { id } = message
  answer(message)
    .then((reply) => tell({ id, reply }))
    .catch((fault: unknown) => tell({ id, fault: String(fault) }))
    .finally(() => {
      if (message.ask === 'close') process.disconnect?.()
    })
})
tell({ id: 0 })
await Promise.all(watchers.map(watch))
