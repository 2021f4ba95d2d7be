/**
 * What checks need of a profile beyond its issuer. A check names its needs, and whether they are met is known before its
 * first request.
 */
import type { Feature } from '../features.ts'
import { isOffered } from './documents.ts'
import { given } from './given.ts'
import type { GivenProfile } from './profile.ts'

interface NeedShape {
  /** Asked only of servers that have it. */
  readonly feature?: Feature
  /** Members of the profile that are missing, as they are written there. */
  readonly missing: (profile: GivenProfile) => readonly string[]
}

/** The members at these paths that are not there. */
const members =
  (...paths: readonly string[]) =>
  (profile: GivenProfile): readonly string[] =>
    paths.filter((path) => {
      let value: unknown = profile
      for (const name of path.split('.'))
        value = (value as Record<string, unknown> | undefined)?.[name]
      return value === undefined
    })

/** Second may exchange a token, by the profile's own means: a subject token of its own, or one that first hands to it. */
function missingSubject(profile: GivenProfile): readonly string[] {
  if (profile.subject?.idp === true) return members('idp')(profile)
  if (profile.subject !== undefined) return []
  const chain = members(
    'agents.first.jwk',
    'agents.first.endpoint',
    'agents.second.endpoint',
    'idp',
  )
  return chain(profile).length === 0 ? [] : ['subject']
}

function missingTarget({ api }: GivenProfile): readonly string[] {
  return api?.uri === undefined && api?.name === undefined ? ['api.uri or api.name'] : []
}

const AGENTS = ['first', 'second', 'third', 'fourth', 'stranger', 'retired'] as const

/** A good exchange. */
const EXCHANGE: NeedShape = {
  feature: 'token_exchange',
  missing: (profile) => [
    ...members('agents.second.client_id')(profile),
    ...missingSubject(profile),
    ...missingTarget(profile),
  ],
}

/** A token of second's own. */
const OWN: NeedShape = {
  feature: 'client_credentials',
  missing: (profile) => [...members('agents.second.client_id')(profile), ...missingTarget(profile)],
}

export const NEEDS = {
  exchange: EXCHANGE,
  /** A subject token that a check may spoil for others: one more can be had. */
  fresh: {
    missing: (profile) => {
      const { subject } = profile
      const isOne = subject?.token !== undefined || subject?.file !== undefined
      return isOne ? ['subject.command'] : missingSubject(profile)
    },
  },
  own: OWN,
  /** A token, by one grant or the other. */
  token: {
    missing: (profile): readonly string[] => {
      const ways = [EXCHANGE, OWN].filter(
        ({ feature }) => feature !== undefined && isOffered(feature),
      )
      const missing = ways.map((way) => way.missing(profile))
      return missing.find((names) => names.length === 0) ?? missing[0] ?? ['grant the suite knows']
    },
  },
  second: { missing: members('agents.second.client_id') },
  first: { missing: members('agents.first.client_id') },
  /** The way second authenticates. */
  keys: { feature: 'private_key_jwt', missing: members('agents.second.jwk') },
  secrets: { feature: 'client_secrets', missing: members('agents.second.client_secret') },
  /** For what lies beneath HTTP. */
  tls: {
    missing: ({ issuer }) => (issuer.startsWith('https:') ? [] : ['issuer over https']),
  },
  /** A resource server whose answers are asked for. */
  server: { feature: 'resource_server', missing: members('api.uri') },
  /** Second's requests carry proofs. */
  proofs: {
    feature: 'dpop',
    missing: (profile) =>
      profile.agents?.second?.dpop === false
        ? ['agents.second.dpop: true']
        : members('agents.second.client_id')(profile),
  },
  resource: { missing: members('api.uri') },
  audience: { missing: members('api.name') },
  scope: { missing: members('api.read') },
  two_scopes: { missing: members('api.read', 'api.write') },
  two_resources: { missing: members('api.uri', 'other_api.uri') },
  two_audiences: { missing: members('api.name', 'other_api.name') },
  other_scope: { missing: members('api.read', 'other_api.scope') },
  jwt: { feature: 'jwt_access_tokens', missing: () => [] },
  introspection: { feature: 'introspection', missing: () => [] },
  revocation: { feature: 'revocation', missing: () => [] },
  /** Resource servers and agents that hand work to each other: what the delegation profile is about. */
  whole: {
    missing: members(
      ...AGENTS.flatMap((name) => [`agents.${name}.jwk`, `agents.${name}.endpoint`]),
      'idp',
      'partner',
      'max_depth',
      'other.issuer',
      'api.read',
      'api.write',
      ...['api', 'other_api'].flatMap((name) => [`${name}.uri`, `${name}.name`, `${name}.jwk`]),
    ),
  },
} as const satisfies Readonly<Record<string, NeedShape>>

export type Need = keyof typeof NEEDS

/** Of what a profile lacks for one check. */
const MOST_TOLD = 4

export interface LeftOut {
  readonly outcome: 'not_offered' | 'not_set_up' | 'not_asked'
  readonly because: string
}

/** Why a check with these needs is left out; undefined where it is not. */
export function unmet(needs: readonly Need[]): LeftOut | undefined {
  const shapes: readonly NeedShape[] = needs.map((need) => NEEDS[need])
  for (const { feature } of shapes) {
    if (feature !== undefined && !isOffered(feature)) return notOffered(feature)
  }
  const missing = [...new Set(shapes.flatMap((shape) => shape.missing(given)))]
  if (missing.length === 0) return undefined
  const told = missing.slice(0, MOST_TOLD).join(', no ')
  const rest = missing.length - MOST_TOLD
  const because = `the profile has no ${told}${rest > 0 ? `, and not ${rest} more` : ''}`
  return { outcome: 'not_set_up', because }
}

export function notOffered(feature: Feature): LeftOut {
  return { outcome: 'not_offered', because: feature }
}
