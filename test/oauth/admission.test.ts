/** From a credential to a client that may ask: in which order, how often, and with which key. */
import { expect, test } from 'vitest'
import { refuse } from '../../server/core/refusal.ts'
import { type Admission, beginAdmission } from '../../server/oauth/admission.ts'
import type {
  Authenticated,
  CredentialUse,
  NamedClient,
} from '../../server/oauth/authentication/credentials.ts'
import type { ReplayClaim } from '../../server/use-cases/ports.ts'

const CLAIM = { tenant: 'acme', kind: 'client_assertion', id: ['a'], expiresAt: 1000 } as const
const KEY = { jkt: 'key-of-planner' }

function authenticated(use: CredentialUse, client = 'planner'): Authenticated {
  return { client, method: 'spiffe_jwt', credential: 'spiffe://acme.example/planner', use }
}

interface Stage {
  readonly admission: Admission
  /** What happened, in order. */
  readonly events: readonly string[]
}

function begin(verified: NamedClient['verified'], over = false, isFirst = true): Stage {
  const events: string[] = []
  const admission = beginAdmission(
    {
      accept: ({ client }) => {
        events.push(`accept ${client}`)
        return over ? refuse('rate_limited') : undefined
      },
      claim: async ({ holder = 'nobody' }: ReplayClaim) => {
        events.push(`claim for ${holder}`)
        return isFirst
      },
      count: async () => {
        events.push('count')
        return undefined
      },
      fail: (guard) => events.push(`fail ${guard}`),
    },
    { client: 'planner', verified },
  )
  return { admission, events }
}

test('an assertion that is good once is claimed at once, and once', async () => {
  const { admission, events } = begin(authenticated({ kind: 'single', claim: CLAIM }))
  expect(events).toEqual(['accept planner', 'claim for nobody'])
  expect(admission.takesKey).toBe(false)
  expect(await admission.admit(KEY)).toBe(undefined)
  expect(await admission.settled()).toBe(undefined)
  expect(events).toEqual(['accept planner', 'claim for nobody', 'count'])
})

test('one that is good for a key waits for the key', async () => {
  const { admission, events } = begin(authenticated({ kind: 'with_key', claim: CLAIM }))
  expect(admission.takesKey).toBe(true)
  expect(await admission.authenticated).toBe(undefined)
  expect(await admission.settled()).toBe(undefined)
  expect(events).toEqual(['accept planner'])
  expect(await admission.admit(KEY)).toBe(undefined)
  expect(await admission.admit(undefined)).toBe(undefined)
  expect(events).toEqual(['accept planner', 'claim for key-of-planner', 'count'])
})

test('its certificate is a key; without any key it is claimed by nobody, for good', async () => {
  const byCertificate = begin(authenticated({ kind: 'with_key', claim: CLAIM }))
  await byCertificate.admission.admit({ 'x5t#S256': 'certificate-of-planner' })
  expect(byCertificate.events).toContain('claim for certificate-of-planner')
  const byNothing = begin(authenticated({ kind: 'with_key', claim: CLAIM }))
  await byNothing.admission.admit(undefined)
  expect(byNothing.events).toContain('claim for nobody')
})

test('a standing credential uses up nothing and is counted', async () => {
  const { admission, events } = begin(authenticated({ kind: 'standing' }))
  await admission.admit(undefined)
  expect(events).toEqual(['accept planner', 'count'])
})

test('one used before is refused, and told as a failure of its sender', async () => {
  const single = authenticated({ kind: 'single', claim: CLAIM })
  const { admission, events } = begin(single, false, false)
  const guard = 'assertion_replayed'
  expect(await admission.settled()).toMatchObject({ reason: 'client_authentication_failed', guard })
  expect(events).toEqual(['accept planner', 'claim for nobody', `fail ${guard}`])
})

test.each([
  ['a guard', 'assertion_expired', 'assertion_expired'],
  ['another client', authenticated({ kind: 'standing' }, 'mallory'), 'client_mismatch'],
])('%s, found later: nothing is claimed or counted for it', async (_, outcome, guard) => {
  const { admission, events } = begin(Promise.resolve<Authenticated | string>(outcome))
  const refusal = { reason: 'client_authentication_failed', guard }
  expect(await admission.authenticated).toMatchObject(refusal)
  expect(await admission.admit(KEY)).toMatchObject(refusal)
  expect(events).toEqual([`fail ${guard}`])
})

test('a client over its limit claims nothing', async () => {
  const { admission, events } = begin(authenticated({ kind: 'single', claim: CLAIM }), true)
  expect(await admission.settled()).toMatchObject({ reason: 'rate_limited' })
  expect(events).toEqual(['accept planner'])
})

test('a fault of verification is a fault, for whoever awaits it', async () => {
  const { admission } = begin(Promise.reject(new Error('no bundle')))
  await expect(admission.authenticated).rejects.toThrow('no bundle')
  await expect(admission.settled()).rejects.toThrow('no bundle')
})

test('a request that is refused before its credential is used counts, once', async () => {
  const { admission, events } = begin(authenticated({ kind: 'with_key', claim: CLAIM }))
  await admission.countRefused()
  expect(events).toEqual(['accept planner', 'count'])
  const used = begin(authenticated({ kind: 'with_key', claim: CLAIM }))
  await used.admission.admit(KEY)
  await used.admission.countRefused()
  expect(used.events.filter((event) => event === 'count')).toHaveLength(1)
  const stranger = begin(Promise.resolve<Authenticated | string>('assertion_signature'))
  expect(await stranger.admission.countRefused()).toBe(undefined)
  expect(stranger.events).not.toContain('count')
})
