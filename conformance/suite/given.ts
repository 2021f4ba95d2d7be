/**
 * The profile of this run, for tests. What it leaves out has a stand-in, so that tests which are left out for it can be
 * read: a party that nobody knows, a place that nobody has.
 */
import { newJwk } from './jwt.ts'
import { type Agent, type Api, type GivenProfile, type Profile, readProfile } from './profile.ts'

/** As it is written. */
export const given: GivenProfile = readProfile()

const NOWHERE = 'https://not-set-up.invalid'
const party = (name: string) => ({ client_id: `not-set-up-${name}`, jwk: newJwk(name) })
const agent = (name: string): Agent => ({ ...party(name), endpoint: `${NOWHERE}/agents/${name}` })
const api = (name: string): Api => ({ ...party(name), uri: `${NOWHERE}/${name}`, name })

function standIns(): Omit<Profile, 'issuer'> {
  return {
    agents: {
      first: agent('first'),
      second: agent('second'),
      third: agent('third'),
      fourth: agent('fourth'),
      stranger: agent('stranger'),
      retired: agent('retired'),
    },
    max_depth: 1,
    idp: { ...party('idp'), issuer: NOWHERE, subject: 'nobody', disabled_subject: 'nobody' },
    partner: { ...party('partner'), issuer: NOWHERE, subject: 'nobody', known_as: 'nobody' },
    api: { ...api('api'), read: 'not-set-up:read', write: 'not-set-up:write' },
    other_api: { ...api('other-api'), scope: 'not-set-up:other' },
    other: { issuer: NOWHERE, agent: agent('other'), api: api('other') },
  }
}

export const profile: Profile = filled(standIns(), given) as Profile

/** `value` where there is one, member by member; what has members of its own is never half a stand-in's but by name. */
function filled(standIn: unknown, value: unknown): unknown {
  if (value === undefined) return standIn
  if (!isObject(standIn) || !isObject(value)) return value
  // A key is one thing.
  if ('kty' in value) return value
  const names = new Set([...Object.keys(standIn), ...Object.keys(value)])
  return Object.fromEntries([...names].map((name) => [name, filled(standIn[name], value[name])]))
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
