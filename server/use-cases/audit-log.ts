/**
 * The record: what is appended of every decision and change, and how it is read. One log for each tenant, one for what is no
 * tenant's. Times are seconds since the epoch.
 */
import type { AuthMethod } from '../core/agent-auth.ts'
import type { StatedObligations } from '../core/rules.ts'
import type { KeyProof, Signal, TextName } from '../core/tenant.ts'

export type { TextName }

/** Free texts by their names. */
export type Texts = Readonly<Partial<Record<TextName, string>>>

/** One decision or change, as it is handed to the log. Ids and reasons only: no token, assertion, proof, key or secret. */
export interface AuditEntry {
  readonly time: number
  /** The request's random reference, also in the error body (`error_ref`) and the log. */
  readonly ref: string
  readonly tenant: string
  readonly tenant_version: string
  readonly event:
    | 'token'
    | 'revocation'
    | 'introspection'
    | 'management'
    | 'task'
    | 'security_event'
    | 'audit'
    | 'record'
  readonly outcome: 'permit' | 'refuse' | 'ask'
  /** Public reason of a refusal. */
  readonly reason?: string
  /** The exact guard that refused, from a closed list; never leaves the server. */
  readonly guard?: string
  readonly client?: string
  /** How the client authenticated, and the credential's own name: a key's, a certificate's, a workload's. */
  readonly client_auth?: AuthMethod
  readonly credential?: string
  /** What the caller proved to hold: the posture the decision saw. */
  readonly bound_by?: KeyProof
  /** Issuer of the attestation the caller came with. */
  readonly attester?: string
  /** What looked wrong in the task and was counted, as the decision saw it; empty where its triggers saw nothing. */
  readonly anomalies?: readonly Signal[]
  readonly subject?: string
  readonly way_in?: 'holder' | 'recipient' | 'root' | 'client'
  readonly task_type?: string
  readonly txn?: string
  /** W3C Trace Context, as the caller sent it and as far as it is well-formed. */
  readonly traceparent?: string
  readonly parent_jti?: string
  readonly jti?: string
  /** Agent ids from the root to the holder. */
  readonly chain?: readonly string[]
  readonly target?: string
  readonly scope_before?: readonly string[]
  readonly scope_requested?: readonly string[]
  readonly scope_after?: readonly string[]
  readonly expires_at?: number
  /** Ids of the tenant's rules that decided. */
  readonly policies?: readonly string[]
  readonly obligations?: StatedObligations
  /** Of a management request: who asked, with which roles, for what. */
  readonly author?: string
  readonly roles?: readonly string[]
  readonly action?: string
  readonly agent?: string
  /** Of a signing key: made, brought, killed. */
  readonly kid?: string
  /** From when a key signs. */
  readonly signs_from?: number
  readonly version_before?: string
  readonly version_after?: string
  /** What differs between the two, entry by entry. */
  readonly changes?: readonly string[]
  /** Of what was ended: why, in the server's own words (a trigger's, a fact's); an author's are among `texts`. */
  readonly ended_because?: string
  readonly place?: string
  readonly revocation?: string
  readonly tasks_reached?: number
  readonly places_reached?: number
  /** Of an erasure: how many kept texts were made unreadable. */
  readonly texts_erased?: number
  /** Of what a resource server did with a token: its own id for the record, and what it says (verifier's `record`). */
  readonly record?: string
  readonly tool?: string
  readonly object?: string
  readonly input_digest?: string
  readonly result?: 'succeeded' | 'failed' | 'refused'
  readonly change_ref?: string
  readonly recorded_at?: number
  /** Of a reading of the log: what was asked for. */
  readonly query?: Readonly<Record<string, string>>
  /** Never written: the log keeps a salted digest of each, and the text itself, sealed, only where the tenant says so. */
  readonly texts?: Texts
}

/** An entry as it stands in the log: with its event code, and digests where texts were. */
export interface StoredEntry extends Omit<AuditEntry, 'texts'> {
  /** Of the one table (core/audit-code.ts). */
  readonly code: string
  /** `sha-256:{base64url}` over salt and text, by the text's name. */
  readonly digests?: Readonly<Partial<Record<TextName, string>>>
}

export interface AuditLog {
  /** Resolves when the entry is durable. Throws when it cannot be: the caller then answers 503, never a token. */
  append(entry: AuditEntry): Promise<void>
  /**
   * As `append`, for what ends something: where the log cannot be written, the entry is durable in a journal that has its room
   * already, and comes into the log when that can be written again. Throws only where the journal is full or fails too. Of who
   * signs in to end something as well: half of the journal is not theirs.
   */
  appendRevocation(entry: AuditEntry): Promise<void>
  /** The last write failed a moment ago: what issues says 503 before it claims anything. */
  readonly isFailing: boolean
}

/** What cannot be put on record is not begun: a fault (503) while the log fails. */
export function ensureRecordable({ isFailing }: Pick<AuditLog, 'isFailing'>): void {
  if (isFailing) throw new Error('the audit log failed a moment ago')
}

/** A hop whose exchange a crash may have interrupted. */
export interface InterruptedHop {
  readonly tenant: string
  readonly txn: string
  readonly jti: string
}

/** Which of the hops have an entry that says their token was issued; none of them was recorded before `since`. */
export type FindIssued = <Hop extends InterruptedHop>(
  hops: readonly Hop[],
  since: number,
) => Promise<ReadonlySet<Hop>>

/** An entry where it is. */
export interface RecordedEntry {
  /** Its leaf in the tenant's tree, from 0. */
  readonly index: number
  /** The leaf's bytes: the line without its end. */
  readonly bytes: Uint8Array
  /** Undefined: a write that a crash or a full disk cut short. */
  readonly entry: StoredEntry | undefined
}

/** All that is given has to fit. */
export interface AuditQuery {
  readonly txn?: string | undefined
  /** Who asked, was changed, or acts in the chain. */
  readonly agent?: string | undefined
  readonly subject?: string | undefined
  /** URI of the target. */
  readonly resource?: string | undefined
  readonly outcome?: AuditEntry['outcome'] | undefined
  readonly reason?: string | undefined
  readonly code?: string | undefined
  /** `from <= time < to`. */
  readonly from?: number | undefined
  readonly to?: number | undefined
}

export interface AuditPage {
  readonly entries: readonly RecordedEntry[]
  /** Go on below this index; undefined: there is no more. A page may be short, even empty, and go on. */
  readonly next: number | undefined
}

/** The logs, to be read. All that any process had appended when it was asked is seen. */
export interface AuditRecords {
  /** Newest first, those below the index `before` alone. */
  search(
    tenant: string,
    query: AuditQuery,
    page: { readonly limit: number; readonly before: number | undefined },
  ): Promise<AuditPage>
  /** Oldest first, at or above the index `after`. */
  walk(
    tenant: string,
    query: AuditQuery,
    page: { readonly limit: number; readonly after: number },
  ): Promise<AuditPage>
  /** The entry by which this token of the task was issued. Reads the task's entries: for what is asked seldom. */
  findIssued(tenant: string, txn: string, jti: string): Promise<StoredEntry | undefined>
  /** Whether a resource server's record with this id is in the log. */
  hasRecord(tenant: string, resource: string, record: string): Promise<boolean>
  /** Signed over all entries there were when it was asked (C2SP tlog-checkpoint); undefined: the log is empty. */
  checkpoint(tenant: string): Promise<string | undefined>
  /** What its checkpoints are verified with: a verifier key (C2SP signed-note). */
  key(tenant: string): Promise<string>
  /** RFC 9162 §2.1.3: of the leaf in the tree of `size` leaves. */
  inclusionProof(tenant: string, index: number, size: number): Promise<readonly Uint8Array[]>
  /** RFC 9162 §2.1.4. */
  consistencyProof(tenant: string, from: number, to: number): Promise<readonly Uint8Array[]>
  /** The texts that were kept of entries, by `ref`; erased ones are not there. Reads all that is kept, once. */
  textsOf(tenant: string, refs: readonly string[]): Promise<ReadonlyMap<string, Texts>>
  /** Makes the kept texts of these entries unreadable, for good; the log stays as it is. How many were there. */
  eraseTexts(tenant: string, refs: readonly string[]): Promise<number>
}
