/** Reads one policy: its form, its annotations, the entities it names, and what a question to it takes. */
import type { PolicyJson } from '@cedar-policy/cedar-wasm/nodejs'
import { quote } from '../core/problem.ts'
import { readAnnotations } from './annotations.ts'
import { type CedarInstance, EngineFault } from './cedar.ts'
import type { CompiledPolicy } from './compiled-policy.ts'
import { readEngineError } from './engine-words.ts'
import { addReads, emptyReads, readDepth } from './expression.ts'
import { readHead } from './head.ts'
import { DEEPEST_EXPRESSION } from './policy-limits.ts'
import type { PolicyText } from './policy-scanner.ts'
import { findUnknown, type KnownNames } from './references.ts'
import type { Finding } from './source.ts'
import { findMisspelt } from './vocabulary.ts'

export interface PlacedFinding extends Finding {
  /** Offset in the file. */
  readonly at: number
}

export interface PolicyReading {
  /** Undefined where the engine cannot read it. `id` is empty where the policy has none that could be one. */
  readonly policy: Omit<CompiledPolicy, 'file' | 'line'> | undefined
  readonly findings: readonly PlacedFinding[]
}

export const UNREADABLE = 'the policy is too much for the policy engine; make it simpler'

export function readPolicy(
  policy: PolicyText,
  known: KnownNames,
  cedar: CedarInstance,
): PolicyReading {
  const slot = policy.tokens.find(({ kind }) => kind === 'slot')
  if (slot !== undefined) {
    const text = `${quote(slot.text)} makes this a template; only whole policies are allowed`
    return unread({ text, at: slot.at })
  }
  const open = policy.tokens.find(({ kind }) => kind === 'open')
  if (open !== undefined) return unread({ text: 'the text has no closing quote', at: open.at })
  if (!policy.ended) {
    const at = policy.at + policy.text.length
    return unread({ text: 'the policy does not end with ";"', at })
  }
  const answer = parse(policy, cedar)
  if (answer === undefined) return unread({ text: UNREADABLE, at: policy.at })
  if (answer.type === 'success') return readJson(policy, answer.json, known)
  return unread(
    ...answer.errors.map((error) => {
      const finding = readEngineError(policy.text, error)
      return { ...finding, at: policy.at + finding.at }
    }),
  )
}

function unread(...findings: readonly PlacedFinding[]): PolicyReading {
  return { policy: undefined, findings }
}

function parse(policy: PolicyText, cedar: CedarInstance) {
  try {
    return cedar.run(({ policyToJson }) => policyToJson(policy.text))
  } catch (error) {
    if (error instanceof EngineFault) return undefined
    throw error
  }
}

function readJson(policy: PolicyText, json: PolicyJson, known: KnownNames): PolicyReading {
  const bodies = json.conditions.map(({ body }) => body)
  const depth = Math.max(0, ...bodies.map((body) => readDepth(body, DEEPEST_EXPRESSION)))
  if (depth + bodies.length > DEEPEST_EXPRESSION) {
    const text = `the conditions are more than ${DEEPEST_EXPRESSION} levels deep; make two policies of them`
    return unread({ text, at: policy.at })
  }
  const reads = emptyReads()
  const head = readHead(json, reads)
  for (const body of bodies) addReads(reads, body)
  const stated = Object.entries(json.annotations ?? {})
  const annotations = new Map(stated.map(([name, value]) => [name, value ?? '']))
  const { id, obligations, findings } = readAnnotations(json.effect, annotations)
  const placed = findings.map(({ annotation, ...finding }) => ({
    ...finding,
    at: placeOfAnnotation(policy, annotation),
  }))
  return {
    policy: {
      id: id ?? '',
      effect: json.effect,
      text: policy.text,
      obligations,
      ...head,
      reads: {
        names: reads.everything ? undefined : [...reads.names].toSorted(),
        tags: reads.tags,
        hierarchy: reads.hierarchy,
        entities: reads.looked,
      },
    },
    findings: [
      ...placed,
      ...findUnknown(policy, reads.named, known),
      ...findMisspelt(policy, bodies, known),
    ],
  }
}

/** Offset of `@name` in the file, or of the policy. */
export function placeOfAnnotation({ tokens, at }: PolicyText, name: string | undefined): number {
  const found = tokens.find(
    ({ text }, index) => text === '@' && name !== undefined && tokens[index + 1]?.text === name,
  )
  return found?.at ?? at
}
