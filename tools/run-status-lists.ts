/**
 * Checks revocation in whatever runtime this is: a list that is unpacked and a feed that is listened to, from an issuer made
 * here. No node: import, nothing but the verifier.
 */

import { VerificationError } from '../lib/src/errors.ts'
import { fixedKeys } from '../lib/src/jwks.ts'
import { readKeySet } from '../lib/src/key-set.ts'
import type { RevocationCheck } from '../lib/src/revocation.ts'
import { statusLists } from '../lib/src/status/status-lists.ts'
import type { JsonObject } from '../lib/src/strict-json.ts'
import type { VectorResults } from './run-vectors.ts'

const ISSUER = 'https://as.example.com/t/acme'
const URI = `${ISSUER}/status/g1-7`
/** Token Status List §10: 1 2 0 3 0 1 0 1 1 2 3 3, two bits each. */
const LST = 'eNo76fITAAPfAgc'
const EXPECTED: readonly (readonly [indexes: readonly number[], outcome: string])[] = [
  [[2, 4, 6], 'valid'],
  [[2, 0], 'token_revoked'],
  [[2, 1], 'token_suspended'],
  [[2, 12], 'revocation_unknown'],
]

export async function runStatusLists(): Promise<VectorResults> {
  const issuer = await anIssuer()
  const failed: string[] = []
  for (const feed of ['on', 'off'] as const)
    for (const [indexes, expected] of EXPECTED) {
      const check = issuer.check(feed)
      const outcome = await outcomeOf(check, indexes)
      if (outcome !== expected) failed.push(`status list: ${outcome} instead of ${expected}`)
      if (feed === 'on' && !(await issuer.told)) failed.push('the feed was not read')
      check.close()
    }
  return { passed: EXPECTED.length * 2 - failed.length, failed }
}

async function outcomeOf(check: RevocationCheck, indexes: readonly number[]): Promise<string> {
  try {
    const age = await check.check({ uri: URI, indexes }, [])
    return age <= 1 ? 'valid' : `valid ${age} seconds ago`
  } catch (error) {
    return error instanceof VerificationError ? error.reason : `fault: ${String(error)}`
  }
}

async function anIssuer() {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const { privateKey, publicKey } = await crypto.subtle.generateKey(algorithm, true, [
    'sign',
    'verify',
  ])
  const jwk = { ...(await crypto.subtle.exportKey('jwk', publicKey)), kid: 'k1', use: 'sig' }
  delete (jwk as JsonWebKey).key_ops
  const set = readKeySet({ keys: [jwk as unknown as JsonObject] }, () => undefined)
  if (typeof set === 'string') throw new Error(set)
  const keys = fixedKeys(set)
  let tell: (told: boolean) => void = () => undefined
  const told = new Promise<boolean>((resolve) => {
    tell = resolve
    setTimeout(() => resolve(false), 5_000)
  })
  const now = (): number => Date.now() / 1000
  const sign = async (typ: string, claims: object): Promise<string> => {
    const header = base64url(JSON.stringify({ alg: 'ES256', kid: 'k1', typ }))
    const iat = Math.floor(now())
    const payload = base64url(
      JSON.stringify({ iss: ISSUER, iat, exp: iat + 60, gen: 'a1', seq: 1, ...claims }),
    )
    const input = new TextEncoder().encode(`${header}.${payload}`)
    const signature = await crypto.subtle.sign(algorithm, privateKey, input)
    return `${header}.${payload}.${base64url(String.fromCharCode(...new Uint8Array(signature)))}`
  }
  return {
    told,
    check: (feed: 'on' | 'off') =>
      statusLists({ feed })({
        issuer: ISSUER,
        algorithms: ['ES256'],
        keys: { ...keys, retain: () => tell(true) },
        now,
        onFault: () => undefined,
        fetch: async (url) => {
          if (url === URI)
            return new Response(
              await sign('statuslist+jwt', { sub: URI, status_list: { bits: 2, lst: LST } }),
            )
          const message = await sign('statusfeed+jwt', { since: 0, lists: {}, kids: ['k1'] })
          return new Response(openStream(`event: status\ndata: ${message}\n\n`), {
            headers: { 'content-type': 'text/event-stream' },
          })
        },
      }),
  }
}

/** A stream that says this and stays open. */
function openStream(text: string): ReadableStream<Uint8Array> {
  return new ReadableStream({ start: (stream) => stream.enqueue(new TextEncoder().encode(text)) })
}

function base64url(text: string): string {
  return btoa(text).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')
}
