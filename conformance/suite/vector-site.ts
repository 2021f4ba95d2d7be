/**
 * Serves the documents of the issuers the suite plays, for as long as the run lasts. Paths it was asked for can be read
 * at `/seen`: a resource server that follows a pointer in a token is found there.
 */
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import { signingKey } from './jwt.ts'
import { type Jwk, readProfile, type VectorProfile } from './profile.ts'

/** Vitest's global setup; returns what ends it. */
export async function setup(): Promise<() => Promise<void>> {
  const { vectors } = readProfile()
  if (vectors === undefined) return () => Promise.resolve()
  const documents = documentsOf(vectors)
  const seen: string[] = []
  const { cert, key, port } = vectors.site
  const server = createServer({ cert: readFileSync(cert), key: readFileSync(key) }, (req, res) => {
    const path = req.url ?? '/'
    const found = path === '/seen' ? seen : documents.get(path)
    if (path !== '/seen') seen.push(path)
    res.writeHead(found === undefined ? 404 : 200, { 'content-type': 'application/json' })
    res.end(JSON.stringify(found ?? {}))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  return () =>
    new Promise((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
}

function documentsOf({ issuer, jwk, rsa_jwk, other_issuer, other_jwk, misled }: VectorProfile) {
  const keys = rsa_jwk === undefined ? [jwk] : [jwk, rsa_jwk]
  return new Map<string, unknown>([
    ...documentsFor(issuer, keys, issuer),
    ...documentsFor(other_issuer, [other_jwk], other_issuer),
    // RFC 8414 §3.3: a document that names another issuer.
    ...documentsFor(misled.issuer, [jwk], `${misled.issuer}/`),
  ])
}

function documentsFor(
  issuer: string,
  jwks: readonly Jwk[],
  named: string,
): readonly [string, unknown][] {
  const { pathname } = new URL(issuer)
  const keys = jwks.map(signingKey).map(({ publicJwk, kid, alg }) => {
    return { ...publicJwk, kid, alg, use: 'sig' }
  })
  return [
    [
      `/.well-known/oauth-authorization-server${pathname}`,
      { issuer: named, jwks_uri: `${issuer}/jwks` },
    ],
    [`${pathname}/jwks`, { keys }],
  ]
}
