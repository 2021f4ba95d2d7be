/** All that streams of security events need, in one place for the doors that lead there. */
import type { EventStreamDeps } from './event-streams.ts'
import type { PollDeps } from './poll-events.ts'

export interface SharedSignals extends EventStreamDeps, PollDeps {
  /** Seals the secret that a receiver of this tenant wants to be shown with each event. */
  readonly seal: (tenant: string, text: string) => string
}
