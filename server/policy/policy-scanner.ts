/**
 * Cuts a policy file into its policies, so that each is read alone and every broken one is told. In Cedar `;` ends a
 * policy and stands nowhere else but in strings and comments. The tokens serve to find places and to count; what a
 * policy means is the engine's business.
 */

export interface Token {
  readonly kind: 'word' | 'number' | 'string' | 'slot' | 'mark'
  readonly text: string
  /** Offset in the file. */
  readonly at: number
}

export interface PolicyText {
  /** From its first token to its `;`. */
  readonly text: string
  /** Offset of that text in the file. */
  readonly at: number
  readonly tokens: readonly Token[]
  /** False where the file ends without `;`. */
  readonly ended: boolean
}

// Each branch is linear. As in Cedar's own lexer a comment ends at either line break, and a string may go over lines.
const TOKEN =
  /(?<space>\s+|\/\/[^\r\n]*)|(?<string>"(?:\\.|[^"\\])*")|(?<word>[A-Za-z_][A-Za-z0-9_]*)|(?<number>[0-9]+)|(?<slot>\?[A-Za-z_]*)|(?<mark>::|==|!=|<=|>=|&&|\|\||[^])/gu
const KINDS = ['string', 'word', 'number', 'slot', 'mark'] as const

export function scanPolicies(file: string): readonly PolicyText[] {
  const found: PolicyText[] = []
  let tokens: Token[] = []
  for (const token of readTokens(file)) {
    tokens.push(token)
    if (token.text !== ';') continue
    found.push(policyText(file, tokens, true))
    tokens = []
  }
  if (tokens.length > 0) found.push(policyText(file, tokens, false))
  return found
}

function policyText(file: string, tokens: readonly Token[], ended: boolean): PolicyText {
  const at = tokens[0]?.at ?? 0
  const last = tokens.at(-1)
  const end = last === undefined ? at : last.at + last.text.length
  return { text: file.slice(at, end), at, tokens, ended }
}

function* readTokens(file: string): Generator<Token> {
  for (const { groups = {}, index } of file.matchAll(TOKEN)) {
    for (const kind of KINDS) {
      const text = groups[kind]
      if (text !== undefined) yield { kind, text, at: index }
    }
  }
}
