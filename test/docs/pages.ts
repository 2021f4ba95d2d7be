/** The project's pages and the fenced blocks of code in them. */
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'

export const ROOT = resolve(import.meta.dirname, '../..')

export interface Block {
  /** Page and line of the fence. */
  readonly at: string
  readonly page: string
  readonly language: string
  readonly text: string
}

/** Every page for readers: at the root, in docs, and the READMEs of packages and examples. */
export function pages(): readonly string[] {
  const inFolder = (folder: string, recursive: boolean): string[] =>
    readdirSync(join(ROOT, folder), { recursive, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith('.md'))
      .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)))
      .filter((path) => !path.includes('node_modules'))
  const deep = ['docs', 'examples', 'lib', 'bench', 'conformance', '.changes']
  return [...inFolder('.', false), ...deep.flatMap((folder) => inFolder(folder, true))]
}

export function readPage(page: string): string {
  return readFileSync(join(ROOT, page), 'utf8')
}

/** The rows of all tables of a page, head included, as trimmed cells: how wide a column is says nothing. */
export function readRows(text: string): readonly (readonly string[])[] {
  return text
    .split('\n')
    .filter((line) => /^\|.*\|$/.test(line) && !/^[|\s-]+$/.test(line))
    .map((line) =>
      line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim()),
    )
}

/** Throws where a fence is not closed: what follows would be read as its contrary. */
export function readBlocks(page: string, text: string): readonly Block[] {
  const blocks: Block[] = []
  let open:
    | { readonly line: number; readonly language: string; readonly lines: string[] }
    | undefined
  for (const [index, line] of text.split('\n').entries()) {
    const fence = /^\s*```(.*)$/.exec(line)
    if (fence === null) {
      open?.lines.push(line)
    } else if (open === undefined) {
      open = { line: index + 1, language: (fence[1] ?? '').trim(), lines: [] }
    } else {
      const { language, lines } = open
      blocks.push({ at: `${page}:${open.line}`, page, language, text: lines.join('\n') })
      open = undefined
    }
  }
  if (open !== undefined) throw new Error(`${page}:${open.line}: a block is not closed`)
  return blocks
}
