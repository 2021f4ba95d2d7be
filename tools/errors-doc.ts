/**
 * `npm run errors-doc`: writes docs/errors.md from the closed tables of reasons: the server's two and the verifier's. A test
 * checks that the page is current.
 */
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { VERIFICATION_REASONS } from '../lib/src/errors.ts'
import { MANAGEMENT_REASONS } from '../server/core/management-refusal.ts'
import { REASONS } from '../server/core/refusal.ts'
import { formatted } from './formatted.ts'

export const ERRORS_PAGE = fileURLToPath(new URL('../docs/errors.md', import.meta.url))

interface Row {
  readonly error?: string | undefined
  readonly status: number
  readonly text: string
}

const SERVER = `# Errors

Three closed lists. \`reason\` is stable and meant for programs; texts are for people and may change.

This page is made by \`npm run errors-doc\` from \`server/core/refusal.ts\`, \`server/core/management-refusal.ts\` and
\`lib/src/errors.ts\`: change it there.

## Of the authorization server

A refusal at \`token\`, \`introspect\` or \`revoke\`, and at the token endpoints of the admin API, is a JSON object (RFC 6749 §5.2) with two members more:

\`\`\`json
{
  "error": "invalid_scope",
  "error_description": "a requested scope is beyond what may be granted here",
  "reason": "scope_not_permitted",
  "error_ref": "vN1m0kq0b6jVxk7dT7m3Nw"
}
\`\`\`

\`error_ref\` is random and names this request in the audit log, whose entry also has the exact guard that refused. A body
says no more than the table: nothing of a request, a token or a fault is ever in one. A faulty subject token has the one
reason \`subject_token_unacceptable\` until it is clear by what right the caller exchanges it (decision 0008).

Answers with 503 have \`Retry-After\`; nothing was issued then, and assertion and proof have to be made anew.

Away from those endpoints errors are problems of RFC 9457 (\`application/problem+json\`): \`not_found\`, \`authorization_not_offered\`,
\`method_not_allowed\` and \`unavailable\` at the public documents; at status lists and the feed also \`not_acceptable\` (406), \`history_not_kept\`
(501) and \`too_many_listeners\` (503); and those of the admin API below.

`

const ADMIN = `
## Of the admin API

Problems of RFC 9457 ([admin.md](admin.md)). \`errors\` names the members of a body that are not taken, \`problems\` and \`warnings\` places
in a version's files:

\`\`\`json
{
  "type": "about:blank",
  "status": 422,
  "reason": "version_invalid",
  "detail": "the version has problems: nothing was stored",
  "error_ref": "vN1m0kq0b6jVxk7dT7m3Nw",
  "problems": [{ "file": "acme/agents.yaml", "line": 12, "column": 5, "text": "unknown key \\"scope\\"", "suggestion": "scopes" }],
  "warnings": []
}
\`\`\`

`

const VERIFIER = `
## Of the verifier

At a resource server, by \`@actchain/verifier\`: the error goes into the \`WWW-Authenticate\` challenge (RFC 6750 §3, RFC 9449
§7.1), the same members into the body. What each reason of a chain means is in [chain-format.md](chain-format.md), by rule.

`

/** The whole page. */
export function errorsPage(): string {
  const server = `${SERVER}${table(REASONS)}${ADMIN}${statusTable(MANAGEMENT_REASONS)}`
  const page = `${server}${VERIFIER}${table(VERIFICATION_REASONS)}`
  return formatted('docs/errors.md', page)
}

function table(reasons: Readonly<Record<string, Row>>): string {
  const rows = Object.entries(reasons).map(
    ([reason, { error, status, text }]) =>
      `| \`${reason}\` | ${status} | ${error === undefined ? 'none' : `\`${error}\``} | ${text} |`,
  )
  return ['| reason | status | error | text |', '| --- | --- | --- | --- |', ...rows, ''].join('\n')
}

/** Problems have no error code beside their reason. */
function statusTable(reasons: Readonly<Record<string, Row>>): string {
  const rows = Object.entries(reasons).map(
    ([reason, { status, text }]) => `| \`${reason}\` | ${status} | ${text} |`,
  )
  return ['| reason | status | text |', '| --- | --- | --- |', ...rows, ''].join('\n')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(ERRORS_PAGE, errorsPage())
