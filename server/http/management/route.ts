/** A route of the management API as data: what checks it, what runs it and what describes it are read from the one table. */
import type { z } from 'zod'
import type { ManagementReason, ManagementRefusal } from '../../core/management-refusal.ts'
import type { Author, AuthorRole } from '../../use-cases/author.ts'
import type { DecisionRecord } from '../../use-cases/decision-record.ts'
import type { AuditEntry } from '../../use-cases/ports.ts'
import type { ManagementDeps } from './management-deps.ts'

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** Names of the parts of a path, and the only texts they match; any other path is not found. */
export const PARAMETERS = {
  tenant: '[a-z][a-z0-9-]{0,62}',
  agent: '[a-z][a-z0-9-]{0,62}',
  version: '[0-9a-f]{64}|live',
  txn: '[A-Za-z0-9_-]{22}',
  stream: '[A-Za-z0-9_-]{22}',
} as const

export type Parameters = Readonly<Record<string, string>>

export interface Reply {
  readonly status: number
  readonly body: unknown
  readonly headers?: Readonly<Record<string, string>>
}

/** An answer of another kind than JSON. */
export interface TextReply {
  readonly status: number
  readonly type: string
  /** Sent one after the other, as fast as they are read. */
  readonly texts: AsyncIterable<string>
  readonly headers?: Readonly<Record<string, string>>
}

export interface Asked<Query, Body> {
  readonly author: Author
  readonly parameters: Parameters
  readonly query: Query
  readonly body: Body
  /** Values of If-Match and If-None-Match; undefined where absent. */
  readonly ifMatch: string | undefined
  readonly ifNoneMatch: string | undefined
  readonly record: DecisionRecord
}

export interface Described {
  readonly text: string
  readonly schema: z.ZodType
  /** Media type; JSON where it is not said. */
  readonly type?: string
}

interface RouteFacts {
  readonly method: Method
  /** `{name}` stands for a parameter. Under `/t/{tenant}/` a token for that tenant's `{issuer}/manage` is taken, and no other. */
  readonly path: string
  /** OpenAPI's operationId, and the action on record. */
  readonly name: string
  /** What its requests are on record as; `management` where it is not said. */
  readonly event?: AuditEntry['event']
  readonly summary: string
  /** Any of these may. */
  readonly roles: readonly AuthorRole[]
  /** What it may say when it is done, by status. */
  readonly answers: Readonly<Record<number, Described>>
  /** Beyond what every route may refuse. */
  readonly refusals: readonly ManagementReason[]
  readonly preconditions?: 'If-Match' | 'If-Match or If-None-Match'
}

export interface Route extends RouteFacts {
  readonly query: z.ZodType
  readonly body: { readonly schema: z.ZodType; readonly limit: number } | undefined
  readonly handle: (
    deps: ManagementDeps,
    asked: Asked<unknown, unknown>,
  ) => Promise<Reply | TextReply | ManagementRefusal>
}

interface Definition<Query extends z.ZodType, Body extends z.ZodType> extends RouteFacts {
  readonly query: Query
  readonly body?: { readonly schema: Body; readonly limit: number }
  readonly handle: (
    deps: ManagementDeps,
    asked: Asked<z.output<Query>, z.output<Body>>,
  ) => Promise<Reply | TextReply | ManagementRefusal> | Reply | ManagementRefusal
}

/** Ties a handler to its schemas: it runs with what they gave, and with nothing else. */
export function route<Query extends z.ZodType, Body extends z.ZodType>(
  definition: Definition<Query, Body>,
): Route {
  const { handle, body } = definition
  return {
    ...definition,
    body,
    handle: async (deps, asked) => handle(deps, asked as Asked<z.output<Query>, z.output<Body>>),
  }
}

export const EVERY_ROLE: readonly AuthorRole[] = [
  'operator',
  'admin',
  'policy_author',
  'helpdesk',
  'reviewer',
]

/** The whole path of a request, or undefined. Exact, case-sensitive, nothing decoded. */
export function createPathReader(template: string): (path: string) => Parameters | undefined {
  const pattern = template.replace(/\{([a-z]+)\}/g, (_, name: keyof typeof PARAMETERS) => {
    return `(?<${name}>${PARAMETERS[name]})`
  })
  const form = new RegExp(`^${pattern}$`)
  return (path) => {
    const match = form.exec(path)
    return match === null ? undefined : { ...match.groups }
  }
}
