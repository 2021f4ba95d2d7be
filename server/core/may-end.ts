/**
 * Who may read a task, end it or a place of it, and let it go on. The only rule: nobody who is not named here gets anything
 * (attack cases F05 and H09), and nobody at all opens a task again or moves its deadline (D07).
 */
import type { AuthorRole } from './author-role.ts'
import { isReplaced } from './live-actors.ts'

export const TASK_VERBS = ['read', 'close', 'revoke_task', 'revoke_place', 'resume'] as const
export type TaskVerb = (typeof TASK_VERBS)[number]

/** Who asks, verified. */
export interface TaskAuthor {
  /** `{trusted issuer id}:{subject}` of a person. */
  readonly name: string
  /** Agent id of an agent. */
  readonly id: string
  readonly roles: readonly AuthorRole[]
  /** Of an agent whose id had belonged to another one: since when it is itself, seconds since the epoch. */
  readonly registeredAt: number | undefined
}

/** Of a task, what decides whose it is. */
export interface OwnedTask {
  readonly opener: string
  readonly subject: string
  /** Undefined where the opener acts on its own behalf: then no person is its subject, whatever they are called. */
  readonly subjectFrom: { readonly issuer: string } | undefined
  /** Seconds since the epoch. */
  readonly openedAt: number
}

type Verbs = ReadonlySet<TaskVerb>

/** Of every task of the tenant. */
const OF_ALL: Readonly<Partial<Record<AuthorRole, Verbs>>> = {
  operator: new Set(TASK_VERBS),
  admin: new Set(TASK_VERBS),
  helpdesk: new Set(TASK_VERBS),
  reviewer: new Set(['read']),
}

/** Of a task of one's own: what looked wrong in it is not for its owner to wave through. */
const OF_OWN: Verbs = new Set(['read', 'close', 'revoke_task', 'revoke_place'])

/** @param place agent ids from the root, joined by `/`; counts with `revoke_place` only, and has to be one of the task */
export function mayEnd(
  author: TaskAuthor,
  verb: TaskVerb,
  task: OwnedTask,
  place?: string,
): boolean {
  return author.roles.some((role) => {
    if (OF_ALL[role]?.has(verb) === true) return true
    if (role === 'subject') return OF_OWN.has(verb) && isSubject(author, task)
    // What was opened before it was this agent is not its own, nor is a place in it (attack case E10).
    if (role !== 'agent' || isReplaced(author, task.openedAt)) return false
    if (OF_OWN.has(verb) && author.id === task.opener) return true
    return verb === 'revoke_place' && place?.split('/').includes(author.id) === true
  })
}

/** The same name at the same issuer: prefixes of issuers may change places from one version to the next. */
function isSubject({ name }: TaskAuthor, { subject, subjectFrom }: OwnedTask): boolean {
  return subjectFrom !== undefined && name === `${subjectFrom.issuer}:${subject}`
}

/** Whether every task of the tenant may be read: a list is then not narrowed to one's own. */
export function mayReadAll(roles: readonly AuthorRole[]): boolean {
  return roles.some((role) => OF_ALL[role]?.has('read') === true)
}
