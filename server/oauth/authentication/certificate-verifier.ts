/**
 * Whether a certificate is the client's: `tls_client_auth`, `self_signed_tls_client_auth` (RFC 8705 §2.1, §2.2), and X.509-SVIDs. That
 * the client holds its key is certain; all that is written in it is attacker-chosen until somebody trusted vouches for it.
 */
import { LRUCache } from 'lru-cache'
import { type Certificate, parseCertificate } from '../../../keys/certificate.ts'
import { type PathFault, type PathOutcome, validatePath } from '../../../keys/certificate-path.ts'
import { isSoundKey } from '../../../keys/certificate-signature.ts'
import { type RevocationLists, readRevocationLists } from '../../../keys/revocation-list.ts'
import type { AgentAuth } from '../../core/agent-auth.ts'
import type { PresentedCertificate } from '../../core/presented-certificate.ts'
import type { SpiffeBundle } from '../../core/spiffe-bundle.ts'
import { matchesSpiffeId, parseSpiffeId, type SpiffeId } from '../../core/spiffe-id.ts'
import type { Agent, Tenant } from '../../core/tenant.ts'
import type { TrustDomain, TrustFile } from '../../core/trust.ts'
import { isExpectedSubject } from './certificate-subject.ts'
import { verifyDecoy } from './client-assertion.ts'
import type { Authenticated } from './credentials.ts'
import type { TrustMaterial } from './trust-material.ts'
import { readSvid } from './x509-svid.ts'

export interface CertificateVerifier {
  /** The client, or the guard that failed. Throws where trust material cannot be had. Whatever fails costs a signature check. */
  verify(presented: NamedCertificate): Promise<Authenticated | string>
}

export interface NamedCertificate {
  /** Undefined: the id is nobody's. */
  readonly agent: Agent | undefined
  readonly clientId: string
  readonly certificate: PresentedCertificate
  /** Seconds since the epoch. */
  readonly now: number
}

export interface CertificateVerifierDeps {
  readonly tenant: Tenant
  readonly trust: TrustMaterial
  /** Tests count it. */
  readonly validate?: typeof validatePath
}

/** A path that held, and what it held by: the same objects for as long as it is the same trust. */
interface StandingPath {
  readonly leaf: Certificate
  readonly anchors: readonly Certificate[]
  /** The file as it was; undefined where none is configured. */
  readonly lists: Uint8Array | undefined
  /** Seconds since the epoch. */
  readonly until: number
}

/** An outcome, or the guard that failed; with what it cost, so that refusals cost alike. */
type Judgement = Authenticated | Failed
interface Failed {
  readonly guard: string
  readonly signatureChecks: number
}
type Judged = Omit<NamedCertificate, 'agent'> & {
  readonly agent: Agent
  readonly leaf: Certificate
}
interface Svid {
  readonly id: SpiffeId
  readonly domain: TrustDomain
  readonly bundle: SpiffeBundle
}
type AuthBy<Method extends AgentAuth['method']> = Extract<AgentAuth, { readonly method: Method }>

/** Of whom nobody at hand vouches; authorities that follow each other often have one name. */
const UNTRUSTED: ReadonlySet<string> = new Set(['certificate_untrusted', 'certificate_signature'])
/** Clients that stand: each was vouched for, so their number is not for strangers to raise. */
const MAX_STANDING = 1000

export function createCertificateVerifier(deps: CertificateVerifierDeps): CertificateVerifier {
  const { tenant, trust, validate = validatePath } = deps
  /** By thumbprint, and nothing else that was presented: a path that held holds, whatever comes beside the certificate next. */
  const standing = new LRUCache<string, StandingPath>({ max: MAX_STANDING })
  const anchorsOf = createAnchorReader(tenant)
  const listsOf = createListReader()

  async function judge(named: NamedCertificate): Promise<Judgement> {
    const { agent, certificate } = named
    const leaf = standing.get(certificate.thumbprint)?.leaf ?? parseCertificate(certificate.der)
    if (leaf === undefined) return refused('certificate_malformed')
    const id = readSvid(leaf)
    const domain = typeof id === 'string' ? undefined : tenant.trustDomains.get(id.trustDomain)
    // Before anybody is known: where the bundle cannot be had, that is said to all alike (attack case E11).
    const bundle = domain && (await trust.bundle(tenant.id, domain, false))
    if (agent === undefined) return refused('client_unknown')
    const { auth } = agent
    const judged = { ...named, agent, leaf }
    if (auth.method === 'tls_client_auth') return judgeIssued(judged, auth)
    if (auth.method === 'self_signed_tls_client_auth') return judgeRegistered(judged, auth)
    if (auth.method !== 'spiffe_x509') return refused('method_mismatch')
    if (typeof id === 'string') return refused(id)
    const fault = findNameFault(judged, auth, id)
    if (fault !== undefined) return refused(fault)
    if (domain === undefined || bundle === undefined) return refused('trust_domain_unknown')
    return judgeSvid(judged, { id, domain, bundle })
  }

  async function judgeSvid(judged: Judged, { id, domain, bundle }: Svid): Promise<Judgement> {
    // X509-SVID §5.1: its own trust domain's authorities, never another's.
    const check = ({ authorities }: SpiffeBundle): Promise<Failed | undefined> =>
      checkPath(judged, anchorsOf.bundle(authorities), domain.crl)
    const first = await check(bundle)
    // The domain may have an authority that is newer than the bundle at hand.
    const isStranger = first !== undefined && UNTRUSTED.has(first.guard)
    const newer = isStranger ? await trust.bundle(tenant.id, domain, true) : bundle
    const refusal = newer === bundle ? first : await check(newer)
    return refusal ?? authenticated(judged, 'spiffe_x509', id.text)
  }

  async function judgeIssued(
    judged: Judged,
    { authority: authorityId, subject }: AuthBy<'tls_client_auth'>,
  ): Promise<Judgement> {
    if (!isExpectedSubject(subject, judged.leaf)) return refused('certificate_subject')
    const authority = tenant.certificateAuthorities.get(authorityId)
    if (authority === undefined) return refused('certificate_authority_unknown')
    const refusal = await checkPath(judged, anchorsOf.authority(authorityId), authority.crl)
    return refusal ?? authenticated(judged, 'tls_client_auth', judged.leaf.thumbprint)
  }

  /** Undefined: an anchor vouches for it. Only then a list is asked for, whose absence would tell strangers who is known. */
  async function checkPath(
    { leaf, certificate, now }: Judged,
    anchors: readonly Certificate[],
    crl: TrustFile | undefined,
  ): Promise<Failed | undefined> {
    const walk = (revocation: RevocationLists | undefined): PathOutcome =>
      validate({ anchors, leaf, intermediates: certificate.chain, revocation, now })
    const before = standing.get(leaf.thumbprint)
    const isVouched = before?.anchors === anchors && now >= leaf.notBefore && now < before.until
    let outcome = isVouched ? before : walk(undefined)
    let lists: Uint8Array | undefined
    if (crl !== undefined && !isFailed(outcome)) {
      lists = await trust.revocationList(tenant.id, crl)
      if (!isVouched || before.lists !== lists) {
        const revocation = listsOf(lists)
        // What a configured list says is not known: so nobody is unrevoked.
        if (revocation === undefined) return refused('revocation_list_unreadable')
        outcome = walk(revocation)
      }
    }
    if (isFailed(outcome)) {
      standing.delete(leaf.thumbprint)
      return refused(outcome.fault, outcome.signatureChecks)
    }
    standing.set(leaf.thumbprint, { leaf, anchors, lists, until: outcome.until })
    return undefined
  }

  return {
    async verify(named) {
      const judgement = await judge(named)
      if ('client' in judgement) return judgement
      // Whoever fails before any signature is checked costs what others cost (attack case E11).
      if (judgement.signatureChecks === 0) verifyDecoy()
      return judgement.guard
    },
  }
}

function isFailed(
  outcome: PathOutcome | StandingPath,
): outcome is PathOutcome & { readonly fault: PathFault } {
  return 'fault' in outcome && outcome.fault !== undefined
}

/** Whether the SVID is this agent's, by its name alone. */
function findNameFault(
  { clientId }: Judged,
  { spiffeId }: AuthBy<'spiffe_jwt' | 'spiffe_x509'>,
  id: SpiffeId,
): string | undefined {
  // A client may be named by its SPIFFE ID: then by the one the certificate has.
  const isNamed = parseSpiffeId(clientId) === undefined || clientId === id.text
  if (!isNamed) return 'client_id_mismatch'
  return matchesSpiffeId(spiffeId, id) ? undefined : 'certificate_subject'
}

/** RFC 8705 §2.2: exactly one of the registered certificates, byte for byte. Nobody vouches for it; its dates still count. */
function judgeRegistered(
  judged: Judged,
  { certificates }: AuthBy<'self_signed_tls_client_auth'>,
): Judgement {
  const { leaf, now } = judged
  const presented = Buffer.from(leaf.der)
  if (!certificates.some((registered) => presented.equals(Buffer.from(registered, 'base64')))) {
    return refused('certificate_not_registered')
  }
  if (now < leaf.notBefore) return refused('certificate_not_yet_valid')
  if (now > leaf.notAfter) return refused('certificate_expired')
  if (!isSoundKey(leaf.publicKey)) return refused('certificate_key')
  return authenticated(judged, 'self_signed_tls_client_auth', leaf.thumbprint)
}

function authenticated(
  { agent }: Judged,
  method: Authenticated['method'],
  credential: string,
): Authenticated {
  // The handshake proved the key for this very request: nothing is used up.
  return { client: agent.id, method, credential, use: { kind: 'standing' } }
}

function refused(guard: string, signatureChecks = 0): Failed {
  return { guard, signatureChecks }
}

/** Anchors are read once, for as long as they are the same. One that cannot be read vouches for nobody. */
function createAnchorReader({ certificateAuthorities }: Tenant) {
  const bundles = new WeakMap<readonly Uint8Array[], readonly Certificate[]>()
  const authorities = new Map<string, readonly Certificate[]>()
  const read = (encoded: readonly Uint8Array[]): readonly Certificate[] =>
    encoded.flatMap((der) => parseCertificate(der) ?? [])
  return {
    bundle(encoded: readonly Uint8Array[]): readonly Certificate[] {
      const anchors = bundles.get(encoded) ?? read(encoded)
      bundles.set(encoded, anchors)
      return anchors
    },
    authority(id: string): readonly Certificate[] {
      const encoded = certificateAuthorities.get(id)?.certificates ?? []
      const anchors =
        authorities.get(id) ?? read(encoded.map((text) => Buffer.from(text, 'base64')))
      authorities.set(id, anchors)
      return anchors
    },
  }
}

/** A list may have a hundred thousand entries: it is read when the file changes. */
function createListReader(): (file: Uint8Array) => RevocationLists | undefined {
  const read = new WeakMap<Uint8Array, { readonly lists: RevocationLists | undefined }>()
  return (file) => {
    const known = read.get(file) ?? { lists: readRevocationLists(file) }
    read.set(file, known)
    return known.lists
  }
}
