/**
 * What may be stated only once in a tenant: ids, URIs, scope names, client ids at an issuer. A name that means two
 * things lets one party pass as another (RFC 8693 §2.1: an audience name means one target).
 */

import { quote } from '../core/problem.ts'
import type { AgentEntry } from './agents-file.ts'
import type { Entry, Listing, TenantEntries } from './entries.ts'
import { type Report, refuse, refuseKey } from './report.ts'
import type { ResourceEntry } from './resources-file.ts'
import type { IssuerEntry } from './tenant-file.ts'
import { withoutSlash } from './uri.ts'

export function checkUnique(report: Report, entries: TenantEntries): void {
  const { agents, resources, taskTypes, issuers } = entries
  if (agents !== undefined) {
    checkIds(report, agents, 'agent')
    checkIssuerClients(report, agents)
  }
  if (resources !== undefined) {
    checkIds(report, resources, 'resource')
    checkUrisDiffer(report, resources)
    checkScopeNames(report, resources)
  }
  if (taskTypes !== undefined) checkIds(report, taskTypes, 'task type')
  if (issuers !== undefined) {
    checkIds(report, issuers, 'trusted issuer')
    checkIssuers(report, issuers)
  }
  if (agents !== undefined && resources !== undefined) {
    checkClientIds(report, agents, resources)
  }
}

export function checkIds(
  report: Report,
  listing: Listing<{ readonly id: string }>,
  noun: string,
): void {
  checkOnce(report, listing, (entry) => ({
    member: 'id',
    name: entry.value.id,
    text: `${noun} ${quote(entry.value.id)} is defined twice`,
  }))
}

function checkUrisDiffer(report: Report, resources: Listing<ResourceEntry>): void {
  checkOnce(report, resources, ({ value }) => ({
    member: 'uri',
    name: withoutSlash(value.uri),
    text: 'another resource has this URI',
  }))
}

function checkIssuers(report: Report, issuers: Listing<IssuerEntry>): void {
  checkOnce(report, issuers, ({ value }) => ({
    member: 'issuer',
    name: withoutSlash(value.issuer),
    text: 'another trusted issuer has this issuer',
  }))
  const { document, entries } = issuers
  for (const [index, { value, path }] of entries.entries()) {
    for (const { value: earlier } of entries.slice(0, index)) {
      const text = findPrefixFault(value.subject_prefix, earlier.subject_prefix)
      if (text !== undefined) refuse(report, document, [...path, 'subject_prefix'], { text })
    }
  }
}

// With the prefixes `a` and `ab`, the subject `b` of one issuer could be written by the other.
function findPrefixFault(one: string, other: string): string | undefined {
  if (one === '' && other === '') return 'only one trusted issuer may have an empty subject prefix'
  if (one === other) return 'another trusted issuer has this subject prefix'
  if (one === '' || other === '') return undefined
  if (one.startsWith(other) || other.startsWith(one)) {
    return `one subject prefix begins with another (${quote(one)}, ${quote(other)})`
  }
  return undefined
}

/** docs/chain-format.md §1: a scope name belongs to one API. */
function checkScopeNames(report: Report, resources: Listing<ResourceEntry>): void {
  const owners = new Map<string, string>()
  for (const { value, path } of resources.entries) {
    if (value.kind !== 'api') continue
    for (const name of Object.keys(value.scopes)) {
      const owner = owners.get(name)
      if (owner !== undefined) {
        refuseKey(report, resources.document, [...path, 'scopes', name], {
          text: `scope ${quote(name)} belongs to ${quote(owner)} already`,
        })
      }
      owners.set(name, owner ?? value.id)
    }
  }
}

function checkIssuerClients(report: Report, agents: Listing<AgentEntry>): void {
  const owners = new Map<string, string>()
  for (const { value, path } of agents.entries) {
    for (const [issuer, clientId] of Object.entries(value.issuer_clients)) {
      const client = JSON.stringify([issuer, clientId])
      const owner = owners.get(client)
      if (owner !== undefined) {
        refuse(report, agents.document, [...path, 'issuer_clients', issuer], {
          text: `agent ${quote(owner)} has this client id at ${quote(issuer)} already`,
        })
      }
      owners.set(client, owner ?? value.id)
    }
  }
}

/** A resource with keys is a client too; its client id is its id. */
function checkClientIds(
  report: Report,
  agents: Listing<AgentEntry>,
  resources: Listing<ResourceEntry>,
): void {
  for (const { value, path } of resources.entries) {
    if (value.keys === undefined || !agents.ids.has(value.id)) continue
    refuse(report, resources.document, [...path, 'id'], {
      text: `a resource with keys cannot have the id of an agent, here ${quote(value.id)}`,
    })
  }
}

interface Statement {
  readonly member: string
  /** Undefined: not stated. */
  readonly name: string | undefined
  readonly text: string
}

export function checkOnce<Value>(
  report: Report,
  listing: Listing<Value>,
  read: (entry: Entry<Value>) => Statement,
): void {
  const seen = new Set<string>()
  for (const entry of listing.entries) {
    const { member, name, text } = read(entry)
    if (name === undefined) continue
    if (seen.has(name)) refuse(report, listing.document, [...entry.path, member], { text })
    seen.add(name)
  }
}
