/**
 * The newest checkpoint of each log goes to anchors outside: from then on nobody can cut or rewrite what it covers unseen, not even
 * who runs this server. Nothing waits for an anchor: one that is away gets whatever is newest when it is back.
 */
import type { AnchorAnswer, CheckpointAnchor, OfferedCheckpoint } from './checkpoint-anchor.ts'
import type { Clock } from './ports.ts'

export interface AnchoringDeps {
  readonly clock: Clock
  readonly anchors: readonly CheckpointAnchor[]
  /** Seconds between two rounds. */
  readonly every: number
  /** Names of the logs, always in the same order. */
  readonly logs: () => readonly string[]
  /** The log's newest checkpoint; undefined where there is none yet. */
  readonly newest: (log: string) => Promise<OfferedCheckpoint | undefined>
  /** Puts signature lines of others under a checkpoint. */
  readonly keepCosignatures: (
    checkpoint: OfferedCheckpoint,
    lines: readonly string[],
  ) => Promise<void>
  /** Told of each conflict and failure, and of a refusal when it begins. */
  readonly onAnswer: (anchor: CheckpointAnchor, log: string, answer: ToldAnswer) => void
  /** `log` is undefined where it is about none of them. */
  readonly onFault: (fault: unknown, log: string | undefined) => void
}

export type ToldAnswer = Exclude<AnchorAnswer, { readonly kind: 'kept' | 'overtaken' }>

/** Seconds an anchor that is away is left alone at most, unless rounds are further apart. */
const LONGEST_REST = 300

interface AnchorState {
  readonly anchor: CheckpointAnchor
  /** The newest note it has, by log. */
  readonly kept: Map<string, string>
  /** Refusals that were told, by log. */
  readonly told: Map<string, string>
  /** Logs it has another history of. */
  readonly conflicts: Set<string>
  failures: number
  restsUntil: number
}

export class AnchorRounds {
  readonly #deps: AnchoringDeps
  readonly #states: readonly AnchorState[]
  /** The log an anchor failed at: the next round begins behind it, so that no log keeps others from going out. */
  #after = ''
  #isStopped = false

  constructor(deps: AnchoringDeps) {
    this.#deps = deps
    this.#states = deps.anchors.map((anchor) => ({
      anchor,
      kept: new Map(),
      told: new Map(),
      conflicts: new Set(),
      failures: 0,
      restsUntil: 0,
    }))
  }

  /** Offers each log's newest checkpoint to every anchor that has not got it. Never rejects. */
  async run(): Promise<void> {
    for (const log of this.#order()) {
      if (this.#isStopped) return
      try {
        await this.#offer(log)
      } catch (fault) {
        this.#deps.onFault(fault, log)
      }
    }
  }

  #order(): readonly string[] {
    const after = this.#after
    try {
      const logs = this.#deps.logs()
      return [...logs.filter((log) => log > after), ...logs.filter((log) => log <= after)]
    } catch (fault) {
      this.#deps.onFault(fault, undefined)
      return []
    }
  }

  /** The round under way ends behind its present log. */
  stop(): void {
    this.#isStopped = true
  }

  /** Logs that do not fit what an anchor has of them, as far as it said when it last answered. */
  conflicts(): ReadonlySet<string> {
    return new Set(this.#states.flatMap(({ conflicts }) => [...conflicts]))
  }

  async #offer(log: string): Promise<void> {
    const { clock, newest, keepCosignatures } = this.#deps
    const checkpoint = await newest(log)
    if (checkpoint === undefined) return
    const now = clock.now()
    const waiting = this.#states.filter(
      ({ kept, restsUntil }) => restsUntil <= now && kept.get(log) !== checkpoint.note,
    )
    const answers = await Promise.all(waiting.map((state) => this.#ask(state, checkpoint)))
    const lines = answers.flatMap((answer) =>
      answer.kind === 'kept' ? (answer.cosignature ?? []) : [],
    )
    if (lines.length > 0) await keepCosignatures(checkpoint, lines)
    // Only now: what could not be kept is asked for again.
    for (const [at, { kept }] of waiting.entries()) {
      if (answers[at]?.kind === 'kept') kept.set(log, checkpoint.note)
    }
  }

  async #ask(state: AnchorState, checkpoint: OfferedCheckpoint): Promise<AnchorAnswer> {
    const { log } = checkpoint
    const answer = await state.anchor.offer(checkpoint).catch((fault: unknown): AnchorAnswer => {
      this.#deps.onFault(fault, log)
      return { kind: 'failed', why: 'fault' }
    })
    if (this.#isStopped && answer.kind === 'failed') return answer
    if (answer.kind === 'failed') this.#rest(state, log)
    else state.failures = 0
    if (answer.kind === 'conflict') state.conflicts.add(log)
    if (answer.kind === 'kept') state.conflicts.delete(log)
    const isNews = answer.kind !== 'refused' || state.told.get(log) !== answer.why
    if (answer.kind === 'refused') state.told.set(log, answer.why)
    else if (answer.kind !== 'failed') state.told.delete(log)
    if (answer.kind !== 'kept' && answer.kind !== 'overtaken' && isNews) {
      this.#deps.onAnswer(state.anchor, log, answer)
    }
    return answer
  }

  #rest(state: AnchorState, log: string): void {
    const { clock, every } = this.#deps
    state.failures += 1
    const seconds = every * 2 ** Math.min(state.failures - 1, 16)
    state.restsUntil = clock.now() + Math.min(seconds, Math.max(every, LONGEST_REST))
    this.#after = log
  }
}
