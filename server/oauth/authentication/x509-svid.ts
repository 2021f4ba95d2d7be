/** What a certificate has to be to be a workload's X.509-SVID (X509-SVID §2 to §5.2), before anybody asks who signed it. */
import type { Certificate } from '../../../keys/certificate.ts'
import { parseSpiffeId, type SpiffeId } from '../../core/spiffe-id.ts'

const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2'
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1'

/** The workload's SPIFFE ID, or the guard that failed. */
export function readSvid({
  names,
  authority,
  keyUsage,
  extendedKeyUsage,
}: Certificate): SpiffeId | string {
  const [uri, ...others] = names.uri
  // X509-SVID §2, §5.2: exactly one URI; other kinds of names are nobody's business.
  if (uri === undefined || others.length > 0) return 'svid_uri_count'
  const id = parseSpiffeId(uri)
  // X509-SVID §3.1: of a trust domain itself there are only signing certificates, and those do not authenticate (§3.2).
  if (id === undefined || id.path === '') return 'svid_id'
  // X509-SVID §4.1, §5.2.
  if (authority !== undefined) return 'certificate_is_authority'
  // X509-SVID §4.3: there, critical, for signatures, and for neither certificates nor revocation lists.
  const { usages, critical } = keyUsage ?? { usages: new Set(), critical: false }
  const maySignOthers = usages.has('keyCertSign') || usages.has('cRLSign')
  if (!critical || !usages.has('digitalSignature') || maySignOthers) return 'svid_key_usage'
  // X509-SVID §4.4.
  const purposes = extendedKeyUsage ?? [CLIENT_AUTH, SERVER_AUTH]
  const isForBoth = purposes.includes(CLIENT_AUTH) && purposes.includes(SERVER_AUTH)
  return isForBoth ? id : 'svid_extended_key_usage'
}
