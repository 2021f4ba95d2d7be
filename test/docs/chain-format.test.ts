/** docs/chain-format.md: its example is a chain by its own rules, and its rules name every reason of a chain. */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { inflateSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import type { DelegatedClaims } from '../../lib/src/act-bounds.ts'
import { readChain } from '../../lib/src/chain.ts'
import { VERIFICATION_REASONS } from '../../lib/src/errors.ts'
import { scopeNames } from '../../lib/src/scope.ts'
import type { JsonObject } from '../../lib/src/strict-json.ts'
import { readRows } from './pages.ts'

const page = readFileSync(resolve(import.meta.dirname, '../../docs/chain-format.md'), 'utf8')
const [, example = ''] = /```json\n(.*?)```/s.exec(page) ?? []

describe('the worked example', () => {
  const claims = JSON.parse(example) as DelegatedClaims

  test('keeps every rule of the format', () => {
    const reading = readChain(claims as unknown as JsonObject)
    expect(reading).toMatchObject({ ok: true })
    expect(reading.ok && reading.chain.actors.map(({ sub }) => sub)).toEqual([
      'ledger-writer',
      'researcher',
      'planner',
    ])
  })

  test('is read hop by hop as the table under it says', () => {
    const { root, hops } = claims.act_bounds
    const rows = hops.toReversed().map(({ scope, reach, aud, exp }, index) => {
      expect(scopeNames(root.reach, reach)).toContain(root.reach[aud])
      const binary = (mask: number): string => `${mask} = ${mask.toString(2)}₂`
      return [String(index + 1), binary(scope), binary(reach), `${exp} s`]
    })
    for (const [hop = '', ...parts] of rows) {
      const row = readRows(page).find(([first]) => first === hop)
      for (const part of parts) expect(row?.join(' | ')).toContain(part)
    }
  })

  test('one bit more is refused by the rule that names it', () => {
    const changed = structuredClone(claims) as unknown as {
      act_bounds: { hops: { scope: number }[] }
    }
    changed.act_bounds.hops[0]!.scope = 13
    expect(readChain(changed as unknown as JsonObject)).toEqual({
      ok: false,
      reason: 'hop_scope_widened',
    })
  })
})

/** Members of the list and of the message. */
interface Stated {
  readonly iss: string
  readonly sub: string
  readonly iat: number
  readonly seq: number
  readonly status_list: { readonly bits: number; readonly lst: string }
  readonly lists: Readonly<Record<string, number>>
}

describe('the example of a list', () => {
  const [, list, message] = [...page.matchAll(/```json\n(.*?)```/gs)].map(
    ([, text = '']) => JSON.parse(text) as Stated,
  ) as [Stated, Stated, Stated]

  test('belongs to the token, and says of its indexes what the page says', () => {
    const { status, act_bounds } = JSON.parse(example) as DelegatedClaims
    expect(list.sub).toBe(status.status_list.uri)
    const { bits, lst } = list.status_list
    const packed = inflateSync(Buffer.from(lst, 'base64url'))
    expect({ bits, length: (packed.length * 8) / bits }).toEqual({ bits: 2, length: 65_536 })
    const statusAt = (index: number): number => (packed[index >> 2]! >> ((index & 3) * 2)) & 3
    const all = Array.from({ length: 65_536 }, (_, index) => statusAt(index))
    const set = all.flatMap((value, index) => (value === 0 ? [] : [[index, value]]))
    expect(set).toEqual([
      [act_bounds.hops.at(-1)?.idx, 1],
      [640, 2],
    ])
    expect(page).toContain('Index 513 is invalid and 640 suspended')
  })

  test('is confirmed by the example of a message', () => {
    expect(message.iss).toBe(list.iss)
    expect(message.lists).toEqual({ [list.sub]: list.seq })
    expect(message.iat).toBeGreaterThanOrEqual(list.iat)
    expect(page).toContain(`id: ${message.seq}\n`)
  })
})

test('every reason of a chain stands at a rule', () => {
  const isOfChain = /^(bounds|root|hop|actor|depth|chain|client|subject)_|^token_\w+_mismatch$/
  const reasons = Object.keys(VERIFICATION_REASONS).filter((reason) => isOfChain.test(reason))
  expect(reasons.length).toBeGreaterThan(25)
  expect(reasons.filter((reason) => !page.includes(`\`${reason}\``))).toEqual([])
})

test('the rules name no reason that does not exist', () => {
  const [, rules = ''] = /## 2\. What a verifier checks\n(.*?)\n## 3/s.exec(page) ?? []
  const named = [...rules.matchAll(/`([a-z]+(?:_[a-z]+)+)`/g)].map(([, name]) => name!)
  const members = new Set(['act_bounds', 'sub_profile', 'max_depth', 'client_id', 'not_checked'])
  const unknown = named.filter((name) => !(name in VERIFICATION_REASONS) && !members.has(name))
  expect(unknown).toEqual([])
})
