/** The manifest: every requirement the suite answers for, by id. */
import type { Requirement } from './requirement.ts'
import { ACCESS_TOKENS } from './requirements/access-tokens.ts'
import { ASSERTIONS } from './requirements/assertions.ts'
import { BCP } from './requirements/bcp.ts'
import { DELEGATION } from './requirements/delegation.ts'
import { DPOP } from './requirements/dpop.ts'
import { JOSE } from './requirements/jose.ts'
import { AUTHORIZATION_SERVER_METADATA, RESOURCE_METADATA } from './requirements/metadata.ts'
import { MTLS } from './requirements/mtls.ts'
import { BEARER, OAUTH } from './requirements/oauth.ts'
import { SHARED_SIGNALS } from './requirements/shared-signals.ts'
import {
  SPIFFE_BUNDLES,
  SPIFFE_CLIENTS,
  SPIFFE_IDS,
  SPIFFE_JWT_SVIDS,
} from './requirements/spiffe.ts'
import { STATUS_LISTS } from './requirements/status-lists.ts'
import { TOKEN_EXCHANGE } from './requirements/token-exchange.ts'
import { INTROSPECTION, RESOURCE_INDICATORS, REVOCATION } from './requirements/tokens.ts'
import { X509_SVID } from './requirements/x509-svid.ts'

export const REQUIREMENTS: Readonly<Record<string, Requirement>> = {
  ...TOKEN_EXCHANGE,
  ...OAUTH,
  ...BEARER,
  ...ACCESS_TOKENS,
  ...RESOURCE_INDICATORS,
  ...ASSERTIONS,
  ...DPOP,
  ...MTLS,
  ...X509_SVID,
  ...SPIFFE_CLIENTS,
  ...SPIFFE_IDS,
  ...SPIFFE_JWT_SVIDS,
  ...SPIFFE_BUNDLES,
  ...INTROSPECTION,
  ...REVOCATION,
  ...STATUS_LISTS,
  ...SHARED_SIGNALS,
  ...AUTHORIZATION_SERVER_METADATA,
  ...RESOURCE_METADATA,
  ...JOSE,
  ...BCP,
  ...DELEGATION,
}
