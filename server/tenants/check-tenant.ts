/**
 * Checks everything a tenant's files say, at once, and makes plain data of it: a version is stored as it came out of the
 * check, so that a node that loads it reads no file and parses no YAML.
 */

import { compilePolicies } from '../policy/compile-policies.ts'
import type { CompiledPolicy } from '../policy/compiled-policy.ts'
import { checkAgents } from './agent-rules.ts'
import { checkAgentAuth } from './auth-rules.ts'
import type { CheckedEntries } from './build-tenant.ts'
import { readCases } from './case-rules.ts'
import { readEntries, readValues, type TenantDocuments, type TenantEntries } from './entries.ts'
import { checkEventParties } from './event-rules.ts'
import { homeId } from './homes.ts'
import { checkIssuers } from './issuer-rules.ts'
import { checkReferences, readScopeNames } from './references.ts'
import { addProblems, hasProblem, isFull, type Report, refuseFile, warnOfFile } from './report.ts'
import { checkRoles } from './role-rules.ts'
import { TENANT_FILES, type TenantFileName } from './source-paths.ts'
import { checkSources, type Sources, sourcesIn } from './sources.ts'
import { checkTaskTypes } from './task-type-rules.ts'
import type { NamedCase } from './test-cases.ts'
import { checkTrust } from './trust-rules.ts'
import { checkUnique } from './unique.ts'
import { issuerOf, withoutSlash } from './uri.ts'
import { checkUris } from './uri-rules.ts'
import { readVersion } from './version.ts'
import { parseYaml, type YamlDocument } from './yaml-document.ts'

export interface TenantPlace {
  readonly id: string
  /** `ACTCHAIN_PUBLIC_URL`; the tenant's issuer is `{publicUrl}/t/{id}`. */
  readonly publicUrl: string
  /** Put before the path of each file in problems, such as `tenants/acme`. */
  readonly label: string
}

/** Plain JSON data. Changes of its form change `format`; what was stored in another form is checked again. */
export interface CheckedTenant {
  readonly format: typeof FORMAT
  readonly version: string
  readonly entries: CheckedEntries
  readonly policies: readonly CompiledPolicy[]
  readonly cases: readonly NamedCase[]
}

const FORMAT = 4

/** Undefined where the report has a problem of it. Throws only where the rules' engine fails. */
export function checkTenant(
  report: Report,
  stated: TenantPlace,
  sources: Sources,
): CheckedTenant | undefined {
  const before = report.problems.length
  const label = withoutSlash(stated.label)
  const place = { ...stated, label }
  checkSources(report, label, sources)
  if (report.problems.length > before) return undefined
  const documents = parseDocuments(report, label, sources)
  const entries = readEntries(report, documents)
  checkEntries(report, entries, place)
  const told = report.problems.length
  const policies = readPolicies(report, place, sources, entries)
  const readable = report.problems.length > told ? undefined : policies
  const tests = parseTests(report, label, sources)
  const issuer = issuerOf(place)
  const cases = readCases(report, tests, { entries, policies: readable, issuer })
  const checked = findChecked(entries)
  if (checked === undefined || policies === undefined) return undefined
  if (report.problems.length > before || isFull(report)) return undefined
  const said = new Map<string, unknown>(sources)
  for (const [path, { value }] of [...Object.entries(documents), ...tests]) said.set(path, value)
  const version = readVersion(Object.fromEntries(said))
  return { format: FORMAT, version, entries: checked, policies, cases }
}

/** What `JSON.stringify` of a checked tenant wrote; undefined where another release wrote it in another form. */
export function readCompiled(text: string): CheckedTenant | undefined {
  const stored = JSON.parse(text) as { readonly format?: unknown }
  return stored.format === FORMAT ? (stored as CheckedTenant) : undefined
}

function parseDocuments(report: Report, label: string, sources: Sources): TenantDocuments {
  const documents: Partial<Record<TenantFileName, YamlDocument>> = {}
  for (const name of TENANT_FILES) {
    const file = `${label}/${name}`
    const text = sources.get(name)
    const document = text === undefined ? undefined : parseFile(report, file, text)
    if (document !== undefined) documents[name] = document
    // One that could not be read is told of already.
    else if (!hasProblem(report, file)) refuseFile(report, file, { text: 'missing file' })
  }
  return documents
}

function parseTests(
  report: Report,
  label: string,
  sources: Sources,
): ReadonlyMap<string, YamlDocument> {
  const tests = new Map<string, YamlDocument>()
  for (const [path, text] of sourcesIn(sources, 'tests')) {
    const document = parseFile(report, `${label}/${path}`, text)
    if (document !== undefined) tests.set(path, document)
  }
  return tests
}

function parseFile(report: Report, file: string, text: string): YamlDocument | undefined {
  const result = parseYaml(file, text)
  if (result.kind === 'parsed') return result.document
  addProblems(report, result.problems)
  return undefined
}

function checkEntries(report: Report, entries: TenantEntries, { publicUrl }: TenantPlace): void {
  checkUnique(report, entries)
  checkReferences(report, entries)
  checkUris(report, entries, withoutSlash(publicUrl))
  checkIssuers(report, entries, withoutSlash(publicUrl))
  checkRoles(report, entries)
  checkEventParties(report, entries, withoutSlash(publicUrl))
  const now = Math.floor(Date.now() / 1000)
  checkTrust(report, entries, { publicUrl: withoutSlash(publicUrl), now })
  checkAgentAuth(report, entries, now)
  if (entries.agents !== undefined) checkAgents(report, entries.agents, entries.resources)
  if (entries.taskTypes !== undefined) checkTaskTypes(report, entries.taskTypes, entries)
}

/** Policies name what is in the other files, so they are read only where those could be. */
function readPolicies(
  report: Report,
  { id, label }: TenantPlace,
  sources: Sources,
  { agents, resources, taskTypes, issuers }: TenantEntries,
): readonly CompiledPolicy[] | undefined {
  if (!agents || !resources || !taskTypes || !issuers) return undefined
  const files = sourcesIn(sources, 'policies').map(([file, text]) => ({ file, text }))
  const { policies, problems, warnings } = compilePolicies(files, {
    tenant: id,
    agents: agents.ids,
    resources: new Set([...resources.ids, ...[...agents.ids].map(homeId)]),
    scopes: readScopeNames(resources),
    taskTypes: taskTypes.ids,
    claims: new Set(readValues(issuers).flatMap((issuer) => issuer.subject_claims)),
  })
  const named = (problem: { readonly file: string }) => `${label}/${problem.file}`
  addProblems(
    report,
    problems.map((problem) => ({ ...problem, file: named(problem) })),
  )
  report.warnings.push(...warnings.map((warning) => ({ ...warning, file: named(warning) })))
  if (policies.length === 0 && problems.length === 0) {
    warnOfFile(report, `${label}/policies`, 'no policies: every request is refused')
  }
  return policies
}

function findChecked(entries: TenantEntries): CheckedEntries | undefined {
  const { tenant, issuers, roles, receivers, transmitters } = entries
  const { trustDomains, authorities, workloadIssuers, attesters } = entries
  const { agents, resources, taskTypes } = entries
  if (!tenant || !issuers || !roles || !receivers || !transmitters) return undefined
  if (!trustDomains || !authorities || !workloadIssuers || !attesters) return undefined
  if (!agents || !resources || !taskTypes) return undefined
  return {
    tenant: tenant.value,
    issuers: readValues(issuers),
    roles: readValues(roles),
    receivers: readValues(receivers),
    transmitters: readValues(transmitters),
    trustDomains: readValues(trustDomains),
    authorities: readValues(authorities),
    workloadIssuers: readValues(workloadIssuers),
    attesters: readValues(attesters),
    agents: readValues(agents),
    resources: readValues(resources),
    taskTypes: readValues(taskTypes),
  }
}
