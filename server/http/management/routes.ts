/** Every route of the management API but its two token endpoints, which speak OAuth (sign-in.ts). */
import { STREAM_ROUTES } from '../ssf/stream-routes.ts'
import { AGENT_ROUTES } from './agents.ts'
import { AUDIT_ROUTES } from './audit.ts'
import { ERASURE_ROUTES } from './erasures.ts'
import { EXPLANATION_ROUTES } from './explanations.ts'
import { KEY_ROUTES } from './keys.ts'
import { RECORD_ROUTES } from './records.ts'
import { REVOCATION_ROUTES } from './revocations.ts'
import { createPathReader, type Parameters, type Route } from './route.ts'
import { TASK_ROUTES } from './tasks.ts'
import { TENANT_ROUTES } from './tenants.ts'
import { USAGE_ROUTES } from './usage.ts'
import { VERSION_ROUTES } from './versions.ts'

export const ROUTES: readonly Route[] = [
  ...TENANT_ROUTES,
  ...VERSION_ROUTES,
  ...AGENT_ROUTES,
  ...USAGE_ROUTES,
  ...KEY_ROUTES,
  ...EXPLANATION_ROUTES,
  ...STREAM_ROUTES,
  ...REVOCATION_ROUTES,
  ...TASK_ROUTES,
  ...AUDIT_ROUTES,
  ...RECORD_ROUTES,
  ...ERASURE_ROUTES,
]

export interface MatchedPath {
  readonly parameters: Parameters
  /** By method; never empty. */
  readonly routes: ReadonlyMap<string, Route>
}

const PATHS = [...Map.groupBy(ROUTES, ({ path }) => path)].map(([path, routes]) => ({
  read: createPathReader(path),
  routes: new Map<string, Route>(routes.map((route) => [route.method, route])),
}))

export function matchPath(path: string): MatchedPath | undefined {
  for (const { read, routes } of PATHS) {
    const parameters = read(path)
    if (parameters !== undefined) return { parameters, routes }
  }
  return undefined
}
