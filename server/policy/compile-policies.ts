/**
 * Reads a tenant's policy files: every policy alone, so that one run tells all that is wrong with them. What comes out is
 * plain data that a node loads without reading a policy again.
 */
import type { DetailedError, PolicyJson } from '@cedar-policy/cedar-wasm/nodejs'
import { compareProblems, type Problem, quote } from '../core/problem.ts'
import { readAnnotations } from './annotations.ts'
import { type CedarInstance, EngineFault, processCedar } from './cedar.ts'
import type { CompiledPolicy } from './compiled-policy.ts'
import { readEngineError } from './engine-words.ts'
import { addReads, emptyReads, readDepth } from './expression.ts'
import { readHead } from './head.ts'
import {
  DEEPEST_EXPRESSION,
  LARGEST_FILE,
  MOST_OPERATORS_OF_ALL,
  MOST_POLICIES,
  measurePolicy,
} from './policy-limits.ts'
import { type PolicyText, scanPolicies } from './policy-scanner.ts'
import { findUnknown, type KnownNames } from './references.ts'
import { CEDAR_SCHEMA } from './schema.ts'
import { type Finding, Source } from './source.ts'

export interface PolicyFile {
  /** As problems name it. */
  readonly file: string
  readonly text: string
}

export interface Compiled {
  /** In the order of the files; complete only where there are no problems. */
  readonly policies: readonly CompiledPolicy[]
  readonly problems: readonly Problem[]
  readonly warnings: readonly Problem[]
}

/** A policy on its way: where it stands, and what has been made of it. */
interface Draft {
  readonly source: Source
  readonly policy: PolicyText
  readonly compiled: CompiledPolicy
}

export function compilePolicies(
  files: readonly PolicyFile[],
  known: KnownNames,
  cedar: CedarInstance = processCedar,
): Compiled {
  const compiler = new Compiler(cedar, known)
  for (const { file, text } of files) compiler.readFile(new Source(file, text))
  return compiler.finish()
}

// No control, direction or invisible character, in strings and comments either: what a reviewer sees is what is there.
const INVISIBLE = /[^\P{Cc}\t\r\n]|[\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/u

class Compiler {
  readonly #cedar: CedarInstance
  readonly #known: KnownNames
  readonly #problems: Problem[] = []
  readonly #warnings: Problem[] = []
  readonly #drafts: Draft[] = []
  readonly #ids = new Map<string, Draft>()
  #count = 0
  #operators = 0

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
    for (const broken of this.#validate()) this.#drafts.splice(this.#drafts.indexOf(broken), 1)
    return {
      policies: this.#drafts.map(({ compiled }) => compiled),
      problems: this.#problems.toSorted(compareProblems),
      warnings: this.#warnings.toSorted(compareProblems),
    }
  }

  #readPolicy(source: Source, policy: PolicyText): void {
    this.#count += 1
    // Told once; the rest is not read.
    if (this.#count > MOST_POLICIES + 1 || this.#operators > MOST_OPERATORS_OF_ALL) return
    if (this.#count > MOST_POLICIES) {
      const text = `there are more than ${MOST_POLICIES} policies`
      return this.#refuse(source, policy.at, { text })
    }
    const { operators, excess } = measurePolicy(policy)
    if (excess !== undefined) return this.#refuse(source, excess.at, excess)
    this.#operators += operators
    if (this.#operators > MOST_OPERATORS_OF_ALL) {
      const text = `all policies together have more than ${MOST_OPERATORS_OF_ALL} operators`
      return this.#refuse(source, policy.at, { text })
    }
    const json = this.#parse(source, policy)
    if (json !== undefined) this.#compile({ source, policy, json })
  }

  #parse(source: Source, policy: PolicyText): PolicyJson | undefined {
    const slot = policy.tokens.find(({ kind }) => kind === 'slot')
    if (slot !== undefined) {
      const text = `${quote(slot.text)} makes this a template; only whole policies are allowed`
      this.#refuse(source, slot.at, { text })
      return undefined
    }
    if (!policy.ended) {
      const text = 'the policy does not end with ";"'
      this.#refuse(source, policy.at + policy.text.length, { text })
      return undefined
    }
    const answer = this.#try(() => this.#cedar.run(({ policyToJson }) => policyToJson(policy.text)))
    if (answer?.type === 'success') return answer.json
    if (answer === undefined) this.#refuse(source, policy.at, UNREADABLE)
    for (const error of answer?.errors ?? []) this.#refuseAsEngine(source, policy, error)
    return undefined
  }

  #compile({
    source,
    policy,
    json,
  }: {
    readonly source: Source
    readonly policy: PolicyText
    readonly json: PolicyJson
  }): void {
    const before = this.#problems.length
    const bodies = json.conditions.map(({ body }) => body)
    const depth = Math.max(0, ...bodies.map((body) => readDepth(body, DEEPEST_EXPRESSION)))
    if (depth + bodies.length > DEEPEST_EXPRESSION) {
      const text = `the conditions are more than ${DEEPEST_EXPRESSION} levels deep; make two policies of them`
      return this.#refuse(source, policy.at, { text })
    }
    const reads = emptyReads()
    const head = readHead(json, reads)
    for (const body of bodies) addReads(reads, body)
    const annotations = new Map(
      Object.entries(json.annotations ?? {}).map(([name, value]) => [name, value ?? '']),
    )
    const { id, obligations, findings } = readAnnotations(json.effect, annotations)
    for (const finding of findings) {
      this.#refuse(source, annotationPlace(policy, finding.annotation), finding)
    }
    for (const finding of findUnknown(policy, reads.named, this.#known)) {
      this.#refuse(source, finding.at, finding)
    }
    const compiled: CompiledPolicy = {
      id: id ?? '',
      effect: json.effect,
      file: source.file,
      line: source.placeAt(policy.at).line,
      text: policy.text,
      obligations,
      ...head,
      reads: {
        names: reads.everything ? undefined : [...reads.names].toSorted(),
        tags: reads.tags,
        hierarchy: reads.hierarchy,
        entities: reads.looked,
      },
    }
    const draft = { source, policy, compiled }
    this.#claimId(draft, id)
    this.#drafts.push(draft)
    if (this.#problems.length > before) this.#broken.add(draft)
  }

  readonly #broken = new Set<Draft>()

  #claimId(draft: Draft, id: string | undefined): void {
    if (id === undefined) return
    const other = this.#ids.get(id)
    if (other === undefined) {
      this.#ids.set(id, draft)
      return
    }
    const { file, line } = other.compiled
    const text = `the id ${quote(id)} is also at ${file}:${line}`
    this.#refuse(draft.source, annotationPlace(draft.policy, 'id'), { text })
  }

  /** Tells what the schema finds, and which policies are not to be kept. */
  #validate(): ReadonlySet<Draft> {
    const drafts = this.#drafts
    const found = this.#try(() => this.#validateAll(drafts))
    // One of them broke the engine: which one?
    if (found === undefined) for (const draft of drafts) this.#validateAlone(draft)
    return this.#broken
  }

  #validateAlone(draft: Draft): void {
    if (this.#try(() => this.#validateAll([draft])) !== undefined) return
    this.#refuse(draft.source, draft.policy.at, UNREADABLE)
    this.#broken.add(draft)
  }

  #validateAll(drafts: readonly Draft[]): true {
    const staticPolicies = Object.fromEntries(
      drafts.map(({ policy }, index) => [`${index}`, policy.text]),
    )
    const answer = this.#cedar.run(({ validate }) =>
      validate({ schema: CEDAR_SCHEMA, policies: { staticPolicies } }),
    )
    if (answer.type === 'failure') throw new EngineFault()
    for (const { policyId, error } of answer.validationErrors) {
      const draft = drafts[Number(policyId)]
      if (draft === undefined) throw new EngineFault()
      this.#refuseAsEngine(draft.source, draft.policy, error)
      this.#broken.add(draft)
    }
    for (const { policyId, error } of answer.validationWarnings) {
      const draft = drafts[Number(policyId)]
      if (draft !== undefined && !this.#broken.has(draft)) this.#warn(draft, error)
    }
    return true
  }

  #try<Result>(work: () => Result): Result | undefined {
    try {
      return work()
    } catch (error) {
      if (error instanceof EngineFault) return undefined
      throw error
    }
  }

  #warn({ source, policy }: Draft, error: DetailedError): void {
    const { at, text } = readEngineError(policy.text, error)
    const warning = source.problemAt(policy.at + at, { text })
    if (!this.#warnings.some((other) => compareProblems(other, warning) === 0)) {
      this.#warnings.push(warning)
    }
  }

  #refuseAsEngine(source: Source, policy: PolicyText, error: DetailedError): void {
    const { at, text, suggestion } = readEngineError(policy.text, error)
    this.#refuse(source, policy.at + at, { text, suggestion })
  }

  #refuse(source: Source, offset: number, finding: Finding): void {
    const problem = source.problemAt(offset, finding)
    const isTold = ({ text, line, column, file }: Problem): boolean =>
      text === problem.text &&
      line === problem.line &&
      column === problem.column &&
      file === problem.file
    if (!this.#problems.some(isTold)) this.#problems.push(problem)
  }
}

const UNREADABLE: Finding = {
  text: 'the policy is too much for the policy engine; make it simpler',
}

/** Offset of `@name`, or of the policy. */
function annotationPlace({ tokens, at }: PolicyText, name: string | undefined): number {
  const found = tokens.find(
    ({ text }, index) => text === '@' && name !== undefined && tokens[index + 1]?.text === name,
  )
  return found?.at ?? at
}
