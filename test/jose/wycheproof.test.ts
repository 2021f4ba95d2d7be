/** Project Wycheproof held against both readers of JWTs: every invalid vector is refused, every valid one taken or listed. */
import { describe, expect, test } from 'vitest'
import { JUDGES, type Judge } from './judges.ts'
import {
  findVectors,
  readSignatures,
  readTokens,
  type SignatureVector,
  type TokenVector,
} from './wycheproof.ts'
import { DIFFERENCES } from './wycheproof-differences.ts'

const TOKENS = ['json_web_signature', 'json_web_key', 'json_web_crypto']
const SIGNATURES: readonly (readonly [string, string])[] = [
  ['ecdsa_secp256r1_sha256_p1363', 'ES256'],
  ['ecdsa_secp384r1_sha384_p1363', 'ES384'],
  ['ecdsa_secp521r1_sha512_p1363', 'ES512'],
  ['ed25519', 'EdDSA'],
  ['rsa_signature_2048_sha256', 'RS256'],
  ['rsa_signature_3072_sha256', 'RS256'],
  ['rsa_signature_4096_sha256', 'RS256'],
  ['rsa_signature_2048_sha384', 'RS384'],
  ['rsa_signature_2048_sha512', 'RS512'],
  ['rsa_pss_2048_sha256_mgf1_32', 'PS256'],
  ['rsa_pss_2048_sha384_mgf1_48', 'PS384'],
  ['rsa_pss_4096_sha512_mgf1_64', 'PS512'],
]

type Vector = TokenVector | SignatureVector

function judge({ takesToken, takesSignature }: Judge, vector: Vector): Promise<boolean> {
  if ('token' in vector) return takesToken(vector.token, vector.keys)
  return takesSignature(vector.keys[0] ?? {}, vector.message, vector.signature)
}

/** What of these vectors a judge sees otherwise, without a listed difference or in spite of one. */
async function compare(by: Judge, vectors: readonly Vector[]) {
  const counts = { accepted: 0, refused: 0, different: 0 }
  const wrong: string[] = []
  const seen = new Set<string>()
  for (const vector of vectors) {
    const taken = await judge(by, vector)
    counts[taken ? 'accepted' : 'refused'] += 1
    const name = `${vector.file} ${vector.tcId}`
    if (vector.result === 'invalid' && taken) wrong.push(`${name}: invalid, and taken`)
    if (vector.result !== 'valid') continue
    const listed = DIFFERENCES.filter(
      ({ only, holds }) => (only ?? by.name) === by.name && holds(vector),
    )
    for (const { title } of listed) seen.add(title)
    if (!taken && listed.length === 0) wrong.push(`${name}: valid, and refused`)
    if (taken && listed.length > 0) wrong.push(`${name}: no difference any more`)
    if (!taken) counts.different += 1
  }
  return { counts, wrong, seen }
}

const folder = findVectors()
if (folder === undefined) {
  test.skip('Wycheproof (WYCHEPROOF_DIR is not set)', () => undefined)
} else {
  describe('Wycheproof', () => {
    const vectors = [
      ...TOKENS.flatMap((name) => readTokens(folder, name)),
      ...SIGNATURES.flatMap((file) => readSignatures(folder, file)),
    ]

    test.for(JUDGES)(
      '$name agrees on every vector but for the listed differences',
      async (by, { annotate }) => {
        const { counts, wrong, seen } = await compare(by, vectors)
        await annotate(`${by.name}: ${vectors.length} vectors, ${JSON.stringify(counts)}`)
        expect(wrong).toEqual([])
        // A difference that no vector shows has had its day.
        const own = DIFFERENCES.filter(({ only }) => (only ?? by.name) === by.name)
        expect(own.map(({ title }) => title).filter((title) => !seen.has(title))).toEqual([])
        // Of each algorithm something is taken, so nothing is refused just because no key is read.
        const taken = new Set<unknown>()
        for (const vector of vectors)
          if (!('token' in vector) && vector.result === 'valid' && (await judge(by, vector)))
            taken.add(vector.keys[0]?.['alg'])
        expect(taken).toEqual(new Set(by.algorithms))
      },
    )
  })
}
