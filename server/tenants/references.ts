/**
 * Names that must be defined somewhere else in the tenant. A name that is defined nowhere would mean "nothing" in
 * one place and "not checked" in another. Reads entries as written, so that a broken one shows these faults too.
 */

import { quote } from '../core/problem.ts'
import { isRecord, type Listing, type TenantEntries } from './entries.ts'
import type { Path } from './place.ts'
import {
  type Finding,
  isFull,
  type Report,
  refuse,
  refuseKey,
  reported,
  suggest,
} from './report.ts'
import type { YamlDocument } from './yaml-document.ts'

/** The names of one kind; `known` is undefined where their file could not be read. */
export interface Names {
  readonly noun: string
  readonly known: ReadonlySet<string> | undefined
}

export type Member = readonly [name: string, names: Names]
type AnyListing = Listing<unknown>

export function checkReferences(report: Report, entries: TenantEntries): void {
  const { agents, resources, taskTypes, issuers } = entries
  const agent = { noun: 'agent', known: agents?.ids }
  const resource = { noun: 'resource', known: resources?.ids }
  const scope = { noun: 'scope', known: resources && readScopeNames(resources) }
  const issuer = { noun: 'trusted issuer', known: issuers?.ids }
  checkMembers(report, agents, [
    ['scopes', scope],
    ['may_reach', resource],
    ['default_target', resource],
    ['issuer_clients', issuer],
  ])
  checkMembers(report, agents && authIn(agents), [
    ['authority', { noun: 'certificate authority', known: entries.authorities?.ids }],
    ['issuer', { noun: 'workload issuer', known: entries.workloadIssuers?.ids }],
    ['attester', { noun: 'attester', known: entries.attesters?.ids }],
  ])
  checkMembers(report, resources && endpointsIn(resources), [
    ['agent', agent],
    ['scopes', scope],
  ])
  checkMembers(report, entries.roles, [['issuer', issuer]])
  checkMembers(report, entries.transmitters, [['subjects_of', issuer]])
  checkMembers(report, taskTypes, [
    ['openers', agent],
    ['subjects_from', issuer],
    ['scopes', scope],
    ['reach', resource],
  ])
}

/** The resources whose scopes are references, not definitions. */
function endpointsIn(resources: AnyListing): AnyListing {
  return { ...resources, stated: resources.stated.filter(({ value }) => value['kind'] === 'agent') }
}

function authIn(agents: AnyListing): AnyListing {
  const stated = agents.stated.flatMap(({ value, path }) => {
    const { auth } = value
    return isRecord(auth) ? [{ value: auth, path: [...path, 'auth'] }] : []
  })
  return { ...agents, stated }
}

export function readScopeNames(resources: AnyListing): ReadonlySet<string> {
  const names = new Set<string>()
  for (const { value } of resources.stated) {
    const scopes = value['scopes']
    if (isRecord(scopes)) for (const name of Object.keys(scopes)) names.add(name)
  }
  return names
}

export function checkMembers(
  report: Report,
  listing: AnyListing | undefined,
  members: readonly Member[],
): void {
  if (listing === undefined) return
  for (const { value, path } of listing.stated) {
    if (isFull(report)) return
    for (const [member, names] of members) {
      checkMember(report, listing.document, {
        path: [...path, member],
        stated: value[member],
        names,
      })
    }
  }
}

/** A member that is one name, a list of names, or a mapping by name. */
function checkMember(
  report: Report,
  document: YamlDocument,
  { path, stated, names }: { path: Path; stated: unknown; names: Names },
): void {
  if (typeof stated === 'string') {
    if (isUnknown(stated, names) && !reported(report, document, path)) {
      refuse(report, document, path, findingOf(report, stated, names))
    }
  } else if (Array.isArray(stated)) {
    for (const [index, item] of (stated as readonly unknown[]).entries()) {
      if (typeof item !== 'string' || isFull(report)) continue
      checkMember(report, document, { path: [...path, index], stated: item, names })
    }
  } else if (isRecord(stated)) {
    for (const name of Object.keys(stated)) {
      if (!isUnknown(name, names)) continue
      refuseKey(report, document, [...path, name], findingOf(report, name, names))
    }
  }
}

function isUnknown(name: string, { known }: Names): boolean {
  return known !== undefined && !known.has(name)
}

function findingOf(report: Report, name: string, { noun, known = new Set() }: Names): Finding {
  return { text: `unknown ${noun} ${quote(name)}`, suggestion: suggest(report, name, known) }
}
