/**
 * `npm run audit-events`: writes docs/audit-events.md from the closed tables of event codes and fields. A test checks that the page
 * is current.
 */
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { AUDIT_CODES, type AuditCode } from '../server/core/audit-code.ts'
import { AUDIT_FIELDS, AUDIT_MINIMUM, COMMON } from '../server/core/audit-field.ts'
import { formatted } from './formatted.ts'

export const EVENTS_PAGE = fileURLToPath(new URL('../docs/audit-events.md', import.meta.url))

const HEAD = `# Audit events

What stands in the audit log. An entry is one line, a JSON object; its \`code\` is stable and meant for programs: a code that was published never
changes its meaning and never goes. Every decision has one entry, whether it issued, refused or asked, and so has every change of configuration,
agents, keys, tasks and revocations, and every change that was refused.

This page is made by \`npm run audit-events\` from \`server/core/audit-code.ts\` and \`server/core/audit-field.ts\`: change it there.

No entry has a token, a proof, a key, a secret, or words that people or agents wrote. Of such words it has a salted digest; the text itself is kept
only where the tenant says so, sealed and erasable ([admin.md](admin.md)).

## Codes

Beside these fields every entry may have ${COMMON.map((name) => `\`${name}\``).join(', ')}.

`

const FIELDS = `
## Fields

`

const MINIMUM = `
## The seven fields of an agent's audit

What a record of agents has to answer at least (IETF WIMSE, AI agent authentication and authorization), and where the answer stands. One exchange is one
entry: its parent \`parent_jti\`, the new token \`jti\`, the decision \`ref\`.

`

/** The whole page. */
export function eventsPage(): string {
  const codes = Object.entries<AuditCode>(AUDIT_CODES).map(
    ([code, { text, fields }]) => `| \`${code}\` | ${text} | ${namesOf(fields)} |`,
  )
  const fields = Object.entries(AUDIT_FIELDS).map(([name, { text }]) => `| \`${name}\` | ${text} |`)
  const minimum = Object.entries(AUDIT_MINIMUM).map(([part, text]) => {
    const names = Object.entries(AUDIT_FIELDS).filter(([, field]) => field.part === part)
    return `| ${text} | ${namesOf(names.map(([name]) => name))} |`
  })
  const page = [
    HEAD,
    table('code', 'what happened', 'fields')(codes),
    FIELDS,
    table('field', 'says')(fields),
    MINIMUM,
    table('what', 'fields')(minimum),
  ].join('')
  return formatted('docs/audit-events.md', page)
}

const namesOf = (names: readonly string[]): string =>
  [...new Set(names)].map((name) => `\`${name}\``).join(' ')

function table(...heads: readonly string[]): (rows: readonly string[]) => string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return (rows) => [line(heads), line(heads.map(() => '---')), ...rows, ''].join('\n')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(EVENTS_PAGE, eventsPage())
