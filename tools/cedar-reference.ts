/**
 * The Cedar part of docs/policy-reference.md: every entity, attribute and context member, read from the schema itself, with its
 * meaning. A member without a meaning, or a meaning without a member, is an error, so the page cannot fall behind.
 */
import { schemaToJson } from '@cedar-policy/cedar-wasm/nodejs'
import { ANNOTATIONS, CEDAR_SCHEMA } from '../server/policy/schema.ts'

/** Of Cedar's JSON schema format, what ours is made of. */
interface SchemaType {
  readonly type: string
  readonly name?: string
  readonly element?: SchemaType
  readonly attributes?: Readonly<Record<string, SchemaType>>
  readonly required?: boolean
}

interface CedarSchema {
  readonly entityTypes: Readonly<
    Record<string, { readonly shape?: SchemaType; readonly tags?: SchemaType }>
  >
  readonly actions: Readonly<
    Record<
      string,
      {
        readonly appliesTo: {
          readonly principalTypes: readonly string[]
          readonly resourceTypes: readonly string[]
          readonly context: SchemaType
        }
      }
    >
  >
}

interface Member {
  readonly name: string
  readonly type: string
  readonly isOptional: boolean
}

const ENTITIES: Readonly<Record<string, string>> = {
  Tenant: 'this tenant; everything of it is `in` it',
  User: 'the subject, by the name tokens have in `sub`',
  Agent: 'an agent, by its `id` in agents.yaml',
  Resource:
    'an API or an agent’s endpoint, by its `id` in resources.yaml; `planner.home` for the home of an agent without an endpoint there',
  Scope: 'a scope, by its name; it is `in` the API that defines it',
  TaskType: 'a task type, by its `id` in task-types.yaml',
  Task: 'one task',
}

const ATTRIBUTES: Readonly<Record<string, string>> = {
  'User.issuer': '`id` of the trusted issuer that spoke for the subject',
  'User.getTag("…")':
    'a claim of the subject: those listed as `subject_claims` of its issuer, as they were when the task was opened. Ask `hasTag` first',
  'Agent.class': '`retrieval`, `worker` or `orchestrator`',
  'Agent.owner': 'who answers for the agent',
  'Agent.purpose': 'what it is for, as its owner wrote it',
  'Agent.binding': '`dpop`, `mtls` or `bearer`: how its tokens are bound',
  'Resource.kind': '`api` or `agent`',
  'Resource.sensitivity': '`low`, `moderate` or `high`',
  'Resource.owner': 'who answers for the data',
  'Scope.tier': '`read`, `propose` or `execute`',
  'Scope.sensitivity': 'its own, or that of its API',
  'Scope.resource': 'the API that defines it',
  'TaskType.basis': '`policy`: for a user; `client`: an agent on its own behalf',
  'Task.type': 'its task type',
  'Task.opener': 'the agent that opened it',
  'Task.opened_at': 'when it was opened',
  'Task.deadline': 'when it ends, at the latest',
}

const CONTEXT: Readonly<Record<string, string>> = {
  scope: 'the one scope this question is about',
  recipient: 'the agent that would get the token',
  subject: 'on whose behalf; missing where an agent acts on its own behalf',
  task: 'the task',
  task_type: 'its type',
  basis: '`policy` or `client`, as of the task type',
  opener: 'the agent that opened the task',
  chain: 'all agents from the root to the caller, the caller included; a set: it has no order',
  chain_classes: 'their classes',
  chain_owners: 'their owners',
  depth: 'how many agents the chain has, the caller included',
  key: '`dpop` where the caller proved a key in this request, `mtls` where it proved its certificate alone, else `none`',
  now: 'the time of the request, in UTC',
  weekday: '`monday` to `sunday`, in UTC',
  'request.scope': '**untrusted**: the scopes the caller asked for; empty where it named none',
  'request.purpose': '**untrusted**: the purpose the caller stated',
}

const ACTIONS: Readonly<Record<string, string>> = {
  open: 'May the agent open a task of this type? Asked once, where a task is opened.',
  delegate:
    'May the agent hand this scope on to the agent that answers at this endpoint? Asked for each scope.',
  call: 'May the agent use this scope at this API? Asked for each scope.',
  approve:
    'May this person say yes to this scope? Never asked yet: approvals are not built. Policies about it are validated.',
}

const OBLIGATIONS: Readonly<Record<string, readonly [example: string, meaning: string]>> = {
  id: [
    '@id("read-docs")',
    'required, unique in the tenant: the name in decisions, problems and test cases; `[a-z][a-z0-9-]{0,62}`',
  ],
  max_ttl: [
    '@max_ttl("60s")',
    'seconds, minutes or hours (`60s`, `5m`, `1h`): the token lives no longer; on `open` the task',
  ],
  max_depth: [
    '@max_depth("2")',
    'the chain has at most so many agents, now and later; on `open` every chain of the task',
  ],
  require_key: [
    '@require_key("bound")',
    'the caller has to prove its key in this request: by DPoP or by its certificate; `"dpop"`: by DPoP',
  ],
  approval: [
    '@approval("propose")',
    'scopes of this tier and above need a human; on `open` they are left out of the task. `execute` needs one in any case',
  ],
}

/** Everything from the entities on, in Markdown. */
export function cedarReference(): string {
  const schema = readSchema()
  const members = [...entityMembers(schema), ...tagMembers(schema)]
  mustMatch('entity', Object.keys(schema.entityTypes), ENTITIES)
  mustMatch(
    'attribute',
    members.map(({ name }) => name),
    ATTRIBUTES,
  )
  mustMatch('action', Object.keys(schema.actions), ACTIONS)
  mustMatch('annotation', ANNOTATIONS, OBLIGATIONS)
  const contexts = Object.keys(ACTIONS).map((action) => ({
    action,
    members: contextOf(schema, action),
  }))
  mustMatch(
    'context member',
    contexts.flatMap(({ members: all }) => all.map(({ name }) => name)),
    CONTEXT,
  )
  return [
    '## Entities',
    table(
      ['entity', 'stands for'],
      Object.entries(ENTITIES).map(([name, text]) => [`\`${name}\``, text]),
    ),
    table(['attribute', 'type', 'meaning'], rowsOf(ATTRIBUTES, members)),
    'Attributes marked _optional_ have to be asked for with `has` before they are read.',
    '## Actions',
    ...contexts.flatMap(({ action, members: all }) => actionPart(schema, action, all)),
    '## Annotations',
    'Obligations stand on a `permit`. Those of all permits that hold apply, the strictest of each kind; any other annotation is an error.',
    table(
      ['annotation', 'meaning'],
      ANNOTATIONS.map((name) => [`\`${OBLIGATIONS[name]?.[0]}\``, OBLIGATIONS[name]?.[1] ?? '']),
    ),
  ].join('\n\n')
}

function actionPart(
  schema: CedarSchema,
  action: string,
  members: readonly Member[],
): readonly string[] {
  const { principalTypes, resourceTypes } = schema.actions[action]?.appliesTo ?? {}
  return [
    `### \`${action}\``,
    `${ACTIONS[action]} The principal is \`${principalTypes?.join('`, `')}\`, the resource \`${resourceTypes?.join('`, `')}\`.`,
    table(['`context.`', 'type', 'meaning'], rowsOf(CONTEXT, members)),
  ]
}

function rowsOf(
  meanings: Readonly<Record<string, string>>,
  members: readonly Member[],
): readonly (readonly string[])[] {
  const order = Object.keys(meanings)
  return members
    .toSorted((a, b) => order.indexOf(a.name) - order.indexOf(b.name))
    .map(({ name, type, isOptional }) => [
      `\`${name}\``,
      `\`${type}\`${isOptional ? ', _optional_' : ''}`,
      meanings[name] ?? '',
    ])
}

function readSchema(): CedarSchema {
  const answer = schemaToJson(CEDAR_SCHEMA)
  if (answer.type === 'failure') throw new Error('the schema cannot be read')
  return answer.json[''] as unknown as CedarSchema
}

function entityMembers({ entityTypes }: CedarSchema): readonly Member[] {
  return Object.entries(entityTypes).flatMap(([entity, { shape }]) =>
    membersOf(shape).map((member) => ({ ...member, name: `${entity}.${member.name}` })),
  )
}

function tagMembers({ entityTypes }: CedarSchema): readonly Member[] {
  return Object.entries(entityTypes).flatMap(([entity, { tags }]) =>
    tags === undefined
      ? []
      : [{ name: `${entity}.getTag("…")`, type: nameOf(tags), isOptional: true }],
  )
}

function contextOf({ actions }: CedarSchema, action: string): readonly Member[] {
  return membersOf(actions[action]?.appliesTo.context)
}

/** A record within is shown by its members. */
function membersOf(record: SchemaType | undefined): readonly Member[] {
  return Object.entries(record?.attributes ?? {}).flatMap(([name, type]) =>
    type.type === 'Record'
      ? membersOf(type).map((member) => ({ ...member, name: `${name}.${member.name}` }))
      : [{ name, type: nameOf(type), isOptional: type.required === false }],
  )
}

function nameOf(type: SchemaType): string {
  return type.type === 'Set' && type.element !== undefined
    ? `Set<${nameOf(type.element)}>`
    : (type.name ?? type.type)
}

function mustMatch(
  what: string,
  known: readonly string[],
  described: Readonly<Record<string, unknown>>,
): void {
  const names = new Set(known)
  const missing = [...names].filter((name) => !Object.hasOwn(described, name))
  const stale = Object.keys(described).filter((name) => !names.has(name))
  if (missing.length + stale.length === 0) return
  throw new Error(
    `${what}: no meaning for [${missing.join(', ')}], nothing called [${stale.join(', ')}]`,
  )
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}
