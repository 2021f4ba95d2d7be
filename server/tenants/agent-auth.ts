/** `auth` of an agent in `agents.yaml`: the one way it proves who it is, told apart by `method`. */
import { z } from 'zod'
import { isSpiffePattern } from '../core/spiffe-id.ts'
import {
  certificate,
  claimPointer,
  distinct,
  id,
  isTrue,
  keySet,
  printable,
  strict,
  workloadClaim,
} from './fields.ts'

/** One follows the other. */
const MOST_CERTIFICATES = 4
const MOST_SECRETS = 4
const MOST_CLAIMS = 16

const spiffeId = z
  .string()
  .refine(isSpiffePattern, {
    error:
      'expected the SPIFFE ID of a workload, such as spiffe://prod.acme.example/agents/planner',
  })
  .describe('Its SPIFFE ID, of a configured trust domain. With `/*` at the end, every ID beneath.')
  .meta({ title: 'SPIFFE ID' })

/** RFC 8705 §2.1.2. */
export const CERTIFICATE_NAMES = [
  'subject_dn',
  'san_dns',
  'san_uri',
  'san_ip',
  'san_email',
] as const

const secretHash = z
  .string()
  // 32 octets: the last character has two bits that are zero.
  .regex(/^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/, {
    error: 'expected the SHA-256 of a secret, base64url: `actchain agents secret` makes both',
  })
  .meta({ title: 'SHA-256, base64url' })

export const agentAuth = z.discriminatedUnion('method', [
  strict({
    method: z.literal('private_key_jwt').describe('An assertion it signs with a key of its own.'),
    jwks: keySet.optional().describe('Its public keys. State this or `development_keys`.'),
    development_keys: isTrue
      .optional()
      .describe('The server makes a key pair in its data folder; refused in production.'),
  }),
  strict({
    method: z.literal('spiffe_jwt').describe('A JWT-SVID of its trust domain.'),
    spiffe_id: spiffeId,
  }),
  strict({
    method: z.literal('spiffe_x509').describe('An X.509-SVID of its trust domain, in TLS.'),
    spiffe_id: spiffeId,
  }),
  strict({
    method: z.literal('tls_client_auth').describe('A certificate of an authority, in TLS.'),
    authority: id.describe('The certificate authority that signs its certificate.'),
    subject_dn: printable
      .optional()
      .describe(
        'The distinguished name of its certificate (RFC 4514). State this or one of the `san_` members.',
      ),
    san_dns: printable.optional().describe('The DNS name its certificate has.'),
    san_uri: printable.optional().describe('The URI its certificate has.'),
    san_ip: printable.optional().describe('The IP address its certificate has.'),
    san_email: printable.optional().describe('The mail address its certificate has.'),
  }),
  strict({
    method: z
      .literal('self_signed_tls_client_auth')
      .describe('Exactly this certificate of its own, in TLS.'),
    certificates: z
      .array(certificate)
      .min(1, { error: 'name a certificate' })
      .max(MOST_CERTIFICATES, { error: `at most ${MOST_CERTIFICATES} certificates` })
      .describe('Its certificates, PEM.'),
  }),
  strict({
    method: z
      .literal('workload_jwt')
      .describe('The token its platform gives it, under a trust rule.'),
    issuer: id.describe('The workload issuer that signs its token.'),
    claims: z
      .record(claimPointer, workloadClaim)
      .refine((stated) => Object.keys(stated).length <= MOST_CLAIMS, {
        error: `at most ${MOST_CLAIMS} claims`,
      })
      .describe(
        'What its token must say: a JSON Pointer to the text, or to one of the texts, that must be there. All must hold, compared exactly.',
      ),
  }),
  strict({
    method: z
      .literal('attest_jwt_client_auth')
      .describe('An attestation of its instance, and a proof of the instance’s key.'),
    attester: id.describe('The attester that signs its attestations.'),
  }),
  strict({
    method: z
      .enum(['client_secret_basic', 'client_secret_post'])
      .describe('A secret, where the tenant says `client_secrets: true`; warned of.'),
    secret_sha256: distinct(secretHash)
      .min(1, { error: 'name the hash of a secret' })
      .max(MOST_SECRETS, { error: `at most ${MOST_SECRETS} secrets` })
      .describe('SHA-256 of each secret that is accepted, as `actchain agents secret` prints it.'),
  }),
])

export type AuthEntry = z.output<typeof agentAuth>
export type AuthOf<Method extends AuthEntry['method']> = Extract<
  AuthEntry,
  { readonly method: Method }
>
