/**
 * Names that must be defined somewhere else in the tenant, and rules that join two files. A name that is defined
 * nowhere would otherwise mean "nothing" in one place and "not checked" in another.
 */
import type { Listing, TenantEntries } from './entries.ts'
import { endpointsOf, readHome } from './homes.ts'
import { quote } from './problem.ts'
import { type Report, refuse, refuseKey, warn } from './report.ts'
import type { AgentEntry, ResourceEntry, TaskTypeEntry } from './schema.ts'
import { findNearest } from './suggestion.ts'
import type { Path, YamlDocument } from './yaml-document.ts'

/** The names of one kind; `undefined` where their file could not be read. */
interface Names {
  readonly noun: string
  readonly known: ReadonlySet<string> | undefined
}

interface Vocabulary {
  readonly agents: Names
  readonly resources: Names
  readonly scopes: Names
  readonly issuers: Names
}

/** The masks of a token have 31 bits; the opener's home takes one. */
const MOST_PLACES = 31

export function checkReferences(report: Report, entries: TenantEntries): void {
  const vocabulary = readVocabulary(entries)
  if (entries.agents !== undefined) checkAgents(report, entries.agents, entries, vocabulary)
  if (entries.resources !== undefined) checkResources(report, entries.resources, vocabulary)
  if (entries.taskTypes !== undefined) {
    checkTaskTypes(report, entries.taskTypes, entries, vocabulary)
  }
}

function readVocabulary(entries: TenantEntries): Vocabulary {
  return {
    agents: { noun: 'agent', known: entries.agents?.ids },
    resources: { noun: 'resource', known: entries.resources?.ids },
    scopes: { noun: 'scope', known: entries.resources && readScopeNames(entries.resources) },
    issuers: { noun: 'trusted issuer', known: entries.issuers?.ids },
  }
}

/** Read from the file itself, so that a broken entry still defines its scopes. */
function readScopeNames(resources: Listing<ResourceEntry>): ReadonlySet<string> {
  const file = resources.document.value as { readonly resources?: unknown } | null
  const items: readonly unknown[] = Array.isArray(file?.resources) ? file.resources : []
  const names = new Set<string>()
  for (const item of items) {
    const scopes = (item as { readonly scopes?: unknown } | null)?.scopes
    if (typeof scopes !== 'object' || scopes === null || Array.isArray(scopes)) continue
    for (const name of Object.keys(scopes)) names.add(name)
  }
  return names
}

function checkAgents(
  report: Report,
  agents: Listing<AgentEntry>,
  entries: TenantEntries,
  { resources, scopes, issuers }: Vocabulary,
): void {
  const { document } = agents
  const check = referencesIn(report, document)
  for (const { value, path } of agents.entries) {
    check.list([...path, 'scopes'], value.scopes, scopes)
    check.list([...path, 'may_reach'], value.may_reach, resources)
    check.keys([...path, 'issuer_clients'], Object.keys(value.issuer_clients), issuers)
    checkKeys(report, document, value, path)
    checkBinding(report, document, value, path)
    if (entries.resources === undefined) continue
    const endpoints = endpointsOf(value.id, readValues(entries.resources))
    checkHome(report, document, { value, path, endpoints })
    checkDefaultTarget(report, document, { value, path, entries, resources })
  }
}

function checkKeys(report: Report, document: YamlDocument, agent: AgentEntry, path: Path): void {
  const { jwks, development_keys: development } = agent.auth
  if ((jwks === undefined) === (development === undefined)) {
    const text = 'state either "jwks" or "development_keys: true"'
    refuse(report, document, [...path, 'auth'], { text })
  }
}

function checkBinding(report: Report, document: YamlDocument, agent: AgentEntry, path: Path): void {
  const place = [...path, 'binding']
  if (agent.binding === 'mtls') {
    refuse(report, document, place, { text: 'binding "mtls" is not available yet' })
  }
  if (agent.binding === 'bearer') {
    const text = `tokens of ${quote(agent.id)} work for whoever holds them; prefer "dpop"`
    warn(report, document, place, { text })
  }
}

function checkHome(
  report: Report,
  document: YamlDocument,
  { value, path, endpoints }: { value: AgentEntry; path: Path; endpoints: readonly string[] },
): void {
  if (value.home === undefined) {
    if (endpoints.length > 1) {
      const text = `${quote(value.id)} has several endpoints (${endpoints.map(quote).join(', ')}): say which is its "home"`
      refuse(report, document, [...path, 'id'], { text })
    }
    return
  }
  if (!endpoints.includes(value.home)) {
    refuse(report, document, [...path, 'home'], {
      text: `${quote(value.home)} is no endpoint of ${quote(value.id)}`,
      suggestion: findNearest(value.home, endpoints),
    })
  }
}

function checkDefaultTarget(
  report: Report,
  document: YamlDocument,
  from: { value: AgentEntry; path: Path; entries: TenantEntries; resources: Names },
): void {
  const { value, path, entries, resources } = from
  const target = value.default_target
  if (target === undefined || entries.resources === undefined) return
  const place = [...path, 'default_target']
  if (!entries.resources.ids.has(target)) {
    referencesIn(report, document).one(place, target, resources)
    return
  }
  if (value.may_reach.includes(target)) return
  if (target === readHome(value, readValues(entries.resources))) return
  refuse(report, document, place, { text: `${quote(target)} is not in "may_reach"` })
}

function checkResources(
  report: Report,
  resources: Listing<ResourceEntry>,
  { agents, scopes }: Vocabulary,
): void {
  const check = referencesIn(report, resources.document)
  for (const { value, path } of resources.entries) {
    if (value.kind !== 'agent') continue
    check.one([...path, 'agent'], value.agent, agents)
    check.list([...path, 'scopes'], value.scopes, scopes)
  }
}

function checkTaskTypes(
  report: Report,
  taskTypes: Listing<TaskTypeEntry>,
  entries: TenantEntries,
  { agents, resources, scopes, issuers }: Vocabulary,
): void {
  const { document } = taskTypes
  const check = referencesIn(report, document)
  for (const { value, path } of taskTypes.entries) {
    check.list([...path, 'openers'], value.openers, agents)
    check.list([...path, 'subjects_from'], value.subjects_from, issuers)
    check.list([...path, 'scopes'], value.scopes, scopes)
    check.list([...path, 'reach'], value.reach, resources)
    checkBasis(report, document, value, path)
    checkRoomForHome(report, document, { value, path, entries })
  }
}

function checkBasis(report: Report, document: YamlDocument, type: TaskTypeEntry, path: Path): void {
  const stated = type.subjects_from.length > 0
  if (type.basis === 'client' && stated) {
    const text = 'a task of basis "client" has no subject: leave "subjects_from" out'
    refuse(report, document, [...path, 'subjects_from'], { text })
  }
  if (type.basis === 'policy' && !stated) {
    const text = 'name the trusted issuers whose subjects it may be opened for in "subjects_from"'
    refuse(report, document, [...path, 'subjects_from'], { text })
  }
}

function checkRoomForHome(
  report: Report,
  document: YamlDocument,
  from: { value: TaskTypeEntry; path: Path; entries: TenantEntries },
): void {
  const { value, path, entries } = from
  const { agents, resources } = entries
  if (agents === undefined || resources === undefined || value.reach.length < MOST_PLACES) return
  for (const { value: agent } of agents.entries) {
    if (!value.openers.includes(agent.id)) continue
    if (value.reach.includes(readHome(agent, readValues(resources)))) continue
    const text = `no room for the home of ${quote(agent.id)}: with it, ${MOST_PLACES} places at most`
    refuse(report, document, [...path, 'reach'], { text })
  }
}

function readValues<Value>(listing: Listing<Value>): readonly Value[] {
  return listing.entries.map((entry) => entry.value)
}

function referencesIn(report: Report, document: YamlDocument) {
  const finding = (name: string, { noun, known }: Names) =>
    known === undefined || known.has(name)
      ? undefined
      : { text: `unknown ${noun} ${quote(name)}`, suggestion: findNearest(name, known) }
  const one = (path: Path, name: string, names: Names): void => {
    const found = finding(name, names)
    if (found !== undefined) refuse(report, document, path, found)
  }
  return {
    one,
    list: (path: Path, stated: readonly string[], names: Names): void => {
      for (const [index, name] of stated.entries()) one([...path, index], name, names)
    },
    keys: (path: Path, stated: readonly string[], names: Names): void => {
      for (const name of stated) {
        const found = finding(name, names)
        if (found !== undefined) refuseKey(report, document, [...path, name], found)
      }
    },
  }
}
