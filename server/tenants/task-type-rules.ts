/**
 * Task types against the tenant they are in: its limits, the subjects of their basis, and room in a token for the
 * opener's home.
 */

import { quote } from '../core/problem.ts'
import { type Entry, type Listing, readValues, type TenantEntries } from './entries.ts'
import { endpointsByAgent, readHome } from './homes.ts'
import { type Report, refuse } from './report.ts'
import type { TaskTypeEntry } from './task-types-file.ts'
import type { TenantFile } from './tenant-file.ts'
import type { YamlDocument } from './yaml-document.ts'

/** The masks of a token have 31 bits (docs/chain-format.md §1); the opener's home takes one. */
const MOST_PLACES = 31

type TaskTypeAt = Entry<TaskTypeEntry>

export function checkTaskTypes(
  report: Report,
  { document, entries }: Listing<TaskTypeEntry>,
  tenant: TenantEntries,
): void {
  const homes = homesOf(tenant)
  for (const entry of entries) {
    checkBasis(report, document, entry)
    checkRoomForHome(report, document, entry, homes)
    checkTriggers(report, document, entry)
    if (tenant.tenant !== undefined) {
      checkLimits(report, document, entry, tenant.tenant.value.limits)
    }
  }
}

function checkBasis(report: Report, document: YamlDocument, { value, path }: TaskTypeAt): void {
  const stated = value.subjects_from.length > 0
  const place = [...path, 'subjects_from']
  if (value.basis === 'client' && stated) {
    const text = 'a task of basis "client" has no subject: leave "subjects_from" out'
    refuse(report, document, place, { text })
  }
  if (value.basis === 'policy' && !stated) {
    const text = 'name the trusted issuers whose subjects it may be opened for in "subjects_from"'
    refuse(report, document, place, { text })
  }
}

/** The home of each agent, by its id. */
function homesOf({ agents, resources }: TenantEntries): ReadonlyMap<string, string> {
  if (agents === undefined || resources === undefined) return new Map()
  const endpoints = endpointsByAgent(readValues(resources))
  return new Map(readValues(agents).map((agent) => [agent.id, readHome(agent, endpoints)]))
}

function checkRoomForHome(
  report: Report,
  document: YamlDocument,
  { value, path }: TaskTypeAt,
  homes: ReadonlyMap<string, string>,
): void {
  if (value.reach.length < MOST_PLACES) return
  for (const opener of value.openers) {
    const home = homes.get(opener)
    if (home === undefined || value.reach.includes(home)) continue
    const text = `no room for the home of ${quote(opener)}: with it, ${MOST_PLACES} places at most`
    refuse(report, document, [...path, 'reach'], { text })
  }
}

function checkTriggers(report: Report, document: YamlDocument, { value, path }: TaskTypeAt): void {
  const counted = new Set<string>()
  for (const [at, { on, per, within, then }] of value.triggers.entries()) {
    const place = [...path, 'triggers', at]
    if (on === 'use_after_end' && then === 'suspend') {
      const text = 'what is over cannot be suspended: "use_after_end" takes "then: revoke"'
      refuse(report, document, [...place, 'then'], { text })
    }
    const counter = `${on} ${per} ${within}`
    if (counted.has(counter)) {
      const text = `another trigger counts "${on}" per ${per} within ${within}s already`
      refuse(report, document, place, { text })
    }
    counted.add(counter)
  }
}

function checkLimits(
  report: Report,
  document: YamlDocument,
  { value, path }: TaskTypeAt,
  limits: TenantFile['limits'],
): void {
  const lifetime = value.lifetime ?? limits.task_lifetime
  const bounds = [
    ['max_depth', value.max_depth, limits.max_depth],
    ['lifetime', value.lifetime, limits.task_lifetime],
    ['token_lifetime', value.token_lifetime, Math.min(limits.token_lifetime, lifetime)],
  ] as const
  for (const [member, stated, most] of bounds) {
    if (stated === undefined || stated <= most) continue
    const text = `above what the tenant's limits and the task's lifetime allow (${most})`
    refuse(report, document, [...path, member], { text })
  }
}
