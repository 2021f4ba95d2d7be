/** Status lists as an issuer publishes them (docs/chain-format.md §4). */
import type { PublishedList } from '../../../conformance/vectors/vector.ts'
import type { Claims } from '../chain-token.ts'
import { es256, ISSUER, LIST, NOW, signedText } from './material.ts'
import { base64url, type Signer } from './signer.ts'
import { stored } from './zlib.ts'

/** Indexes a list has if it does not say otherwise: the chain's are among them. */
export const INDEXES = 64

/** Bits that a status may have. */
const WIDTHS = [1, 2, 4, 8]

/** Status by index; what is not named is valid. */
export type Statuses = Readonly<Record<number, number>>

export function octetsOf(statuses: Statuses, bits = 2, indexes = INDEXES): Buffer {
  const octets = Buffer.alloc((indexes * bits) / 8)
  for (const [index, status] of Object.entries(statuses)) {
    const at = Number(index) * bits
    octets[at >> 3] = (octets[at >> 3] ?? 0) + status * 2 ** (at & 7)
  }
  return octets
}

export interface ListShape {
  readonly statuses?: Statuses
  /** Instead of the statuses. */
  readonly lst?: unknown
  readonly bits?: unknown
  readonly claims?: Claims
  readonly header?: Claims
  readonly signer?: Signer
}

export function aListToken({
  statuses = {},
  lst,
  bits = 2,
  claims,
  header,
  signer = es256,
}: ListShape): string {
  const packed =
    lst !== undefined
      ? lst
      : base64url(
          stored(
            octetsOf(
              statuses,
              WIDTHS.find((width) => width === bits),
            ),
          ),
        )
  return signedText(
    signer,
    { alg: signer.alg, typ: 'statuslist+jwt', kid: signer.kid, ...header },
    {
      iss: ISSUER,
      sub: LIST,
      iat: NOW - 2,
      exp: NOW + 58,
      ttl: 5,
      gen: 'g1',
      seq: 7041,
      kids: ['test-es256', 'test-eddsa', 'test-rs256'],
      status_list: { bits, lst: packed },
      ...claims,
    },
  )
}

export function published(token: string, uri: string = LIST): readonly PublishedList[] {
  return [{ uri, token }]
}
