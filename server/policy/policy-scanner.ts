/**
 * Cuts a policy file into its policies, so that each is read alone and every broken one is told. In Cedar `;` ends a
 * policy and stands nowhere else but in strings and comments. The tokens serve to find places and to count; what a
 * policy means is the engine's business.
 */

export interface Token {
  /** `open`: a string without its closing quote. */
  readonly kind: 'word' | 'number' | 'string' | 'open' | 'slot' | 'mark'
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

// Linear: what a branch has read is never read again, unclosed strings included. As in Cedar's own lexer a comment ends at either line break, and a string may go over lines.
const TOKEN =
  /\s+|\/\/[^\r\n]*|"(?:\\.|[^"\\])*"?|[A-Za-z_][A-Za-z0-9_]*|[0-9]+|\?[A-Za-z_]*|::|==|!=|<=|>=|&&|\|\||[^]/gu

export function scanPolicies(file: string): readonly PolicyText[] {
  const found: PolicyText[] = []
  let tokens: Token[] = []
  for (const match of file.matchAll(TOKEN)) {
    const [text] = match
    const kind = kindOf(text)
    if (kind === undefined) continue
    tokens.push({ kind, text, at: match.index })
    if (text !== ';') continue
    found.push(policyText(file, tokens, true))
    tokens = []
  }
  if (tokens.length > 0) found.push(policyText(file, tokens, false))
  return found
}

/** Undefined for what stands between tokens. */
function kindOf(text: string): Token['kind'] | undefined {
  const [first = ''] = text
  if (first.trim() === '' || text.startsWith('//')) return undefined
  if (/[A-Za-z_]/.test(first)) return 'word'
  if (/[0-9]/.test(first)) return 'number'
  if (first === '"') return /^"(?:\\.|[^"\\])*"$/u.test(text) ? 'string' : 'open'
  return first === '?' ? 'slot' : 'mark'
}

function policyText(file: string, tokens: readonly Token[], ended: boolean): PolicyText {
  const at = tokens[0]?.at ?? 0
  const last = tokens.at(-1)
  const end = last === undefined ? at : last.at + last.text.length
  return { text: file.slice(at, end), at, tokens, ended }
}
