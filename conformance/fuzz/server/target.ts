/** The server that requests and chains are tried on, and what is known of it. */
import type { Agent, Api, Party } from '../../suite/profile.ts'

/** What a profile of the suite has, and no more of it. */
export interface Target {
  readonly issuer: string
  /** Path of a PEM file with the authority that signed the server's certificate. */
  readonly ca?: string
  readonly agents: Readonly<Record<'first' | 'second' | 'third', Agent>>
  readonly idp: Party & { readonly issuer: string; readonly subject: string }
  readonly api: Api & { readonly read: string; readonly write: string }
}

/** A look at the process: only whoever started it can have one. */
export interface Watch {
  /** Bytes of its own memory. */
  memory(): number
  /** What it did that no server may: ended, not ready, said in its log; undefined where it is well. */
  fault(): Promise<string | undefined>
}
