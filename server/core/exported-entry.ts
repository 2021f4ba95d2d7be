/** An entry of the log as exports see it: what they know by name, among whatever else it has. */
export interface ExportedEntry {
  /** Seconds since the epoch. */
  readonly time: number
  readonly ref: string
  readonly tenant: string
  readonly code: string
  readonly event: string
  readonly outcome: string
  readonly action?: string
  readonly reason?: string
  readonly client?: string
  readonly author?: string
  readonly subject?: string
  readonly agent?: string
  readonly kid?: string
  readonly version_after?: string
  readonly txn?: string
  readonly jti?: string
  readonly traceparent?: string
  readonly target?: string
  readonly scope_after?: readonly string[]
  readonly expires_at?: number
  readonly tool?: string
  readonly object?: string
  readonly ended_because?: string
}

export interface IndexedExport {
  /** Of its leaf in the tenant's tree. */
  readonly index: number
  readonly entry: ExportedEntry
}
