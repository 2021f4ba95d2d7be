/**
 * How large a policy may be. Cedar reads and evaluates by recursion: 116 nested brackets, or an expression 290 levels
 * deep, exhaust the engine's stack. So text is measured before the engine sees it, and the expression before it is kept.
 */
import type { Token } from './policy-scanner.ts'

/** Bytes of one policy file. */
export const LARGEST_FILE = 1024 * 1024
/** Bytes of one policy. */
export const LARGEST_POLICY = 8 * 1024
/** Bytes of all policies of a tenant. */
export const LARGEST_OF_ALL = 2 * 1024 * 1024
export const MOST_POLICIES = 2000
/** Brackets within brackets. */
export const DEEPEST_NESTING = 32
/** Operators, calls, brackets, commas and conditions of one policy. */
export const MOST_OPERATORS = 512
/** Of all policies of a tenant: what one question can cost at most. */
export const MOST_OPERATORS_OF_ALL = 128 * 1024
/** Levels of an expression; `a && b && c` has as many as it has `&&`. */
export const DEEPEST_EXPRESSION = 100
/** Characters of the pattern after `like`: matching takes pattern times text. */
export const LONGEST_PATTERN = 64
/** What a `like` counts for: the one operator whose work is not constant. */
const LIKE_COSTS = 32

const OPENING = new Set(['(', '[', '{'])
const CLOSING = new Set([')', ']', '}'])
const UNCOUNTED = new Set([...CLOSING, '::', ';', '@', ':'])
const OPERATOR_WORDS = new Set(['if', 'has', 'in', 'is', 'like', 'when', 'unless'])

export interface Excess {
  readonly text: string
  /** Offset in the file. */
  readonly at: number
}

export interface Measure {
  readonly operators: number
  /** The first limit that is passed. */
  readonly excess: Excess | undefined
}

export function measurePolicy(policy: {
  readonly text: string
  readonly at: number
  readonly tokens: readonly Token[]
}): Measure {
  const bytes = Buffer.byteLength(policy.text)
  if (bytes > LARGEST_POLICY) {
    const text = `the policy has ${bytes} bytes; at most ${LARGEST_POLICY} are allowed`
    return { operators: 0, excess: { text, at: policy.at } }
  }
  let operators = 0
  let nesting = 0
  for (const [index, token] of policy.tokens.entries()) {
    if (token.kind === 'mark') nesting = Math.max(0, nesting + nestingOf(token.text))
    operators += costOf(token)
    const excess = excessAt(token, { operators, nesting, next: policy.tokens[index + 1] })
    if (excess !== undefined) return { operators, excess: { text: excess, at: token.at } }
  }
  return { operators, excess: undefined }
}

function excessAt(
  token: Token,
  {
    operators,
    nesting,
    next,
  }: { readonly operators: number; readonly nesting: number; readonly next: Token | undefined },
): string | undefined {
  if (nesting > DEEPEST_NESTING) return `brackets are nested more than ${DEEPEST_NESTING} deep`
  if (operators > MOST_OPERATORS) return `the policy has more than ${MOST_OPERATORS} operators`
  const isPattern = isWord(token, 'like') && next?.kind === 'string'
  return isPattern && next.text.length - 2 > LONGEST_PATTERN
    ? `the pattern has more than ${LONGEST_PATTERN} characters`
    : undefined
}

function nestingOf(mark: string): number {
  if (OPENING.has(mark)) return 1
  return CLOSING.has(mark) ? -1 : 0
}

function costOf(token: Token): number {
  if (isWord(token, 'like')) return LIKE_COSTS
  if (token.kind === 'word') return OPERATOR_WORDS.has(token.text) ? 1 : 0
  return token.kind === 'mark' && !UNCOUNTED.has(token.text) ? 1 : 0
}

function isWord(token: Token, word: string): boolean {
  return token.kind === 'word' && token.text === word
}
