/**
 * One thing that was done with a token, as it is told and as it is sent. Names are the resource server's own: what a caller
 * wrote goes into the digest, and a name that could break a line or a terminal is refused here, before it goes anywhere.
 */
import { encodeBase64url } from '../base64url.ts'
import type { VerificationReport } from '../report.ts'
import { INPUT_DIGEST } from './input-digest.ts'

const OUTCOMES = ['succeeded', 'failed', 'refused'] as const

export type ActionOutcome = (typeof OUTCOMES)[number]

export interface RecordedAction {
  /** What `verify` said of the token. */
  readonly of: Pick<VerificationReport, 'jti' | 'txn'>
  /** What was called, up to 128 characters. */
  readonly tool: string
  /** What it was called on, up to 512 characters. */
  readonly target: string
  /** Of `digestInput`: what it was called with. */
  readonly inputDigest?: string
  /**
   * What it was called with, up to 4096 characters: for a tenant that keeps inputs, sealed and erasable. The log has a digest of it.
   */
  readonly input?: string
  readonly outcome: ActionOutcome
  /** What changed: a commit, a row, a ticket; up to 256 characters. */
  readonly changeRef?: string
}

/** A record as it waits, is kept and is sent. */
export interface WaitingRecord {
  /** 128 random bits: however often it is sent, it is on record once. */
  readonly id: string
  readonly jti: string
  readonly txn: string
  readonly tool: string
  readonly target: string
  readonly input_digest?: string
  readonly input?: string
  readonly outcome: ActionOutcome
  readonly change_ref?: string
  /** RFC 3339. */
  readonly at: string
}

const LONGEST_INPUT = 4096

type Form = (value: unknown) => boolean

const isText = (value: unknown): boolean => typeof value === 'string' && value !== ''
/** Nothing that ends a line, moves a cursor or is no character. */
const isName = (most: number): Form => {
  const form = new RegExp(`^[^\\p{Cc}\\p{Cs}\\u2028\\u2029]{1,${most}}$`, 'u')
  return (value) => typeof value === 'string' && form.test(value)
}

const FORMS: Readonly<Record<keyof RecordedAction, Form>> = {
  of: (value) =>
    typeof value === 'object' &&
    value !== null &&
    isText(Reflect.get(value, 'jti')) &&
    isText(Reflect.get(value, 'txn')),
  tool: isName(128),
  target: isName(512),
  inputDigest: (value) => typeof value === 'string' && INPUT_DIGEST.test(value),
  input: (value) => typeof value === 'string' && value.length <= LONGEST_INPUT,
  outcome: (value) => OUTCOMES.some((known) => known === value),
  changeRef: isName(256),
}
const REQUIRED = ['of', 'tool', 'target', 'outcome'] as const

/** Throws TypeError that names the member; never quotes its value. */
export function toWaitingRecord(action: RecordedAction, seconds: number): WaitingRecord {
  for (const [name, value] of Object.entries<unknown>({ ...action })) {
    if (!Object.hasOwn(FORMS, name)) throw new TypeError(`unknown member: ${name}`)
    if (!FORMS[name as keyof RecordedAction](value)) throw new TypeError(`bad member: ${name}`)
  }
  for (const name of REQUIRED)
    if (action?.[name] === undefined) throw new TypeError(`missing member: ${name}`)
  const { of, tool, target, inputDigest, input, outcome, changeRef } = action
  return Object.freeze({
    id: encodeBase64url(crypto.getRandomValues(new Uint8Array(16))),
    jti: of.jti,
    txn: of.txn,
    tool,
    target,
    ...(inputDigest === undefined ? {} : { input_digest: inputDigest }),
    ...(input === undefined ? {} : { input }),
    outcome,
    ...(changeRef === undefined ? {} : { change_ref: changeRef }),
    at: new Date(seconds * 1000).toISOString(),
  })
}
