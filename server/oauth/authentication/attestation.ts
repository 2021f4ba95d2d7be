/**
 * Attestation-based client authentication (draft-ietf-oauth-attestation-based-client-auth): somebody the tenant trusts says that a
 * key belongs to an instance of the agent, and the instance proves that key for this server. Two headers: the attestation, which
 * lasts, and the proof, which counts once. Challenges are not offered: times and single use stand for them; nor is a DPoP proof
 * taken for the proof.
 */
import { thumbprint } from '../../../keys/signer.ts'
import { readVerificationKey } from '../../../keys/verification-key.ts'
import { isJsonObject, type JsonObject } from '../../../lib/src/strict-json.ts'
import type { Tenant } from '../../core/tenant.ts'
import type { Attester } from '../../core/trust.ts'
import type { ReplayClaim } from '../../use-cases/ports.ts'
import { findSignerKey } from '../signer-key.ts'
import { readCompactJws, readNumericDate, type UnverifiedJws, verifyJwt } from '../verified-jwt.ts'
import { CLOCK_SKEW, readTimes } from './assertion-claims.ts'
import { verifyDecoy } from './client-assertion.ts'
import type { Authenticated, NamedClient, PresentedCredentials } from './credentials.ts'
import { CLIENT_ALGORITHMS } from './private-key-jwt.ts'
import type { TrustMaterial } from './trust-material.ts'

const ATTESTATION: ReadonlySet<string> = new Set(['oauth-client-attestation+jwt'])
const PROOF: ReadonlySet<string> = new Set(['oauth-client-attestation-pop+jwt'])
const MAX_LENGTH = 8192
const MAX_JTI_LENGTH = 256
/** Seconds. An instance that is lost stays attested for so long at most. */
const MAX_ATTESTED = 31 * 86_400
/** Seconds since the proof was made. */
const WINDOW = 60

interface Attested {
  readonly attestation: UnverifiedJws
  readonly proof: UnverifiedJws
  readonly client: string
  readonly jti: string
  /** When the proof has certainly expired. */
  readonly expiresAt: number
}

export function authenticateAttestation(
  tenant: Tenant,
  trust: TrustMaterial,
  presented: PresentedCredentials,
): NamedClient | string {
  const attested = readAttested(tenant, presented)
  if (typeof attested === 'string') return attested
  const { iss } = attested.attestation.payload
  const attester = typeof iss === 'string' ? tenant.attesters.get(iss) : undefined
  if (attester === undefined) {
    // One check for the attestation and one for the proof, as of anybody (attack case E11).
    verifyDecoy()
    verifyDecoy()
    return 'attester_unknown'
  }
  return { client: attested.client, verified: verify(tenant, { trust, attester }, attested) }
}

/** What both say, cheap and public first. Nothing here costs cryptography. */
function readAttested(
  { issuer }: Tenant,
  { form, attestation: text, attestationProof, now }: PresentedCredentials,
): Attested | string {
  // Several headers of one name arrive joined, and fail as one.
  const attestation = readJws(text)
  const proof = readJws(attestationProof)
  if (attestation === undefined || proof === undefined) return 'attestation_malformed'
  const { sub: client, iat } = attestation.payload
  if (typeof client !== 'string' || client === '') return 'attestation_subject'
  const { client_id: stated } = form
  if (stated !== undefined && stated !== '' && stated !== client) return 'client_id_mismatch'
  if (readNumericDate(iat) === undefined) return 'attestation_time'
  const until = readTimes(attestation.payload, { now, maxLifetime: MAX_ATTESTED })
  if (typeof until === 'string') return until.replace('assertion', 'attestation')
  const proven = readProof(proof.payload, { client, issuer, now })
  return typeof proven === 'string' ? proven : { attestation, proof, client, ...proven }
}

function readJws(text: string | undefined): UnverifiedJws | undefined {
  return text === undefined || text.length > MAX_LENGTH ? undefined : readCompactJws(text)
}

function readProof(
  { iss, aud, jti, ...times }: JsonObject,
  {
    client,
    issuer,
    now,
  }: { readonly client: string; readonly issuer: string; readonly now: number },
): Pick<Attested, 'jti' | 'expiresAt'> | string {
  // Earlier drafts have it; where it stands it names the client.
  if (iss !== undefined && iss !== client) return 'attestation_proof_issuer'
  // A text: no list, not even of one.
  if (aud !== issuer) return 'attestation_proof_audience'
  if (typeof jti !== 'string' || jti === '' || jti.length > MAX_JTI_LENGTH) {
    return 'attestation_proof_jti'
  }
  const iat = readNumericDate(times['iat'])
  const isFresh = iat !== undefined && iat >= now - WINDOW && iat <= now + CLOCK_SKEW
  if (!isFresh || !isWithin(times, now)) return 'attestation_proof_time'
  return { jti, expiresAt: Math.ceil(iat) + WINDOW + 1 }
}

/** Times a proof need not have; of one that has them they count. */
function isWithin({ exp, nbf }: JsonObject, now: number): boolean {
  const end = readNumericDate(exp ?? now)
  const start = readNumericDate(nbf ?? now)
  if (end === undefined || start === undefined) return false
  return end > now - CLOCK_SKEW && start <= now + CLOCK_SKEW
}

async function verify(
  tenant: Tenant,
  { trust, attester }: { readonly trust: TrustMaterial; readonly attester: Attester },
  { attestation, proof, client, jti, expiresAt }: Attested,
): Promise<Authenticated | string> {
  const signer = await findSignerKey(
    {
      algorithms: attester.algorithms,
      keys: (isRetry) => trust.issuerKeys(tenant.id, attester, isRetry),
    },
    attestation.header,
  )
  const claims = verifyJwt(attestation, { types: ATTESTATION, keyFor: () => signer })
  if (typeof claims === 'string') return `attestation_${claims}`
  const instance = readInstance(claims)
  if (instance === undefined) return 'attestation_key_unacceptable'
  const proven = verifyJwt(proof, { types: PROOF, keyFor: () => instance.key })
  if (typeof proven === 'string') return `attestation_proof_${proven}`
  const auth = tenant.agents.get(client)?.auth
  // Known or not: both signatures were checked for either.
  if (auth?.method !== 'attest_jwt_client_auth' || auth.attester !== attester.id) {
    return 'client_unknown'
  }
  const { jkt } = instance
  // By the instance too: another one of the same agent cannot spend its names.
  const claim: ReplayClaim = {
    tenant: tenant.id,
    kind: 'client_assertion',
    id: [client, jkt, jti],
    expiresAt,
  }
  return { client, method: auth.method, credential: jkt, use: { kind: 'single', claim } }
}

/** RFC 7800 §3.2: the key the attestation is about, public members only. */
function readInstance({ cnf }: JsonObject) {
  const jwk = isJsonObject(cnf) ? cnf['jwk'] : undefined
  if (!isJsonObject(jwk)) return undefined
  const key = readVerificationKey(jwk, CLIENT_ALGORITHMS)
  return key === undefined ? undefined : { key, jkt: thumbprint(jwk) }
}
