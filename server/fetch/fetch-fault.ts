/**
 * The one fault of a fetch. It says which rule ended it and nothing else: what was behind an address, or why a
 * connection failed, would let a caller look into our network (attack case K01).
 */

export type FetchFaultCode =
  | 'url_refused'
  | 'address_refused'
  | 'unreachable'
  | 'timeout'
  | 'status_refused'
  | 'too_large'
  | 'not_json'
  /** It came, and is not what it should be. */
  | 'document_refused'

export class FetchFault extends Error {
  override readonly name = 'FetchFault'
  readonly code: FetchFaultCode

  /** Never takes a `cause`. */
  constructor(code: FetchFaultCode) {
    super('fetch failed')
    this.code = code
  }
}
