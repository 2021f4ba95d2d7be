/**
 * Members of `tenant.yaml` for what workloads prove themselves by: SPIFFE trust domains, certificate authorities, issuers of workload
 * tokens, attesters. Whom an agent's entry names here may say who that agent is.
 */
import { z } from 'zod'
import { isTrustDomainName } from '../core/spiffe-id.ts'
import { algorithm, certificate, distinct, duration, id, keySet, strict, uri } from './fields.ts'

const MINUTE = 60
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
/** Two authorities overlap while one follows the other. */
const MOST_CERTIFICATES = 8

/** A name in one folder, never a path. */
const trustFile = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_-]{0,62}(\.[a-z0-9_-]{1,62}){0,6}$/, {
    error: 'expected a file name: parts of a-z 0-9 _ - with dots between, a letter or digit first',
  })
  .meta({ title: 'file name' })

const trustDomainName = z
  .string()
  .refine(isTrustDomainName, { error: 'a trust domain is 1 to 255 of a-z 0-9 . _ -' })
  .meta({ title: 'trust domain' })

const crlFile = trustFile
  .optional()
  .describe(
    'Its certificate revocation list in the trust folder, PEM or DER. Without it none is looked at.',
  )

export const trustDomain = strict({
  name: trustDomainName.describe('Its name, as SPIFFE IDs begin with it after `spiffe://`.'),
  bundle_file: trustFile
    .optional()
    .describe('Its SPIFFE bundle in the trust folder. State this, `bundle_url` or `bundle`.'),
  bundle_url: uri
    .optional()
    .describe('Where its SPIFFE bundle is read from: an `https_web` bundle endpoint.'),
  bundle: strict({
    keys: z
      .array(z.record(z.string(), z.unknown()))
      .min(1, { error: 'a bundle needs a key' })
      .max(64, { error: 'a bundle has at most 64 keys' })
      .describe('JWKs with `use: jwt-svid` or `use: x509-svid`.'),
    spiffe_sequence: z.int().optional().describe('Its number, as the domain counts; not used.'),
    spiffe_refresh_hint: z.int().optional().describe('Seconds; not used of a written one.'),
  })
    .meta({ title: 'SPIFFE bundle' })
    .optional()
    .describe('Its SPIFFE bundle, written here.'),
  crl_file: crlFile,
  max_lifetime: duration(HOUR)
    .prefault('5m')
    .describe('How long a JWT-SVID may still live when it comes; 1h at most.'),
})

export const certificateAuthority = strict({
  id: id.describe('Our name for it; agents refer to it by this.'),
  certificates: z
    .array(certificate)
    .min(1, { error: 'name a certificate' })
    .max(MOST_CERTIFICATES, { error: `at most ${MOST_CERTIFICATES} certificates` })
    .describe('Certificates of the authority, PEM. What one of them signed is believed.'),
  crl_file: crlFile,
})

const everyIssuer = {
  id: id.describe('Our name for it; agents refer to it by this.'),
  issuer: uri.describe("Its issuer, compared with a token's `iss` character by character."),
  jwks_uri: uri
    .optional()
    .describe(
      'Where its public keys are read from. Without this and `jwks`: what its discovery document names.',
    ),
  jwks: keySet.optional().describe('Its public keys, written here.'),
  algorithms: distinct(algorithm)
    .min(1, { error: 'name an algorithm' })
    .default(['RS256'])
    .describe('Signature algorithms its tokens may have.'),
  max_lifetime: duration(DAY)
    .prefault('1h')
    .describe('How long a token may still live when it comes; 24h at most.'),
  single_use: z
    .boolean()
    .default(false)
    .describe(
      'Whether each token counts once. Otherwise it is good again for the key it first came with, and for no other.',
    ),
}

export const workloadIssuer = z.discriminatedUnion('kind', [
  strict({
    ...everyIssuer,
    kind: z
      .literal('oidc')
      .describe('Tokens of a platform by OpenID Connect: GitHub Actions, GitLab, a cloud.'),
  }),
  strict({
    ...everyIssuer,
    kind: z.literal('kubernetes').describe('Projected service account tokens of a cluster.'),
    token_review: strict({
      url: uri.describe("Origin of the cluster's API, such as `https://kubernetes.default.svc`."),
      ca_file: trustFile
        .optional()
        .describe('Who signs its certificate, in the trust folder, PEM. Default: the system’s.'),
      token_file: trustFile.describe('The token we ask with, in the trust folder.'),
    })
      .optional()
      .describe('Asks the cluster whether pod and service account still are.'),
  }),
])

export const attester = strict({
  id: id.describe('Our name for it; agents refer to it by this.'),
  issuer: uri.describe("Its issuer, compared with an attestation's `iss` character by character."),
  jwks_uri: uri.optional().describe('Where its public keys are read from. State this or `jwks`.'),
  jwks: keySet.optional().describe('Its public keys, written here. State this or `jwks_uri`.'),
  algorithms: distinct(algorithm)
    .min(1, { error: 'name an algorithm' })
    .default(['ES256'])
    .describe('Signature algorithms its attestations may have.'),
})

export type TrustDomainEntry = z.output<typeof trustDomain>
export type AuthorityEntry = z.output<typeof certificateAuthority>
export type WorkloadIssuerEntry = z.output<typeof workloadIssuer>
export type AttesterEntry = z.output<typeof attester>
