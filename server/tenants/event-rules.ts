/**
 * Receivers and transmitters of security events: client ids that nobody else has, addresses that are not our own, keys stated
 * once. A transmitter that is this server would let what ends in one tenant end more in another.
 */
import { quote } from '../core/problem.ts'
import type { TenantEntries } from './entries.ts'
import { type Report, refuse } from './report.ts'
import { checkIds } from './unique.ts'
import { findIssuerFault, findUriFault, isUnder } from './uri.ts'
import { checkUri } from './uri-rules.ts'

export function checkEventParties(report: Report, entries: TenantEntries, publicUrl: string): void {
  checkReceivers(report, entries, publicUrl)
  checkTransmitters(report, entries, publicUrl)
}

function checkReceivers(report: Report, entries: TenantEntries, publicUrl: string): void {
  const { receivers, agents, resources } = entries
  if (receivers === undefined) return
  checkIds(report, receivers, 'event receiver')
  const { document } = receivers
  for (const { value, path } of receivers.entries) {
    // All of them are clients of one issuer: an id that two have would let one pass as the other.
    for (const [noun, ids] of [
      ['agent', agents?.ids],
      ['resource', resources?.ids],
    ] as const) {
      if (ids?.has(value.id) !== true) continue
      const text = `${noun} ${quote(value.id)} has this id already`
      refuse(report, document, [...path, 'id'], { text })
    }
    for (const [index, uri] of value.push_endpoints.entries()) {
      const place = [...path, 'push_endpoints', index]
      checkUri(report, document, { path: place, uri, find: findUriFault })
      if (!isUnder(uri, publicUrl)) continue
      refuse(report, document, place, { text: 'URIs under this server are its own' })
    }
  }
}

function checkTransmitters(report: Report, entries: TenantEntries, publicUrl: string): void {
  const { transmitters } = entries
  if (transmitters === undefined) return
  checkIds(report, transmitters, 'event transmitter')
  const { document } = transmitters
  for (const { value, path } of transmitters.entries) {
    const { issuer, jwks, jwks_uri: jwksUri } = value
    checkUri(report, document, { path: [...path, 'issuer'], uri: issuer, find: findIssuerFault })
    if (isUnder(issuer, publicUrl)) {
      const text = 'this server is never a transmitter to itself'
      refuse(report, document, [...path, 'issuer'], { text })
    }
    if ((jwksUri === undefined) === (jwks === undefined)) {
      refuse(report, document, path, { text: 'state either "jwks_uri" or "jwks"' })
    }
    if (jwksUri === undefined) continue
    checkUri(report, document, { path: [...path, 'jwks_uri'], uri: jwksUri, find: findUriFault })
  }
}
