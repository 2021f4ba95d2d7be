/**
 * Where JOSE libraries that are not ours judge a signature otherwise than the vectors, and why that is so. A difference that is not
 * here fails a test, and so does one of these that is gone.
 */
export type Library = 'jose' | 'fast-jwt'

export interface KnownDifference {
  readonly libraries: readonly Library[]
  readonly why: string
  /** Of vectors. */
  readonly ids: readonly string[]
}

export const KNOWN_DIFFERENCES: readonly KnownDifference[] = [
  {
    libraries: ['jose'],
    why: 'decodes base64url as browsers do: padding and white space of the signature are skipped',
    ids: [
      'spelling-849904',
      'spelling-085872',
      'spelling-10f539',
      'spelling-23d7a5',
      'spelling-9aaa87',
    ],
  },
  {
    libraries: ['jose', 'fast-jwt'],
    why: 'drops bits after the last byte',
    ids: ['spelling-82b796'],
  },
  {
    libraries: ['jose', 'fast-jwt'],
    why: 'reads headers with JSON.parse: of two members of one name the last counts, and __proto__ is a name like any other',
    ids: ['spelling-fa48f5', 'spelling-8e3042', 'spelling-89bbc9', 'spelling-ea2508'],
  },
  {
    libraries: ['fast-jwt'],
    why: 'decodes UTF-8 without looking for what is none',
    ids: ['spelling-dc8a04'],
  },
  {
    libraries: ['jose', 'fast-jwt'],
    why: 'leaves `typ`, whatever it is, to its caller',
    ids: ['types-17de4d', 'types-c8712a', 'types-d11259', 'types-bae2aa', 'types-0c1b1e'],
  },
  {
    libraries: ['jose'],
    why: 'verifies a JWS of nothing, as RFC 7515 allows; a token is never empty',
    ids: ['types-e4d669'],
  },
  {
    libraries: ['jose'],
    why: 'understands b64 (RFC 7797); the vectors refuse every extension',
    ids: ['jose-8b9c10', 'jose-1e2951'],
  },
  {
    libraries: ['jose', 'fast-jwt'],
    why: 'takes a b64 that is not in crit for a member like any other (RFC 7797 §6 asks for crit)',
    ids: ['jose-ed0aa2', 'jose-d6654e', 'jose-4743df'],
  },
  {
    libraries: ['fast-jwt'],
    why: 'takes a crit that is null for none',
    ids: ['jose-90a079'],
  },
  {
    libraries: ['jose', 'fast-jwt'],
    why: 'takes what a key is for from its caller: here the test does not look at `use`, nor at members a public key has not',
    ids: [
      'jose-3c784a',
      'jose-788c86',
      'jose-faults-e12e64',
      'jose-faults-841ce4',
      'jose-faults-9dd591',
    ],
  },
  {
    libraries: ['fast-jwt'],
    why: 'has keys in PEM, which says nothing of key_ops and alg',
    ids: [
      'jose-f5b7d2',
      'jose-ee1f26',
      'jose-b19ba1',
      'jose-a669e1',
      'jose-faults-780cf1',
      'jose-faults-ff6117',
    ],
  },
  {
    libraries: ['jose', 'fast-jwt'],
    why: 'has its JWK read by the runtime, which takes the other alphabet, padding, and zeros before a number',
    ids: [
      'jose-a0d5cd',
      'jose-faults-58e3df',
      'jose-faults-72dc91',
      'jose-faults-32ae5c',
      'jose-faults-95930e',
      'jose-faults-fe7e95',
    ],
  },
  {
    libraries: ['fast-jwt'],
    why: 'takes EdDSA on every curve',
    ids: ['jose-faults-c92747'],
  },
  {
    libraries: ['fast-jwt'],
    why: 'takes RSA keys of any size (RFC 7518 §3.3 asks for 2048 bits)',
    ids: ['jose-54cbd9', 'jose-faults-2d111b'],
  },
  {
    libraries: ['jose', 'fast-jwt'],
    why: 'takes any exponent the runtime takes, 1 among them',
    ids: ['jose-5c98bf', 'jose-faults-90f661', 'jose-faults-f26044'],
  },
  {
    libraries: ['fast-jwt'],
    why: 'does not know the name Ed25519 (RFC 9864)',
    ids: ['chains-bcdfdd'],
  },
]

/** Ids of vectors that this library is known to judge otherwise, in order. */
export function differencesOf(library: Library): readonly string[] {
  return KNOWN_DIFFERENCES.filter(({ libraries }) => libraries.includes(library))
    .flatMap(({ ids }) => ids)
    .toSorted()
}
