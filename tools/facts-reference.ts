/** The part of docs/policy-reference.md about a tenant's YAML files, from the schemas the files are checked with. */
import {
  describeFiles,
  type FileDescription,
  type MemberDescription,
} from '../server/tenants/file-schemas.ts'
import { table } from './cedar-reference.ts'

/** The sections of all files, in Markdown. */
export function factsReference(): string {
  return describeFiles().map(sectionOf).join('\n\n')
}

function sectionOf({ file, name, about, members }: FileDescription): string {
  const schema = `[JSON Schema](schema/${name}.schema.json)`
  const head = ['member', 'value', 'default', 'meaning']
  return [`### \`${file}\``, `${about} ${schema}.`, table(head, members.map(rowOf))].join('\n\n')
}

function rowOf(member: MemberDescription): readonly string[] {
  const { path, type, where, description } = member
  if (description === '') throw new Error(`no description of ${path}`)
  return [
    `\`${path}\`${where === undefined ? '' : ` (\`${where}\`)`}`,
    escaped(type),
    member.isRequired ? '**required**' : defaultOf(member),
    escaped(description),
  ]
}

function defaultOf({ default: standard }: MemberDescription): string {
  if (standard === undefined || JSON.stringify(standard) === '{}') return ''
  const isWord = typeof standard === 'string' && standard !== ''
  return `\`${isWord ? standard : JSON.stringify(standard)}\``
}

/** A table's own sign, and what Markdown would take for a tag. */
function escaped(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '\\<')
}
