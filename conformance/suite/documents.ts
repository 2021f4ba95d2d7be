/**
 * The metadata documents of the issuers of a profile: read once, before any test, and handed to all of them. What they say
 * decides where requests go and which checks are left out.
 */
import { inject } from 'vitest'
import { FEATURES, type Feature, type FeatureShape, type Metadata } from '../features.ts'
import { given } from './given.ts'
import type { EndpointName, GivenProfile } from './profile.ts'

export type Documents = Readonly<Record<string, Metadata>>

declare module 'vitest' {
  export interface ProvidedContext {
    readonly documents: Documents
  }
}

const documents = inject('documents')

/** Of the server under test. */
export const metadata: Metadata = documents[given.issuer] ?? {}

const MEMBERS = {
  token: ['token_endpoint', 'token'],
  introspection: ['introspection_endpoint', 'introspect'],
  revocation: ['revocation_endpoint', 'revoke'],
  jwks: ['jwks_uri', 'jwks'],
} as const satisfies Readonly<Record<EndpointName, readonly [string, string]>>

/** What the profile says, what the metadata says, or where it usually is. */
export function endpointOf(issuer: string, name: EndpointName): string {
  const [member, path] = MEMBERS[name]
  const told = issuer === given.issuer ? given.endpoints?.[name] : undefined
  const published = documents[issuer]?.[member]
  return told ?? (typeof published === 'string' ? published : `${issuer}/${path}`)
}

/** Whether the server under test has it: by the profile where that says so, else by the metadata. */
export function isOffered(feature: Feature, of: Metadata = metadata, by: GivenProfile = given) {
  const { advertised }: FeatureShape = FEATURES[feature]
  return by.features?.[feature] ?? advertised?.(of) ?? false
}
