/**
 * Reads a tenant's policy files: every policy alone, so that one run tells all that is wrong with them. What comes out is
 * plain data that a node loads without reading a policy again.
 */
import { compareProblems, type Problem, quote } from '../core/problem.ts'
import { type CedarInstance, processCedar } from './cedar.ts'
import type { CompiledPolicy } from './compiled-policy.ts'
import {
  LARGEST_FILE,
  LARGEST_OF_ALL,
  MOST_OPERATORS_OF_ALL,
  MOST_POLICIES,
  measurePolicy,
} from './policy-limits.ts'
import { type PolicyText, scanPolicies } from './policy-scanner.ts'
import { placeOfAnnotation, readPolicy } from './read-policy.ts'
import type { KnownNames } from './references.ts'
import { type Finding, Source } from './source.ts'
import { validatePolicies } from './validate-policies.ts'

export interface PolicyFile {
  /** As problems name it. */
  readonly file: string
  readonly text: string
}

export interface Compiled {
  /** In the order of the files; without the ones that have problems. */
  readonly policies: readonly CompiledPolicy[]
  readonly problems: readonly Problem[]
  readonly warnings: readonly Problem[]
}

export function compilePolicies(
  files: readonly PolicyFile[],
  known: KnownNames,
  cedar: CedarInstance = processCedar,
): Compiled {
  const compilation = new Compilation(cedar, known)
  for (const { file, text } of files) compilation.readFile(new Source(file, text))
  return compilation.finish()
}

// No control, direction or invisible character, in strings and comments either: what a reviewer sees is what is there.
const INVISIBLE = /[^\P{Cc}\t\r\n]|[\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/u

/** Problems until which unknown names get a suggestion: finding the nearest of 10,000 agents takes a millisecond. */
const MOST_SUGGESTIONS = 100

interface Draft {
  readonly source: Source
  readonly policy: PolicyText
  readonly compiled: CompiledPolicy
  broken: boolean
}

class Compilation {
  readonly #cedar: CedarInstance
  readonly #known: KnownNames
  readonly #problems = new Map<string, Problem>()
  readonly #drafts: Draft[] = []
  readonly #firstOf = new Map<string, CompiledPolicy>()
  readonly #sum = { policies: 0, bytes: 0, operators: 0 }

  constructor(cedar: CedarInstance, known: KnownNames) {
    this.#cedar = cedar
    this.#known = known
  }

  readFile(source: Source): void {
    const bytes = Buffer.byteLength(source.text)
    if (bytes > LARGEST_FILE) {
      const text = `the file has ${bytes} bytes; at most ${LARGEST_FILE} are allowed`
      return this.#refuse(source, 0, { text })
    }
    const invisible = INVISIBLE.exec(source.text)
    if (invisible !== null) {
      const text = `the character ${quote(invisible[0])} is not allowed in policies`
      return this.#refuse(source, invisible.index, { text })
    }
    for (const policy of scanPolicies(source.text)) this.#readPolicy(source, policy)
  }

  finish(): Compiled {
    const sound = this.#drafts.filter(({ broken }) => !broken)
    const texts = this.#drafts.map(({ policy }) => policy.text)
    const { errors, warnings } = validatePolicies(texts, this.#cedar)
    for (const { index, at, ...finding } of errors) {
      const draft = this.#drafts[index]
      if (draft === undefined) continue
      this.#refuse(draft.source, draft.policy.at + at, finding)
      draft.broken = true
    }
    const told = warnings.flatMap(({ index, at, text }) => {
      const draft = this.#drafts[index]
      if (draft === undefined || draft.broken) return []
      return [draft.source.problemAt(draft.policy.at + at, { text })]
    })
    return {
      policies: sound.filter(({ broken }) => !broken).map(({ compiled }) => compiled),
      problems: [...this.#problems.values()].toSorted(compareProblems),
      warnings: told.toSorted(compareProblems),
    }
  }

  #readPolicy(source: Source, text: PolicyText): void {
    if (this.#isFull()) return
    const { operators, excess } = measurePolicy(text)
    if (excess !== undefined) return this.#refuse(source, excess.at, excess)
    const limit = this.#add(text, operators)
    if (limit !== undefined) return this.#refuse(source, text.at, { text: limit })
    const suggests = this.#problems.size < MOST_SUGGESTIONS
    const known = suggests ? this.#known : { ...this.#known, suggests }
    const { policy, findings } = readPolicy(text, known, this.#cedar)
    for (const finding of findings) this.#refuse(source, finding.at, finding)
    if (policy === undefined) return
    const { line } = source.placeAt(text.at)
    const compiled = { ...policy, file: source.file, line }
    const isDistinct = this.#claimId(source, text, compiled)
    const broken = findings.length > 0 || !isDistinct
    this.#drafts.push({ source, policy: text, compiled, broken })
  }

  /** Past a limit, which was told, nothing more is read. */
  #isFull(): boolean {
    return this.#limitPassed() !== undefined
  }

  #add({ text }: PolicyText, operators: number): string | undefined {
    this.#sum.policies += 1
    this.#sum.bytes += Buffer.byteLength(text)
    this.#sum.operators += operators
    return this.#limitPassed()
  }

  #limitPassed(): string | undefined {
    const { policies, bytes, operators } = this.#sum
    if (policies > MOST_POLICIES) return `there are more than ${MOST_POLICIES} policies`
    if (bytes > LARGEST_OF_ALL) {
      return `all policies together have more than ${LARGEST_OF_ALL} bytes`
    }
    return operators > MOST_OPERATORS_OF_ALL
      ? `all policies together have more than ${MOST_OPERATORS_OF_ALL} operators`
      : undefined
  }

  #claimId(source: Source, text: PolicyText, compiled: CompiledPolicy): boolean {
    const { id } = compiled
    const first = this.#firstOf.get(id)
    if (id === '') return false
    if (first === undefined) {
      this.#firstOf.set(id, compiled)
      return true
    }
    const finding = { text: `the id ${quote(id)} is also at ${first.file}:${first.line}` }
    this.#refuse(source, placeOfAnnotation(text, 'id'), finding)
    return false
  }

  /** Adds a problem, once. */
  #refuse(source: Source, offset: number, finding: Finding): void {
    const problem = source.problemAt(offset, finding)
    const { file, line, column, text } = problem
    this.#problems.set(JSON.stringify([file, line, column, text]), problem)
  }
}
