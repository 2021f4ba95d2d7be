/** Where a witness keeps what it cosigned, declared by its user (witness-checkpoint.ts). */

/** The newest checkpoint of a log that this server cosigned. */
export interface WitnessedLog {
  readonly size: number
  /** Base64, as the checkpoint has it. */
  readonly root: string
  /** The note, with the log's signature and ours. */
  readonly note: string
}

export interface WitnessedLogs {
  /** Undefined: none of the log's checkpoints was ever cosigned. Sees what any process has kept until now. */
  find(origin: string): WitnessedLog | undefined
  /**
   * Puts `next` in the place of `expected`, if that is still what is there: one step across processes, so that two checkpoints are
   * never both the next. Durable when it resolves. False: another one is there.
   */
  advance(
    origin: string,
    change: { readonly expected: WitnessedLog | undefined; readonly next: WitnessedLog },
  ): Promise<boolean>
}
