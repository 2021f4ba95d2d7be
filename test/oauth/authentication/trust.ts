/** Trust material for tests of validators: what a test says it is, and how often it was asked for. */
import type { PublicJwk, Tenant } from '../../../server/core/tenant.ts'
import {
  readAssertion,
  type TypedAssertion,
} from '../../../server/oauth/authentication/assertion-form.ts'
import type {
  Authenticated,
  NamedClient,
} from '../../../server/oauth/authentication/credentials.ts'
import type {
  ReviewedToken,
  TrustMaterial,
} from '../../../server/oauth/authentication/trust-material.ts'

export interface Given {
  /** Keys for JWT-SVIDs by trust domain; after a retry those of `renewed`. */
  readonly bundles?: Readonly<Record<string, readonly PublicJwk[]>>
  readonly keys?: readonly PublicJwk[]
  readonly renewed?: readonly PublicJwk[]
  readonly review?: () => Promise<ReviewedToken | undefined>
}

/** Each question that was asked, with `again` where it was a retry. */
export function trustIn(given: Given): { readonly trust: TrustMaterial; readonly asked: string[] } {
  const asked: string[] = []
  const note = (question: string, isRetry: boolean): void =>
    void asked.push(isRetry ? `${question} again` : question)
  return {
    asked,
    trust: {
      issuerKeys: async (_tenant, _issuer, isRetry) => {
        note('keys', isRetry)
        return (isRetry ? given.renewed : given.keys) ?? given.keys ?? []
      },
      bundle: async (_tenant, { name }, isRetry) => {
        note(name, isRetry)
        const jwtKeys = (isRetry ? given.renewed : undefined) ?? given.bundles?.[name]
        if (jwtKeys === undefined) throw new Error('nothing at hand')
        return { jwtKeys, authorities: [] }
      },
      revocationList: () => Promise.reject(new Error('nobody asks')),
      reviewToken: async (_tenant, _review, { audience }) => {
        asked.push(`review for ${audience}`)
        return given.review?.()
      },
    },
  }
}

type Validator = (
  tenant: Tenant,
  trust: TrustMaterial,
  assertion: TypedAssertion,
) => NamedClient | string

export interface Sent {
  readonly type: 'jwt-bearer' | 'jwt-spiffe'
  readonly text: string
  readonly clientId?: string
  readonly now: number
}

/** The assertion of a form, through its validator, to the end. */
export async function judge(
  validator: Validator,
  tenant: Tenant,
  trust: TrustMaterial,
  { type, text, clientId, now }: Sent,
): Promise<Authenticated | string> {
  const assertion = readAssertion(
    {
      client_assertion_type: `urn:ietf:params:oauth:client-assertion-type:${type}`,
      client_assertion: text,
      ...(clientId === undefined ? {} : { client_id: clientId }),
    },
    now,
  )
  if (typeof assertion === 'string') return assertion
  const named = validator(tenant, trust, assertion)
  return typeof named === 'string' ? named : named.verified
}
