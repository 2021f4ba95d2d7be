/**
 * Where private keys live. A keeper makes a key under a name, opens it again in any process, and gives a signer; the key itself
 * never comes out. Files sealed on disk are one (sealed-keeper.ts), a PKCS#11 token another; the key service of a cloud is a
 * third, written against this interface and wired in server/open-keys.ts.
 */
import type { SignatureAlgorithm } from './algorithm.ts'
import type { PrivateJwk, Signer } from './signer.ts'

export type KeeperKind = 'sealed' | 'pkcs11'

/**
 * Names are ours: `{tenant}.{number}`, lower-case letters, digits, `-` and `.`. No two keys ever have one name, and no two
 * processes make one name (numbers are reserved in the store), so a name is found again and never replaced.
 */
export interface KeyKeeper {
  readonly kind: KeeperKind
  /** Undefined: there is no key of this name. Throws where it cannot be told, or where the key does not fit `alg`. */
  open(name: string, alg: SignatureAlgorithm): Promise<Signer | undefined>
  /** Makes a key that is durable when this resolves; where one has the name already, opens that. RSA: 2048 bits. */
  make(name: string, alg: SignatureAlgorithm): Promise<Signer>
  /** As `make`, of a key that was made elsewhere and fits `alg`. Absent: this keeper takes none. */
  readonly import?: (name: string, alg: SignatureAlgorithm, key: PrivateJwk) => Promise<Signer>
  /** Destroys the key, as far as the keeper can; one that is not there is no fault. */
  remove(name: string): Promise<void>
}
