/** docs/policy-reference.md is what the schemas say. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { ANNOTATIONS } from '../../server/policy/schema.ts'
import { agent } from '../../server/tenants/agents-file.ts'
import { POLICY_REFERENCE, policyReference } from '../../tools/policy-reference.ts'
import { readRows } from './pages.ts'

const page = readFileSync(POLICY_REFERENCE, 'utf8')

test('the reference of policies is current: npm run policy-reference', () => {
  expect(page).toBe(policyReference())
})

test('every member of an agent and every annotation has its row', () => {
  const rows = readRows(page).map(([first]) => first ?? '')
  const members = Object.keys(agent.shape).map((name) => `\`agents[].${name}\``)
  expect(members.length).toBeGreaterThan(10)
  expect(members.filter((name) => !rows.includes(name))).toEqual([])
  const isTold = (name: string): boolean => rows.some((row) => row.startsWith(`\`@${name}(`))
  expect(ANNOTATIONS.filter((name) => !isTold(name))).toEqual([])
})
