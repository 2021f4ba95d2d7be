/** Why the server does not start: sentences for the operator, each naming what to change. Not a fault: no stack is shown. */
export class StartRefused extends Error {
  override readonly name = 'StartRefused'
  readonly sentences: readonly string[]

  constructor(sentences: readonly string[]) {
    super(sentences.join('\n'))
    this.sentences = sentences
  }
}
