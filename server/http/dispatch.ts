/**
 * The first look at a request: which tenant, which endpoint, which method. By exact path and allow-list, before anything
 * is read or looked up; a path of another spelling is nobody's.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { REASONS } from '../core/refusal.ts'

export type RequestListener = (req: IncomingMessage, res: ServerResponse) => void

export interface DispatchDeps {
  /** Sees a request before everybody else, and takes out of it what only a proxy may say. */
  readonly receive: (req: IncomingMessage) => void
  /** The OAuth endpoints of a tenant; undefined where there is no such tenant. */
  readonly oauthOf: (tenant: string) => RequestListener | undefined
  /** The management API and its description. */
  readonly admin: RequestListener
  /** Status lists and their feed. */
  readonly status: RequestListener
  /** Metadata and keys of security events, and events of others. */
  readonly events: RequestListener
  /** What a witness of other logs answers; undefined: this server is none. */
  readonly witness?: RequestListener | undefined
  /** Everything else: public documents, and the answer to what is not found. */
  readonly documents: RequestListener
}

const OAUTH_PATH = /^\/t\/([a-z][a-z0-9-]{0,62})(\/(?:token|introspect|revoke))$/

/** The admin API, its description, and what is managed under a tenant's own issuer. */
const MANAGEMENT_PATH =
  /^\/(?:admin\/v1\/|openapi\.json$|t\/[a-z][a-z0-9-]{0,62}\/(?:(?:tasks|audit)(?:\/|$)|ssf\/(?:stream|status|verify)$|ssf\/poll\/))/

/** What is public of a transmitter of security events, and the door for those of others. */
const EVENTS_PATH =
  /^\/(?:\.well-known\/ssf-configuration\/|t\/[a-z][a-z0-9-]{0,62}\/ssf\/(?:jwks$|receive\/))/

const STATUS_PATH = /^\/t\/[a-z][a-z0-9-]{0,62}\/(?:status(?:\/|$)|events$)/

const WITNESS_PATH = /^\/witness\/v1\//

export function createDispatch(deps: DispatchDeps): RequestListener {
  const { receive, oauthOf, admin, status, events, witness, documents } = deps
  return (req, res) => {
    receive(req)
    const path = exactPath(req)
    if (MANAGEMENT_PATH.test(path)) return admin(req, res)
    if (STATUS_PATH.test(path)) return status(req, res)
    if (EVENTS_PATH.test(path)) return events(req, res)
    if (WITNESS_PATH.test(path)) return (witness ?? documents)(req, res)
    const [, tenant, endpoint] = OAUTH_PATH.exec(path) ?? []
    const oauth = tenant === undefined ? undefined : oauthOf(tenant)
    if (oauth === undefined || endpoint === undefined) {
      documents(req, res)
    } else if (req.method === 'POST') {
      // oidc-provider knows itself mounted by the difference of the two; nothing in a query is a parameter.
      Object.assign(req, { originalUrl: path, url: endpoint })
      oauth(req, res)
    } else {
      refuseMethod(res)
    }
  }
}

/** The request target up to its query, as sent: not decoded, no dots, slashes or fragment tidied away. */
export function exactPath({ url = '/' }: IncomingMessage): string {
  const query = url.indexOf('?')
  return query < 0 ? url : url.slice(0, query)
}

/** RFC 6749 §3.2: the client uses POST. */
function refuseMethod(res: ServerResponse): void {
  res.writeHead(405, {
    allow: 'POST',
    'content-type': 'application/json',
    'cache-control': 'no-store',
  })
  res.end(
    JSON.stringify({
      error: 'invalid_request',
      error_description: 'this endpoint takes POST',
      reason: 'request_malformed',
    }),
  )
}

/** Endpoints of a tenant that cannot be told now. */
export function answerUnavailable(_req: IncomingMessage, res: ServerResponse): void {
  const { error, status, text } = REASONS.unavailable
  res.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' })
  res.end(JSON.stringify({ error, error_description: text, reason: 'unavailable' }))
}
