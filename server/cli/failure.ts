/** A command's failure that the user is told in one plain sentence. */

/** 1: refused or failed. 2: misused. */
export type FailureCode = 1 | 2

export class Failure extends Error {
  override readonly name = 'Failure'
  readonly exitCode: FailureCode

  /** `sentence` says what is wrong and what to do; it holds no secret and no token. */
  constructor(sentence: string, exitCode: FailureCode = 1) {
    super(sentence)
    this.exitCode = exitCode
  }
}
