/** Entities that policies name must be among the facts: a rule about an agent nobody has is a typing error, not a rule. */
import { quote } from '../core/problem.ts'
import { findNearest } from '../core/suggestion.ts'
import type { EntityName } from './compiled-policy.ts'
import type { PolicyText, Token } from './policy-scanner.ts'

/** What a tenant has: its own id, and the ids of everything in its folder. */
export interface KnownNames {
  readonly tenant: string
  readonly agents: ReadonlySet<string>
  readonly resources: ReadonlySet<string>
  readonly scopes: ReadonlySet<string>
  readonly taskTypes: ReadonlySet<string>
  /** Claims of subjects that some issuer's trust rule lets rules read. */
  readonly claims: ReadonlySet<string>
  /** False: what is unknown gets no suggestion, because so many things were unknown before it. */
  readonly suggests?: boolean
}

export interface UnknownReference {
  readonly text: string
  readonly suggestion: string | undefined
  /** Offset in the file. */
  readonly at: number
}

/** One finding for each entity that is named and not known, at the first place it is named. */
export function findUnknown(
  policy: PolicyText,
  named: readonly EntityName[],
  known: KnownNames,
): readonly UnknownReference[] {
  const unknown = named.filter(({ type, id }) => knownOf(type, known)?.has(id) === false)
  const distinct = new Map(unknown.map((entity) => [`${entity.type}::${entity.id}`, entity]))
  return [...distinct.values()].map(({ type, id }) => {
    return {
      text: `${type}::${quote(id)} is not known`,
      suggestion:
        known.suggests === false ? undefined : findNearest(id, knownOf(type, known) ?? []),
      at: findPlace(policy, { type, id }),
    }
  })
}

/** Users and tasks come and go, so any is allowed; a type that is none is the engine's to refuse. */
function knownOf(type: string, known: KnownNames): ReadonlySet<string> | undefined {
  switch (type) {
    case 'Tenant':
      return new Set([known.tenant])
    case 'Agent':
      return known.agents
    case 'Resource':
      return known.resources
    case 'Scope':
      return known.scopes
    case 'TaskType':
      return known.taskTypes
    default:
      return undefined
  }
}

function findPlace({ tokens, at }: PolicyText, { type, id }: EntityName): number {
  const found = tokens.find(
    (token, index) =>
      token.text === type &&
      tokens[index + 1]?.text === '::' &&
      readString(tokens[index + 2]) === id,
  )
  return found?.at ?? at
}

/** Where a text stands in a policy, or where the policy begins. */
export function findText({ tokens, at }: PolicyText, text: string): number {
  return tokens.find((token) => readString(token) === text)?.at ?? at
}

const ESCAPE = /\\(?:u\{([0-9a-fA-F]{1,6})\}|x([0-9a-fA-F]{2})|([^]))/g
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', 0: '\0' }

/** The value of a string token, escapes resolved. */
function readString(token: Token | undefined): string | undefined {
  if (token?.kind !== 'string') return undefined
  return token.text
    .slice(1, -1)
    .replace(ESCAPE, (_, point?: string, byte?: string, other?: string) => {
      if (other !== undefined) return ESCAPES[other] ?? other
      return String.fromCodePoint(Math.min(Number.parseInt(point ?? byte ?? '', 16), 0x10ffff))
    })
}
