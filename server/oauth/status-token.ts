/** Signs what verifiers are told of a tenant: status lists (Token Status List §5.1) and the feed's messages. */
import { promisify } from 'node:util'
import { constants, deflate } from 'node:zlib'
import type { Keyring } from '../../keys/keyring.ts'
import type { StatusSigner } from '../use-cases/status-signer.ts'

const deflateAside = promisify(deflate)
const signers = new WeakMap<Keyring, StatusSigner>()

/** One signer for each keyring. */
export function statusSigner(keyring: Keyring): StatusSigner {
  const known = signers.get(keyring)
  if (known !== undefined) return known
  const { active, jwks } = keyring
  const { alg, kid } = active
  const signer: StatusSigner = {
    kid,
    kids: jwks.keys.flatMap((key) => key['kid'] ?? []),
    sign: async (typ, claims) => {
      const signingInput = `${encode({ alg, kid, typ })}.${encode(claims)}`
      return `${signingInput}.${await active.sign(signingInput)}`
    },
  }
  signers.set(keyring, signer)
  return signer
}

/**
 * Run lengths alone: a list is runs of valid with single bits between, where looking for longer matches takes thirty times
 * as long for a tenth of the size, and finds nothing once many bits are set.
 */
const COMPRESSION = { level: constants.Z_BEST_COMPRESSION, strategy: constants.Z_RLE }

/** Token Status List §4.1: DEFLATE (RFC 1951) in the ZLIB data format (RFC 1950); base64url. Off the event loop. */
export async function compressStatuses(statuses: Uint8Array): Promise<string> {
  return (await deflateAside(statuses, COMPRESSION)).toString('base64url')
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
