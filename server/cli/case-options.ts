/** The case that the options of `actchain explain` describe. */
import type { Command } from 'commander'
import type { Case } from '../core/case.ts'
import { Failure } from './failure.ts'

export interface CaseOptions {
  readonly actor: string
  readonly for?: string
  readonly subject?: string
  readonly from?: string
  readonly claim?: readonly string[]
  readonly taskType?: string
  readonly resource: string
  readonly scope?: string
  readonly purpose?: string
  readonly key?: string
  readonly at?: string
}

export function addCaseOptions(command: Command): Command {
  const collect = (value: string, before: readonly string[] = []) => [...before, value]
  return command
    .requiredOption('--actor <agent>', 'the agent that asks')
    .option('--for <agents>', 'the agents before it, from the first one on, joined by /')
    .option('--subject <subject>', 'on whose behalf; without it the first agent acts on its own')
    .option('--from <issuer>', "trusted issuer of the subject's token, by its id")
    .option('--claim <name=value>', 'a claim of the subject; may be repeated', collect)
    .option('--task-type <type>', 'needed where several fit')
    .requiredOption('--resource <resource>', 'what the token is for: id or URI')
    .option('--scope <scopes>', 'separated by spaces; whatever is permitted if absent')
    .option('--purpose <purpose>', 'what the first agent says the task is for')
    .option('--key <key>', 'what every agent proves: dpop, mtls or none (default: by its binding)')
    .option('--at <time>', 'when, such as 2026-11-22T09:00:00Z (default: now)')
}

export function readCase(options: CaseOptions): Case {
  return {
    subject: options.subject,
    issuer: options.from,
    claims: readClaims(options.claim ?? []),
    actors: [...(options.for?.split('/') ?? []), options.actor].filter((id) => id !== ''),
    taskType: options.taskType,
    resource: options.resource,
    scope: options.scope?.split(' ').filter((name) => name !== ''),
    purpose: options.purpose,
    key: readKey(options.key),
    now: readTime(options.at),
  }
}

function readClaims(pairs: readonly string[]): Case['claims'] {
  const claims = new Map<string, readonly string[]>()
  for (const pair of pairs) {
    const at = pair.indexOf('=')
    if (at < 1) throw new Failure('--claim must be name=value, such as department=finance.', 2)
    const name = pair.slice(0, at)
    claims.set(name, [...(claims.get(name) ?? []), pair.slice(at + 1)])
  }
  return Object.fromEntries(claims)
}

function readKey(key: string | undefined): Case['key'] {
  if (key === undefined || key === 'dpop' || key === 'mtls' || key === 'none') return key
  throw new Failure('--key must be dpop, mtls or none.', 2)
}

/** Seconds since the epoch. RFC 3339 with its zone: a time without one means another instant elsewhere. */
function readTime(text: string | undefined): number {
  if (text === undefined) return Math.floor(Date.now() / 1000)
  const isInstant = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)$/.test(text)
  const millis = isInstant ? Date.parse(text) : Number.NaN
  if (Number.isNaN(millis)) {
    throw new Failure('--at must be an instant with its zone, such as 2026-11-22T09:00:00Z.', 2)
  }
  return Math.floor(millis / 1000)
}
