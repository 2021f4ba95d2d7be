/** @actchain/verifier: the public names of the main entry. */
export type {
  ActBounds,
  Actor,
  Basis,
  BoundsHop,
  BoundsRoot,
  DelegatedClaims,
} from './act-bounds.ts'
export { type ReportedActor, readActors } from './actors.ts'
export type { CertificateOf } from './certificate.ts'
export { type ChallengeFacts, challengeFor, type RefusalAnswer } from './challenge.ts'
export {
  type ReasonEntry,
  VERIFICATION_REASONS,
  VerificationError,
  type VerificationReason,
} from './errors.ts'
export type { VerifierFault } from './fault.ts'
export type { NonceCheck, NonceDeps, NonceState, Nonces } from './nonces.ts'
export type { VerifierFacts, VerifierOptions } from './options.ts'
export type { Presentation, Scheme } from './presentation.ts'
export type { SignatureAlgorithm } from './public-key.ts'
export type { ClaimReplay, ReplayClaim } from './replay.ts'
export type { Ceiling, ChainActor, VerificationReport } from './report.ts'
export type { Revocation, RevocationCheck, RevocationDeps, StatusReference } from './revocation.ts'
export { createVerifier, type RouteNeed, type Verifier } from './verifier.ts'
