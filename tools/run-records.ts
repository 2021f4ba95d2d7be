/**
 * Runs recording in whatever runtime this is: digests, keys, proofs and batches, against an issuer that is a function. No node: import,
 * nothing but the verifier.
 */
import { createVerifier } from '../lib/src/index.ts'
import { digestInput, withRecords } from '../lib/src/records/records.ts'
import type { VectorResults } from './run-vectors.ts'

const ISSUER = 'https://as.example/t/acme'
/** By another SHA-256: what one runtime recorded, another has to be able to show. */
const DIGEST = 'sha-256:12i5cSpP7EcmC9Iavki4rPq6fXG2sc1cThwoHStEhYI'

interface Sent {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** An issuer that takes everything. */
function anIssuer(sent: Sent[]) {
  return async (url: string, { headers, body }: RequestInit): Promise<Response> => {
    const request = { url, headers: headers as Sent['headers'], body: body as string }
    sent.push(request)
    if (url.endsWith('/token')) {
      return Response.json({ access_token: 'a-token', token_type: 'DPoP', expires_in: 300 })
    }
    const { records } = JSON.parse(request.body) as { readonly records: { readonly id: string }[] }
    return Response.json({ accepted: records.map(({ id }) => id), refused: [] })
  }
}

async function recorded(key: CryptoKey | JsonWebKey): Promise<readonly Sent[]> {
  const sent: Sent[] = []
  const plain = createVerifier({
    issuer: ISSUER,
    audience: 'https://api.example/',
    revocation: 'off',
  })
  const verifier = withRecords(plain, { clientId: 'api', key, fetch: anIssuer(sent) })
  for (const tool of ['read', 'write']) {
    verifier.record({ of: { jti: 'j', txn: 't' }, tool, target: 'x', outcome: 'succeeded' })
  }
  await verifier.flush()
  await verifier.close()
  return sent
}

function isSignedIn([signIn, posted]: readonly Sent[]): boolean {
  const { client_assertion: assertion } = Object.fromEntries(new URLSearchParams(signIn?.body))
  const proofs = [signIn, posted].map((request) => request?.headers['dpop'])
  return (
    [assertion, ...proofs].every((jws) => /^[\w-]+\.[\w-]+\.[\w-]+$/.test(jws ?? '')) &&
    posted?.headers['authorization'] === 'DPoP a-token' &&
    posted.url === `${ISSUER}/audit/records`
  )
}

const ECDSA = { name: 'ECDSA', namedCurve: 'P-256' }

const CHECKS: Readonly<Record<string, () => Promise<boolean>>> = {
  'a digest is the same in every runtime': async () =>
    (await digestInput('pay alice', 'AAECAwQFBgcICQoLDA0ODw')).digest === DIGEST,
  'what is recorded is sent, signed in by a key that cannot be read out': async () => {
    const { privateKey } = await crypto.subtle.generateKey(ECDSA, false, ['sign', 'verify'])
    return isSignedIn(await recorded(privateKey))
  },
  'what is recorded is sent, signed in by a JWK of Ed25519': async () => {
    const pair = (await crypto.subtle.generateKey('Ed25519', true, [
      'sign',
      'verify',
    ])) as CryptoKeyPair
    return isSignedIn(await recorded(await crypto.subtle.exportKey('jwk', pair.privateKey)))
  },
}

export async function runRecords(): Promise<VectorResults> {
  const outcomes = await Promise.all(
    Object.entries(CHECKS).map(async ([name, check]) => ((await check()) ? undefined : name)),
  )
  const failed = outcomes.filter((name) => name !== undefined)
  return { passed: outcomes.length - failed.length, failed }
}
