/** Trust material that is not in a tenant's facts: where it is looked for, and how long the last good of it counts. */

import type { TrustMaterial } from './oauth/authentication/trust-material.ts'
import type { IssuerKeys } from './oauth/foreign-token.ts'

export function createTrustMaterial(_issuerKeys: IssuerKeys): TrustMaterial {
  const nothing = async (): Promise<never> => {
    throw new Error('no trust material')
  }
  return { issuerKeys: nothing, bundle: nothing, revocationList: nothing, reviewToken: nothing }
}
