/** Where an agent is reached and what it asks for: one home, a default target it may have. */

import { quote } from '../core/problem.ts'
import { findNearest } from '../core/suggestion.ts'
import type { AgentEntry } from './agents-file.ts'
import { type Entry, type Listing, readValues } from './entries.ts'
import { type Endpoints, endpointsByAgent, readHome } from './homes.ts'
import { type Report, refuse } from './report.ts'
import type { ResourceEntry } from './resources-file.ts'
import type { YamlDocument } from './yaml-document.ts'

/** In one sentence. */
const MOST_NAMED = 4

type AgentEntryAt = Entry<AgentEntry>

export function checkAgents(
  report: Report,
  agents: Listing<AgentEntry>,
  resources: Listing<ResourceEntry> | undefined,
): void {
  if (resources === undefined) return
  const endpoints = endpointsByAgent(readValues(resources))
  for (const entry of agents.entries) {
    checkHome(report, agents.document, entry, endpoints)
    checkDefaultTarget(report, agents.document, entry, { ids: resources.ids, endpoints })
  }
}

function checkHome(
  report: Report,
  document: YamlDocument,
  { value, path }: AgentEntryAt,
  byAgent: Endpoints,
): void {
  const endpoints = byAgent.get(value.id) ?? []
  if (value.home === undefined) {
    if (endpoints.length < 2) return
    const named = endpoints.slice(0, MOST_NAMED).map(quote).join(', ')
    const text = `${quote(value.id)} has several endpoints (${named}): say which is its "home"`
    refuse(report, document, [...path, 'id'], { text })
    return
  }
  if (endpoints.includes(value.home)) return
  refuse(report, document, [...path, 'home'], {
    text: `${quote(value.home)} is no endpoint of ${quote(value.id)}`,
    suggestion: findNearest(value.home, endpoints),
  })
}

function checkDefaultTarget(
  report: Report,
  document: YamlDocument,
  { value, path }: AgentEntryAt,
  { ids, endpoints }: { readonly ids: ReadonlySet<string>; readonly endpoints: Endpoints },
): void {
  const target = value.default_target
  // One that is defined nowhere is a dangling reference, reported as such.
  if (target === undefined || !ids.has(target)) return
  if (value.may_reach.includes(target) || target === readHome(value, endpoints)) return
  const text = `${quote(target)} is not in "may_reach"`
  refuse(report, document, [...path, 'default_target'], { text })
}
