/** How a command ends that did not succeed. */

/** 1: refused or failed. 2: misused. */
export type FailureCode = 1 | 2

/** The user is told in one plain sentence, on stderr. */
export class Failure extends Error {
  override readonly name = 'Failure'
  readonly exitCode: FailureCode

  /** `sentence` says what is wrong and what to do; it holds no secret and no token. */
  constructor(sentence: string, exitCode: FailureCode = 1) {
    super(sentence)
    this.exitCode = exitCode
  }
}

/** The command did its work and the answer is no. It was printed: nothing is left to say, and the exit code is 1. */
export class AnsweredNo extends Error {
  override readonly name = 'AnsweredNo'
}
