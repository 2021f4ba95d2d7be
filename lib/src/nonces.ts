/**
 * @actchain/verifier/nonces: nonces of proofs at a resource server (RFC 9449 §9). A proof with one was made in these minutes,
 * not ahead of time. Nothing is kept: a nonce is a MAC over its audience and its minute, so every instance with the secret
 * takes those of every other, and one of another resource, of the authorization server or of yesterday is none.
 */
import { encodeBase64url } from './base64url.ts'

export interface ProofNoncesOptions {
  /** 32 characters or more, the same at every instance. Nonces are public: it has to be random, so that none guesses it. */
  readonly secret: string
}

/** What a proof's nonce is worth. */
export interface NonceState {
  readonly holds: boolean
  /** To be used from now on; absent while the one that came is fine for longer. */
  readonly next?: string
}

export interface NonceCheck {
  /** `nonce`: what the proof says it is, whatever that may be. */
  check(nonce: unknown): Promise<NonceState>
}

export interface NonceDeps {
  readonly audience: string
  /** Seconds since the epoch. */
  readonly now: () => number
}

/** Called once by the verifier it was given to. */
export type Nonces = (deps: NonceDeps) => NonceCheck

/** Seconds between two nonces. */
const PERIOD = 60
/** Periods a nonce is taken after its own: four to five minutes in all. */
const LATER_PERIODS = 4
/** Periods after which a client is given the next: one that calls every two minutes is never sent back for a nonce. */
const FRESH_PERIODS = 2
/** Another instance's clock may be a little ahead of ours. */
const AHEAD_PERIODS = 1
const MIN_SECRET_LENGTH = 32
/** Tells this use of the secret from any other. */
const PURPOSE = 'actchain resource nonce 1'
const ENCODER = new TextEncoder()

/** For the option `nonces`. Throws TypeError for a bad or unknown option. */
export function proofNonces(options: ProofNoncesOptions): Nonces {
  const { secret, ...unknown } = options
  for (const name of Object.keys(unknown)) throw new TypeError(`unknown option: ${name}`)
  if (typeof secret !== 'string' || secret.length < MIN_SECRET_LENGTH)
    throw new TypeError('bad option: secret')
  let key: Promise<CryptoKey> | undefined
  return ({ audience, now }) => {
    const mac = async (period: number): Promise<string> => {
      // Not before it is needed: workers have no cryptography outside a request.
      key ??= importSecret(secret)
      // A period has no line break, so no two pairs have one text. Base64url is NQCHAR (RFC 9449 §8.1).
      const text = ENCODER.encode(`${PURPOSE}\n${period}\n${audience}`)
      return encodeBase64url(new Uint8Array(await crypto.subtle.sign('HMAC', await key, text)))
    }
    const made = new Map<number, Promise<string>>()
    const nonceOf = (period: number): Promise<string> => {
      // Those of a few minutes are in use at once; the rest are old.
      if (made.size > 16) made.clear()
      const nonce = made.get(period) ?? mac(period)
      made.set(period, nonce)
      return nonce
    }
    return {
      check: async (nonce) => {
        const period = Math.floor(now() / PERIOD)
        for (let age = -AHEAD_PERIODS; age <= LATER_PERIODS; age++) {
          // Public, and the same for everyone: how long it takes to compare tells nothing.
          if (nonce !== (await nonceOf(period - age))) continue
          return age < FRESH_PERIODS
            ? { holds: true }
            : { holds: true, next: await nonceOf(period) }
        }
        return { holds: false, next: await nonceOf(period) }
      },
    }
  }
}

function importSecret(secret: string): Promise<CryptoKey> {
  const algorithm = { name: 'HMAC', hash: 'SHA-256' }
  return crypto.subtle.importKey('raw', ENCODER.encode(secret), algorithm, false, ['sign'])
}
