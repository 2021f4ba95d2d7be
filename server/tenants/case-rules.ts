/**
 * Test cases as written become questions: names that exist, claims that are believed, expectations that can be met. A case
 * about an agent nobody has would pass for the wrong reason.
 */

import { quote } from '../core/problem.ts'
import type { CompiledPolicy } from '../policy/compiled-policy.ts'
import { type CaseEntry, testCase } from './cases-file.ts'
import { type Entry, readList, type TenantEntries } from './entries.ts'
import { homeId } from './homes.ts'
import { checkMembers, type Member, readScopeNames } from './references.ts'
import { type Report, refuse, refuseKey, suggest } from './report.ts'
import type { NamedCase } from './test-cases.ts'
import type { YamlDocument } from './yaml-document.ts'

const MOST_CASES = 10_000

export interface CaseFacts {
  readonly entries: TenantEntries
  /** Undefined: not all of them could be read, so none can be said to be missing. */
  readonly policies: readonly CompiledPolicy[] | undefined
  /** The tenant's issuer: generated homes are under it. */
  readonly issuer: string
}

/** @param files the documents by path in the tenant's folder */
export function readCases(
  report: Report,
  files: ReadonlyMap<string, YamlDocument>,
  facts: CaseFacts,
): readonly NamedCase[] {
  const cases: NamedCase[] = []
  const names = new Set<string>()
  for (const [file, document] of files) {
    const listing = readList(report, document, 'cases', testCase)
    if (listing === undefined) continue
    checkMembers(report, listing, membersOf(facts))
    for (const entry of listing.entries) {
      checkCase(report, document, entry, facts.entries)
      const { name } = entry.value
      if (names.has(name)) {
        const text = `another case is named ${quote(name)}`
        refuse(report, document, [...entry.path, 'name'], { text })
      }
      names.add(name)
      cases.push(namedCase(file, document, entry))
    }
    if (cases.length > MOST_CASES) {
      refuse(report, document, [], { text: `at most ${MOST_CASES} cases in all files` })
      return []
    }
  }
  return cases
}

function membersOf({ entries, policies, issuer }: CaseFacts): readonly Member[] {
  const { agents, resources, taskTypes, issuers } = entries
  return [
    ['from', { noun: 'trusted issuer', known: issuers?.ids }],
    ['actors', { noun: 'agent', known: agents?.ids }],
    ['task_type', { noun: 'task type', known: taskTypes?.ids }],
    ['resource', { noun: 'resource', known: targetsOf(resources, agents?.ids, issuer) }],
    ['scope', { noun: 'scope', known: resources && readScopeNames(resources) }],
    ['granted', { noun: 'scope', known: resources && readScopeNames(resources) }],
    ['policies', { noun: 'policy', known: policies && new Set(policies.map(({ id }) => id)) }],
  ]
}

/** Resources by id and by URI, and the homes made for agents. */
function targetsOf(
  resources: TenantEntries['resources'],
  agents: ReadonlySet<string> | undefined,
  issuer: string,
): ReadonlySet<string> | undefined {
  if (resources === undefined || agents === undefined) return undefined
  const uris = resources.stated.map(({ value }) => String(value['uri']))
  const homes = [...agents].flatMap((id) => [homeId(id), `${issuer}/agents/${id}`])
  return new Set([...resources.ids, ...uris, ...homes])
}

function checkCase(
  report: Report,
  document: YamlDocument,
  { value, path }: Entry<CaseEntry>,
  { issuers }: TenantEntries,
): void {
  const refuseAt = (member: string, text: string): void =>
    refuse(report, document, [...path, member], { text })
  if (value.subject === undefined && value.from !== undefined) {
    refuseAt('from', 'an agent that acts for itself has no subject: leave "from" out')
  }
  if (value.subject === undefined && Object.keys(value.claims).length > 0) {
    refuseAt('claims', 'an agent that acts for itself has no subject: leave "claims" out')
  }
  if (value.expect === 'permit' && value.reason !== undefined) {
    refuseAt('reason', 'a permit has no reason')
  }
  if (value.expect !== 'permit' && value.granted !== undefined) {
    refuseAt('granted', 'nothing is granted unless "expect" is "permit"')
  }
  if (issuers === undefined) return
  const believed = believedClaims(issuers, value.from)
  for (const name of Object.keys(value.claims)) {
    if (believed.has(name)) continue
    const text = `${quote(name)} is not in "subject_claims" of the subject's issuer: rules never see it`
    const suggestion = suggest(report, name, believed)
    refuseKey(report, document, [...path, 'claims', name], { text, suggestion })
  }
}

function believedClaims(
  issuers: NonNullable<TenantEntries['issuers']>,
  from: string | undefined,
): ReadonlySet<string> {
  return new Set(
    issuers.entries
      .filter(({ value }) => from === undefined || value.id === from)
      .flatMap(({ value }) => value.subject_claims),
  )
}

function namedCase(file: string, document: YamlDocument, entry: Entry<CaseEntry>): NamedCase {
  const { value } = entry
  const { reason, granted, policies } = value
  return {
    name: value.name,
    file,
    ...document.at(entry.path),
    asked: {
      subject: value.subject,
      issuer: value.from,
      claims: value.claims,
      actors: value.actors,
      taskType: value.task_type,
      resource: value.resource,
      scope: value.scope,
      purpose: value.purpose,
      key: value.key,
    },
    ...(value.at === undefined ? {} : { at: value.at }),
    expect: {
      decision: value.expect,
      ...(reason === undefined ? {} : { reason }),
      ...(granted === undefined ? {} : { granted }),
      ...(policies === undefined ? {} : { policies }),
    },
  }
}
