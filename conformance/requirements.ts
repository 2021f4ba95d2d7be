/** The manifest: every requirement the suite answers for, by id. */
import type { Requirement } from './requirement.ts'
import { ACCESS_TOKENS } from './requirements/access-tokens.ts'
import { ASSERTIONS } from './requirements/assertions.ts'
import { AUTHORIZATION_DETAILS } from './requirements/authorization-details.ts'
import { AUTHZEN } from './requirements/authzen.ts'
import { BCP } from './requirements/bcp.ts'
import { DELEGATION } from './requirements/delegation.ts'
import { DPOP } from './requirements/dpop.ts'
import { IDENTITY_ASSERTIONS, IDENTITY_CHAINING } from './requirements/identity-chaining.ts'
import { JOSE } from './requirements/jose.ts'
import { MCP } from './requirements/mcp.ts'
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
import { STEP_UP } from './requirements/step-up.ts'
import { TOKEN_EXCHANGE } from './requirements/token-exchange.ts'
import { INTROSPECTION, RESOURCE_INDICATORS, REVOCATION } from './requirements/tokens.ts'
import { X509_CLIENTS, X509_SVIDS } from './requirements/x509-svid.ts'

/** Every table, in the order of the manifest. No id is in two of them. */
export const TABLES: readonly Readonly<Record<string, Requirement>>[] = [
  TOKEN_EXCHANGE,
  OAUTH,
  BEARER,
  ACCESS_TOKENS,
  RESOURCE_INDICATORS,
  ASSERTIONS,
  MTLS,
  DPOP,
  INTROSPECTION,
  REVOCATION,
  AUTHORIZATION_SERVER_METADATA,
  RESOURCE_METADATA,
  AUTHORIZATION_DETAILS,
  STEP_UP,
  JOSE,
  BCP,
  IDENTITY_CHAINING,
  IDENTITY_ASSERTIONS,
  SPIFFE_CLIENTS,
  X509_CLIENTS,
  SPIFFE_IDS,
  SPIFFE_JWT_SVIDS,
  X509_SVIDS,
  SPIFFE_BUNDLES,
  AUTHZEN,
  SHARED_SIGNALS,
  STATUS_LISTS,
  MCP,
  DELEGATION,
]

export const REQUIREMENTS: Readonly<Record<string, Requirement>> = Object.assign({}, ...TABLES)
