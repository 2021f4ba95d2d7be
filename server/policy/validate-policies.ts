/** Holds policies against the schema, all in one call: a call costs milliseconds before it reads the first policy. */
import type { ValidationError } from '@cedar-policy/cedar-wasm/nodejs'
import { type CedarInstance, EngineFault } from './cedar.ts'
import { type EngineFinding, readEngineError } from './engine-words.ts'
import { UNREADABLE } from './read-policy.ts'
import { CEDAR_SCHEMA } from './schema.ts'

export interface IndexedFinding extends EngineFinding {
  /** Which of the policies. */
  readonly index: number
}

export interface Validation {
  readonly errors: readonly IndexedFinding[]
  /** At most one at a place. */
  readonly warnings: readonly IndexedFinding[]
}

/** Each text is one whole policy that was read before. */
export function validatePolicies(texts: readonly string[], cedar: CedarInstance): Validation {
  const found = validateTogether(texts, cedar)
  if (found !== undefined) return found
  // One of them broke the engine: which?
  const alone = texts.map((text, index) => {
    const { errors, warnings } = validateTogether([text], cedar) ?? TOO_MUCH
    const own = (finding: IndexedFinding): IndexedFinding => ({ ...finding, index })
    return { errors: errors.map(own), warnings: warnings.map(own) }
  })
  return {
    errors: alone.flatMap(({ errors }) => errors),
    warnings: alone.flatMap(({ warnings }) => warnings),
  }
}

const TOO_MUCH: Validation = {
  errors: [{ index: 0, text: UNREADABLE, suggestion: undefined, at: 0 }],
  warnings: [],
}

/** Undefined where the engine failed. */
function validateTogether(texts: readonly string[], cedar: CedarInstance): Validation | undefined {
  try {
    const staticPolicies = texts.join('\n')
    const answer = cedar.run(({ validate }) =>
      validate({ schema: CEDAR_SCHEMA, policies: { staticPolicies } }),
    )
    if (answer.type === 'failure') return undefined
    const find = findingsIn(texts)
    return {
      errors: answer.validationErrors.map(find),
      warnings: onePerPlace(answer.validationWarnings.map(find)),
    }
  } catch (error) {
    if (error instanceof EngineFault) return undefined
    throw error
  }
}

/** The engine names the policies of a text `policy0`, `policy1` …, and counts bytes from the first. */
function findingsIn(texts: readonly string[]): (found: ValidationError) => IndexedFinding {
  const starts: number[] = []
  let bytes = 0
  for (const text of texts) {
    starts.push(bytes)
    bytes += Buffer.byteLength(text) + 1
  }
  return ({ policyId, error }) => {
    const index = Number(policyId.slice('policy'.length))
    const [text, start] = [texts[index], starts[index]]
    if (text === undefined || start === undefined) throw new EngineFault()
    return { ...readEngineError(text, error, start), index }
  }
}

function onePerPlace(findings: readonly IndexedFinding[]): readonly IndexedFinding[] {
  const byPlace = new Map<string, IndexedFinding>()
  for (const finding of findings) {
    const place = `${finding.index}:${finding.at}`
    if (!byPlace.has(place)) byPlace.set(place, finding)
  }
  return [...byPlace.values()]
}
