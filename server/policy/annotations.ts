/** What stands before a policy, `@max_ttl("60s")`: its id, and what a permit is bound to. */
import { quote } from '../core/problem.ts'
import type { Obligations } from '../core/rules.ts'
import { findNearest } from '../core/suggestion.ts'
import { TIERS } from '../core/tenant.ts'
import { ANNOTATIONS } from './schema.ts'

export interface Finding {
  readonly text: string
  /** The annotation it is about; undefined: the policy as a whole. */
  readonly annotation: string | undefined
  readonly suggestion?: string
}

export interface Annotated {
  /** Undefined where there is none that could be one. */
  readonly id: string | undefined
  readonly obligations: Obligations
  readonly findings: readonly Finding[]
}

const ID = /^[a-z][a-z0-9-]{0,62}$/
const TTL = /^([1-9][0-9]{0,6})([smh])$/
const SECONDS = { s: 1, m: 60, h: 3600 } as const
const LONGEST_TTL = 8 * 3600
const DEPTH = /^[1-9][0-9]?$/

type Reader = (value: string) => Obligations | string

/** An obligation, or what would have been one. */
const OBLIGATIONS: Readonly<Record<string, Reader>> = {
  max_ttl: (value) => {
    const [, digits, unit] = TTL.exec(value) ?? []
    const seconds = Number(digits) * SECONDS[unit as keyof typeof SECONDS]
    return seconds <= LONGEST_TTL ? { maxTtl: seconds } : 'a duration such as 90s, 15m or 8h'
  },
  max_depth: (value) =>
    DEPTH.test(value) ? { maxDepth: Number(value) } : 'a whole number from 1 to 99',
  require_key: (value) =>
    value === 'dpop' || value === 'bound' ? { requireKey: value } : '"dpop" or "bound"',
  approval: (value) => {
    const tier = TIERS.find((known) => known === value)
    return tier === undefined ? '"read", "propose" or "execute"' : { approval: tier }
  },
}

const KNOWN_VALUES: Readonly<Record<string, readonly string[]>> = {
  require_key: ['dpop', 'bound'],
  approval: TIERS,
}

export function readAnnotations(
  effect: 'permit' | 'forbid',
  annotations: ReadonlyMap<string, string>,
): Annotated {
  const findings: Finding[] = []
  let obligations: Obligations = {}
  for (const [annotation, value] of annotations) {
    const read = Object.hasOwn(OBLIGATIONS, annotation) ? OBLIGATIONS[annotation] : undefined
    if (annotation === 'id') continue
    if (read === undefined) {
      const known = findNearest(annotation, ANNOTATIONS)
      const suggestion = known === undefined ? {} : { suggestion: known }
      findings.push({ text: `unknown annotation ${quote(annotation)}`, annotation, ...suggestion })
    } else if (effect === 'forbid') {
      const text = `@${annotation} on a forbid: only a permit can be bound to something`
      findings.push({ text, annotation })
    } else {
      const result = read(value)
      if (typeof result !== 'string') obligations = { ...obligations, ...result }
      else findings.push(badValue({ annotation, value, expected: result }))
    }
  }
  const id = annotations.get('id')
  if (id === undefined) {
    findings.push({ text: 'the policy has no @id("…")', annotation: undefined })
  } else if (!ID.test(id)) {
    const text = `the id ${quote(id)} is not a lower-case letter, then up to 62 of a-z 0-9 -`
    findings.push({ text, annotation: 'id' })
  }
  return { id: id !== undefined && ID.test(id) ? id : undefined, obligations, findings }
}

function badValue({
  annotation,
  value,
  expected,
}: {
  readonly annotation: string
  readonly value: string
  readonly expected: string
}): Finding {
  const known = findNearest(value, KNOWN_VALUES[annotation] ?? [])
  return {
    text: `@${annotation} is ${quote(value)}; expected ${expected}`,
    annotation,
    ...(known === undefined ? {} : { suggestion: known }),
  }
}
