/** Whom a tenant believes for what: names, claims, people who manage it. */
import { describe, expect, test } from 'vitest'
import {
  agentOf,
  type Change,
  issuersOf,
  type Members,
  resourceOf,
  useFolder,
} from './folder-fixture.ts'

const folder = useFolder()

const issuer =
  (members: Members): Change =>
  (documents) =>
    void Object.assign(issuersOf(documents)[0]!, members)
const roles =
  (...grants: readonly Members[]): Change =>
  (documents) => {
    issuer({ management_client: 'console' })(documents)
    documents.tenant['roles'] = grants
  }
const admin = { role: 'admin', issuer: 'idp', claim: 'groups', value: 'Identity Team' }

type Row = readonly [behaviour: string, change: Change, problems: readonly string[]]

function check(rows: readonly Row[]): void {
  test.each(rows)('%s', (_, change, problems) => {
    expect(folder.problemsAfter(change)).toEqual(
      problems.map((problem) => `acme/tenant.yaml: ${problem}`),
    )
  })
}

test('a trusted issuer, roles and facts for rules as stated', () => {
  const tenant = folder.load({
    change: (documents) => {
      roles(admin, { ...admin, role: 'reviewer', claim: 'sub', value: 'alice' })(documents)
      issuer({
        client_claim: 'azp',
        audiences: ['urn:acme:agents', 'https://acme.example/agents'],
        subject_claims: ['department', 'https://acme.example/claims/level'],
      })(documents)
      agentOf(documents, 'coder')['purpose'] = 'writes files'
      Object.assign(resourceOf(documents, 'files-api'), {
        owner: 'finance',
        sensitivity: 'moderate',
        scopes: {
          'files:read': { tier: 'read' },
          'files:write': { tier: 'propose', sensitivity: 'high' },
        },
      })
    },
  })
  expect(tenant.trustedIssuers.get('https://idp.example')).toMatchObject({
    audiences: new Set(['urn:acme:agents', 'https://acme.example/agents']),
    subjectClaims: ['department', 'https://acme.example/claims/level'],
    managementClient: 'console',
  })
  expect(tenant.roles).toEqual([
    admin,
    { role: 'reviewer', issuer: 'idp', claim: 'sub', value: 'alice' },
  ])
  expect(tenant.agents.get('coder')?.purpose).toBe('writes files')
  expect(tenant.resources.get('files-api')?.owner).toBe('finance')
  expect(tenant.scopes.get('files:read')?.sensitivity).toBe('moderate')
  expect(tenant.scopes.get('files:write')?.sensitivity).toBe('high')
})

describe('PROF-16: no claim may pass as a fact of ours', () => {
  const ours = 'act may_act act_bounds client_id cnf scope txn'
  const registered = 'sub aud iss exp nbf iat jti constructor prototype'
  const reserved = `${ours} ${registered}`.split(' ')
  check(
    reserved.map((name) => [
      name,
      issuer({ subject_claims: [name] }),
      ['this claim has a meaning of its own'],
    ]),
  )
  check([
    [
      'no name',
      issuer({ subject_claims: ['a b', ''] }),
      Array(2).fill('expected the name of a claim'),
    ],
    ['twice', issuer({ subject_claims: ['a', 'a'] }), ['"a" is stated twice']],
    [
      'too many',
      issuer({ subject_claims: Array.from({ length: 17 }, (_, n) => `claim${n}`) }),
      ['at most 16 claims'],
    ],
  ])
})

test('the id of an issuer is nobody else on record', () => {
  for (const id of ['agent', 'receiver', 'resource', 'transmitter']) {
    expect(folder.problemsAfter(issuer({ id }))).toContainEqual(
      `acme/tenant.yaml: "${id}" stands for something else on record: give it another id`,
    )
  }
})

describe('names of this tenant at an issuer', () => {
  const named = (audiences: readonly string[]) => issuer({ client_claim: 'azp', audiences })
  check([
    [
      'need a claim that names the agent',
      issuer({ audiences: ['urn:acme'] }),
      ['needs "client_claim": such a token has to say which agent it is for'],
    ],
    ['are no agent', named(['planner']), ['this is the client id of agent "planner" there']],
    [
      'are not under this server: its own issuer is known, another tenant’s is another’s',
      named(['https://as.example.com/t/acme', 'https://as.example.com/t/globex']),
      Array(2).fill(
        "the tenant's own issuer is accepted already; no other name is under this server",
      ),
    ],
    ['differ', named(['urn:acme', 'urn:acme']), ['"urn:acme" is stated twice']],
    [
      'are printable ASCII',
      named(['urn:аcme', '', 'a b']),
      Array(3).fill('expected 1 to 255 printable ASCII characters'),
    ],
  ])
})

describe('who signs in to manage the tenant', () => {
  check([
    [
      'is no agent, or an agent with a user’s token could',
      issuer({ management_client: 'planner' }),
      [
        'this is the client id of agent "planner" there: it could manage the tenant with a user\'s token',
      ],
    ],
    [
      'does not open tasks with the same token',
      issuer({ client_claim: 'azp', audiences: ['console'], management_client: 'console' }),
      ['this is in "audiences": a token for signing in would open tasks too'],
    ],
    [
      'has an ID token',
      issuer({ token_types: ['jwt'], management_client: 'console' }),
      ['people sign in with ID tokens: put "id_token" in "token_types"'],
    ],
    [
      'signs in at an issuer that is trusted',
      roles({ ...admin, issuer: 'ipd' }),
      ['unknown trusted issuer "ipd"; did you mean "idp"?'],
    ],
    [
      'signs in at an issuer with a client for it',
      (documents) => {
        documents.tenant['roles'] = [admin]
      },
      ['nobody can sign in at "idp": it has no "management_client"'],
    ],
    [
      'has a role there is, by a claim that says so',
      roles({ ...admin, role: 'amin' }, { ...admin, claim: 'act' }, { ...admin, value: '' }),
      [
        'expected "admin" or "policy_author" or "helpdesk" or "reviewer"; did you mean "admin"?',
        'this claim has a meaning of its own',
        'expected 1 to 255 characters, no control or invisible ones',
      ],
    ],
    ['is told once', roles(admin, admin), ['this is stated twice']],
    [
      'is told whole',
      roles({ role: 'admin', issuer: 'idp', value: 'x', user: 'y' }),
      ['missing key "claim"', 'unknown key "user"'],
    ],
  ])
})
