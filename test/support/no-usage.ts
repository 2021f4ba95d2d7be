/** Notes of use that go nowhere. */
import type { UsageLog } from '../../server/use-cases/usage.ts'

export const NO_USAGE: UsageLog = {
  token: () => {},
  client: () => {},
  roles: () => {},
  flush: async () => {},
  read: async () => new Map(),
}
