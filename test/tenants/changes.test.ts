import { describe, expect, test } from 'vitest'
import { describeChanges } from '../../server/tenants/changes.ts'
import { type CheckedTenant, readCompiled } from '../../server/tenants/check-tenant.ts'
import { loadTenants } from '../../server/tenants/load-tenants.ts'
import { PERMIT_ALL, type TenantChanges, writeTenantFolder } from '../support/tenant-folder.ts'
import { agentOf, issuersOf, publicUrl, resourceOf, useFolder } from './folder-fixture.ts'

const folder = useFolder()

function check(changes: TenantChanges = {}): CheckedTenant {
  writeTenantFolder(folder.root, 'acme', changes)
  const result = loadTenants({ folder: folder.root, publicUrl })
  if (result.kind === 'refused') throw new Error(JSON.stringify(result.problems))
  return result.tenants.get('acme')!.checked
}

describe('what differs between two versions', () => {
  test('is nothing where they say the same, stored or not', () => {
    const checked = check()
    expect(describeChanges(checked, check())).toEqual([])
    expect(describeChanges(readCompiled(JSON.stringify(checked))!, checked)).toEqual([])
    const turned = check({ change: ({ agents }) => void agents.agents.reverse() })
    expect(describeChanges(checked, turned)).toEqual([])
  })

  test('is told entry by entry, with names and no values', () => {
    const before = check()
    const after = check({
      rules: {
        'all.cedar': '@id("all") permit (principal, action, resource) when { true };',
        'more.cedar':
          '@id("no-mail") forbid (principal, action, resource == Resource::"mail-api");',
      },
      change: (documents) => {
        documents.tenant['display_name'] = 'Acme two'
        documents.tenant['limits'] = { max_depth: 5 }
        issuersOf(documents)[0]!['subject_claims'] = ['department']
        issuersOf(documents)[0]!['management_client'] = 'console'
        documents.tenant['roles'] = [
          { role: 'reviewer', issuer: 'idp', claim: 'groups', value: 'audit' },
        ]
        agentOf(documents, 'coder')['scopes'] = ['files:read']
        agentOf(documents, 'coder')['owner'] = 'others'
        documents.agents.agents = documents.agents.agents.filter(({ id }) => id !== 'rogue')
        documents.agents.agents.push({
          ...agentOf(documents, 'coder'),
          id: 'new',
          issuer_clients: {},
        })
        resourceOf(documents, 'rogue-a2a')['agent'] = 'new'
      },
    })
    const changes = [
      'tenant.yaml: display_name changed',
      'tenant.yaml: limits changed',
      'tenant.yaml: trusted issuer idp changed (subject_claims, management_client)',
      'tenant.yaml: role + reviewer (idp: groups = "audit")',
      'agents.yaml: coder changed (owner, scopes)',
      'agents.yaml: + new',
      'agents.yaml: - rogue',
      'resources.yaml: rogue-a2a changed (agent)',
      'policies: all changed (text)',
      'policies: + no-mail',
    ]
    expect(describeChanges(before, after)).toEqual(changes)
    expect(describeChanges(after, before)).toContain('policies: - no-mail')
  })

  test('does not depend on the file a rule is in', () => {
    const before = check()
    const after = check({ rules: { 'other.cedar': `// moved\n${PERMIT_ALL['all.cedar']}` } })
    expect(after.version).not.toBe(before.version)
    expect(describeChanges(before, after)).toEqual([])
  })
})
