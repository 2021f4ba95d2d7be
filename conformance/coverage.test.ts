/** Every requirement is there, and is answered for: by a test that cites it, or by a reason why there is none. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { citations, citationsIn } from './citations.ts'
import {
  checkedAfterAll,
  closedGaps,
  countsBySpec,
  divergencesApart,
  gapsOfUnchecked,
  idsInTwoTables,
  laterApart,
  type Rows,
  unanswered,
  unknownCitations,
  unread,
} from './gates.ts'
import { type Requirement, row, table } from './requirement.ts'
import { REQUIREMENTS, TABLES } from './requirements.ts'

const cited = new Set(citations().map(({ id }) => id))
const divergences = readFileSync(join(import.meta.dirname, '../docs/divergences.md'), 'utf8')

describe('the manifest and the tests', () => {
  test('the reader of citations sees them', () => {
    expect(cited.size).toBeGreaterThan(300)
    const text = `CITES('x-1', 't', f)\n  CITES([\n'x-2', 'x-3'], 't', f)`
    const found = citationsIn('a', text.replaceAll('CITES', 'verifies'))
    expect(found).toEqual(['x-1', 'x-2', 'x-3'].map((id) => ({ id, file: 'a' })))
  })

  test('no row is lost', () => {
    expect(idsInTwoTables(TABLES)).toEqual([])
    expect(countsBySpec(REQUIREMENTS)).toEqual({
      'RFC 8693': 63,
      'RFC 6749': 30,
      'RFC 6750': 14,
      'RFC 9068': 25,
      'RFC 8707': 11,
      'RFC 7521, RFC 7523, rfc7523bis': 23,
      'RFC 8705': 16,
      'RFC 9449': 32,
      'RFC 7662': 16,
      'RFC 7009': 11,
      'RFC 8414': 12,
      'RFC 9728': 12,
      'RFC 9396': 11,
      'RFC 9470': 7,
      'RFC 8725, rfc8725bis, RFC 7515, RFC 7519, RFC 7800': 26,
      'RFC 9700': 18,
      'draft-ietf-oauth-identity-chaining': 14,
      'draft-ietf-oauth-identity-assertion-authz-grant': 27,
      'OAuth SPIFFE client authentication (draft)': 16,
      'SPIFFE ID': 5,
      'SPIFFE JWT-SVID': 8,
      'SPIFFE X509-SVID': 7,
      'SPIFFE trust domain, bundle and federation': 3,
      'AuthZEN Authorization API 1.0': 15,
      'SSF and CAEP': 24,
      'Token Status List': 14,
      'MCP authorization 2026-07-28': 23,
      'Delegation profile': 30,
    })
  })

  test('every requirement of a release has a test, or a gap', () => {
    expect(unanswered(REQUIREMENTS, cited)).toEqual([])
  })

  test('no test cites a requirement that is not there', () => {
    expect(unknownCitations(REQUIREMENTS, cited)).toEqual([])
  })

  test('no gap is closed, and no feature is checked after all', () => {
    expect(closedGaps(REQUIREMENTS, cited)).toEqual([])
    expect(checkedAfterAll(REQUIREMENTS, cited)).toEqual([])
    expect(gapsOfUnchecked(REQUIREMENTS)).toEqual([])
  })

  test('each gap, and nothing else, is in the table of docs/divergences.md', () => {
    expect(divergencesApart(REQUIREMENTS, divergences)).toEqual([])
  })

  test('what is left for later is listed there, and nothing else', () => {
    expect(laterApart(REQUIREMENTS, cited, divergences)).toEqual([])
  })

  test('every row says what it was held against', () => {
    expect(unread(REQUIREMENTS)).toEqual([])
  })
})

describe('the gates', () => {
  const told = { source: 'RFC 1, January 1970' }
  const one = (more: Partial<Requirement> = {}): Rows =>
    table('RFC 1', told, { 'x-01': row('1', 'MUST', 'Something holds', more) })
  const none = new Set<string>()
  const mine = new Set(['x-01'])

  test('a row without a test or a gap is found, unless it is for later or not checked yet', () => {
    expect(unanswered(one(), none)).toEqual(['x-01'])
    expect(unanswered(one({ priority: 'P1', feature: 'dpop' }), none)).toEqual(['x-01'])
    expect(unanswered(one(), mine)).toEqual([])
    expect(unanswered(one({ gap: 'why' }), none)).toEqual([])
    expect(unanswered(one({ priority: 'P2' }), none)).toEqual([])
    expect(unanswered(one({ feature: 'mcp' }), none)).toEqual([])
  })

  test('a citation of nothing is found', () => {
    expect(unknownCitations(one(), new Set(['x-01', 'x-02', 'toString']))).toEqual([
      'x-02',
      'toString',
    ])
  })

  test('a gap that has a test is found, and a feature that has one', () => {
    expect(closedGaps(one({ gap: 'why' }), mine)).toEqual(['x-01'])
    expect(closedGaps(one(), mine)).toEqual([])
    expect(checkedAfterAll(one({ feature: 'mcp' }), mine)).toEqual(['x-01'])
    expect(checkedAfterAll(one({ feature: 'dpop' }), mine)).toEqual([])
    expect(gapsOfUnchecked(one({ feature: 'mcp', gap: 'why' }))).toEqual(['x-01'])
  })

  test('a gap that the page has not, and a line of the page without a gap, are found', () => {
    const line = '| x-01 | why | what instead |\n'
    expect(divergencesApart(one({ gap: 'why' }), '')).toEqual(['x-01'])
    expect(divergencesApart(one({ gap: 'why' }), line)).toEqual([])
    expect(divergencesApart(one(), line)).toEqual(['x-01'])
  })

  test('a later row that the page does not list, and one it lists for nothing, are found', () => {
    const list = 'Later rows without a check: x-01.\n\n'
    expect(laterApart(one({ priority: 'P2' }), none, '')).toEqual(['x-01'])
    expect(laterApart(one({ priority: 'P2' }), none, list)).toEqual([])
    expect(laterApart(one({ priority: 'P2' }), mine, list)).toEqual(['x-01'])
    expect(laterApart(one(), none, list)).toEqual(['x-01'])
  })

  test('a row that says nothing of its source is found', () => {
    expect(unread(one({ source: 'unread' }))).toEqual(['x-01'])
    expect(unread(one({ source: ' ' }))).toEqual(['x-01'])
    expect(unread(one())).toEqual([])
  })

  test('an id in two tables is found, and a lost row changes a count', () => {
    expect(idsInTwoTables([one(), one()])).toEqual(['x-01'])
    expect(countsBySpec(one())).toEqual({ 'RFC 1': 1 })
    expect(countsBySpec({})).toEqual({})
  })
})
