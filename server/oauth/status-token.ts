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

/** Token Status List §4.1: DEFLATE (RFC 1951) in the ZLIB data format (RFC 1950), as small as it gets; base64url. */
export async function compressStatuses(statuses: Uint8Array): Promise<string> {
  const compressed = await deflateAside(statuses, { level: constants.Z_BEST_COMPRESSION })
  return compressed.toString('base64url')
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
