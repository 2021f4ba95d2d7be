/**
 * Runs what tells senders apart beside the vectors, nonces and certificates of proxies, in whatever runtime this is: no node: import,
 * nothing but the verifier.
 */
import { forwardedCertificate, tlsCertificate } from '../lib/src/certificate.ts'
import { proofNonces } from '../lib/src/nonces.ts'
import type { VectorResults } from './run-vectors.ts'

const deps = (now: number) => ({ audience: 'https://api.example/', now: () => now })
const nonces = proofNonces({ secret: 'a secret of this run, and long enough' })
/** By another HMAC: runtimes that share a secret have to agree. */
const NONCE = 'lewHh459iD8HVn9hJRWG17KXa6FsNp7VjAsF3WOg3ow'

const CHECKS: Readonly<Record<string, () => Promise<boolean>>> = {
  'a nonce is the same in every runtime': async () => {
    const { holds, next } = await nonces(deps(60)).check(undefined)
    return !holds && next === NONCE
  },
  'a nonce holds, and is replaced in time': async () => {
    const fresh = await nonces(deps(60)).check(NONCE)
    const ending = await nonces(deps(300)).check(NONCE)
    const ended = await nonces(deps(360)).check(NONCE)
    return fresh.holds && fresh.next === undefined && ending.next !== undefined && !ended.holds
  },
  'a Client-Cert header has the thumbprint of its bytes': async () => {
    const headers = { 'client-cert': ':AAEC/v8=:' }
    const request = new Request('https://api.example/', { headers })
    const thumbprint = await forwardedCertificate(() => true)(request)
    return thumbprint === 'EDWXxau2ET2llsGOnR2mk2Tq_gCiv6qLEuU8RL1rBCk'
  },
  'a request without TLS of node has no certificate': async () =>
    (await tlsCertificate(new Request('https://api.example/'))) === undefined,
}

export async function runSenders(): Promise<VectorResults> {
  const outcomes = await Promise.all(
    Object.entries(CHECKS).map(async ([name, check]) => ((await check()) ? undefined : name)),
  )
  const failed = outcomes.filter((name) => name !== undefined)
  return { passed: outcomes.length - failed.length, failed }
}
