/**
 * What a trusted issuer may be believed for: names of this tenant that no other party has there, and a client for people's
 * sign-in that is no agent's, or an agent that holds a user's token could manage the tenant.
 */
import { quote } from '../core/problem.ts'
import type { Entry, TenantEntries } from './entries.ts'
import { type Report, refuse } from './report.ts'
import type { IssuerEntry } from './tenant-file.ts'
import { isUnder } from './uri.ts'
import type { YamlDocument } from './yaml-document.ts'

type IssuerAt = Entry<IssuerEntry>

/** Client id at one issuer to the agent that has it. */
type Owners = ReadonlyMap<string, string>

export function checkIssuers(
  report: Report,
  { issuers, agents }: TenantEntries,
  publicUrl: string,
): void {
  if (issuers === undefined) return
  for (const entry of issuers.entries) {
    const owners = new Map(
      agents?.entries.flatMap(({ value: { id, issuer_clients: clients } }) => {
        const client = clients[entry.value.id]
        return client === undefined ? [] : [[client, id] as const]
      }),
    )
    checkId(report, issuers.document, entry)
    checkAudiences(report, issuers.document, entry, owners)
    checkOwnNames(report, issuers.document, entry, publicUrl)
    checkManagementClient(report, issuers.document, entry, owners)
  }
}

/** Of people it is written `{issuer id}:{subject}` who did something; of others, with one of these before the colon. */
const OTHER_AUTHORS: ReadonlySet<string> = new Set(['agent', 'receiver', 'resource', 'transmitter'])

function checkId(report: Report, document: YamlDocument, { value, path }: IssuerAt): void {
  if (!OTHER_AUTHORS.has(value.id)) return
  const text = `${quote(value.id)} stands for something else on record: give it another id`
  refuse(report, document, [...path, 'id'], { text })
}

function checkAudiences(
  report: Report,
  document: YamlDocument,
  { value, path }: IssuerAt,
  owners: Owners,
): void {
  const { audiences, client_claim: clientClaim } = value
  if (audiences.length > 0 && clientClaim === undefined) {
    const text = 'needs "client_claim": such a token has to say which agent it is for'
    refuse(report, document, [...path, 'audiences'], { text })
  }
  for (const [index, audience] of audiences.entries()) {
    const owner = owners.get(audience)
    if (owner === undefined) continue
    const text = `this is the client id of agent ${quote(owner)} there`
    refuse(report, document, [...path, 'audiences', index], { text })
  }
}

/** Our issuer is a name of ours already, and another tenant's is never one of this tenant. */
function checkOwnNames(
  report: Report,
  document: YamlDocument,
  { value, path }: IssuerAt,
  publicUrl: string,
): void {
  for (const [index, audience] of value.audiences.entries()) {
    if (!isUnder(audience, publicUrl)) continue
    const text = "the tenant's own issuer is accepted already; no other name is under this server"
    refuse(report, document, [...path, 'audiences', index], { text })
  }
}

function checkManagementClient(
  report: Report,
  document: YamlDocument,
  { value, path }: IssuerAt,
  owners: Owners,
): void {
  const { management_client: client, audiences, token_types: types } = value
  if (client === undefined) return
  const place = [...path, 'management_client']
  const owner = owners.get(client)
  if (owner !== undefined) {
    const text = `this is the client id of agent ${quote(owner)} there: it could manage the tenant with a user's token`
    refuse(report, document, place, { text })
  }
  if (audiences.includes(client)) {
    const text = 'this is in "audiences": a token for signing in would open tasks too'
    refuse(report, document, place, { text })
  }
  if (!types.includes('id_token')) {
    const text = 'people sign in with ID tokens: put "id_token" in "token_types"'
    refuse(report, document, place, { text })
  }
}
