/**
 * `npm run policy-reference`: writes docs/policy-reference.md from the schemas that tenants' files are checked with and from the
 * Cedar schema that policies are validated against. A test checks that the page is current.
 */
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { cedarReference } from './cedar-reference.ts'
import { factsReference } from './facts-reference.ts'
import { formatted } from './formatted.ts'

export const POLICY_REFERENCE = fileURLToPath(
  new URL('../docs/policy-reference.md', import.meta.url),
)

const FACTS = `# Policy reference

Everything a tenant's folder can say: facts in YAML, rules in Cedar. How one writes a policy is in [policies.md](policies.md).

This page is made by \`npm run policy-reference\` from the schemas in \`server/tenants\` and \`server/policy\`: change it there.

## Facts

A member that is not listed is an error, and so is one that is listed twice. A duration is a number of seconds or text such as \`90s\`, \`15m\`,
\`8h\`. An id is a lower-case letter and up to 62 of \`a-z\`, \`0-9\`, \`-\`. A JWK Set has public keys only
(RFC 7517). \`[]\` stands for each entry of a list, \`{}\` for each of a mapping. A file says which schema it has in its first line, for editors:
\`# yaml-language-server: $schema=...\`.

`

const RULES = `

## Rules

Policies of [Cedar](https://docs.cedarpolicy.com), in files \`policies/*.cedar\`, checked against this schema. Nothing is permitted unless a
\`permit\` holds; a \`forbid\` that holds refuses, whatever permits. There are no templates.

`

/** The whole page. */
export function policyReference(): string {
  const rules = cedarReference().replaceAll(/^##/gm, '###')
  return formatted('docs/policy-reference.md', `${FACTS}${factsReference()}${RULES}${rules}\n`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(POLICY_REFERENCE, policyReference())
}
