/**
 * An issuer the suite plays itself: tokens of the delegation profile signed by its key, for resource servers that trust
 * it, and the documents they read. A token is right until a test changes it.
 */
import { randomUUID } from 'node:crypto'
import { profile } from './given.ts'
import { type Claims, epoch, newJwk, type SigningKey, signingKey, signJwt } from './jwt.ts'
import type { VectorProfile } from './profile.ts'

/** Whether there is a resource server that trusts the issuer the suite plays. */
export const hasVectors = profile.vectors !== undefined

/** Stands in where there is none, so that tests that are left out can be read. */
const ABSENT: VectorProfile = {
  site: { port: 1, cert: '', key: '' },
  issuer: 'https://absent.invalid/good',
  jwk: newJwk('k1'),
  other_issuer: 'https://absent.invalid/other',
  other_jwk: newJwk('k1'),
  server: { uri: 'https://absent.invalid/api', scope: 'x', actor: 'x' },
  misled: { uri: 'https://absent.invalid/misled', issuer: 'https://absent.invalid/misled' },
  client_certificates: [],
}

export function vectorProfile(): VectorProfile {
  return profile.vectors ?? ABSENT
}

export function vectorKey(): SigningKey {
  return signingKey(vectorProfile().jwk)
}

/** Claims of an unbound token: a user, an opener and the actor that may call. */
export function vectorClaims(changes: Claims = {}): Claims {
  const { issuer: iss, server } = vectorProfile()
  const now = epoch()
  const rootIat = now - 100
  const jti = randomUUID()
  const idx = 7
  const actor = (sub: string, act?: Claims) => ({
    sub,
    iss,
    sub_profile: 'ai_agent',
    ...(act === undefined ? {} : { act }),
  })
  const reach = [server.uri, `${iss}/agents/opener`]
  const hop = { scope: 1, reach: 1, aud: 0, iat: 90, exp: 400 }
  return {
    iss,
    sub: 'alice',
    sub_profile: 'user',
    aud: server.uri,
    client_id: server.actor,
    scope: server.scope,
    iat: rootIat + 90,
    exp: rootIat + 400,
    jti,
    txn: randomUUID(),
    status: { status_list: { idx, uri: `${iss}/status/g1-1` } },
    act: actor(server.actor, actor('opener')),
    act_bounds: {
      v: 1,
      root: {
        jti: randomUUID(),
        idx: 5,
        iat: rootIat,
        exp: rootIat + 600,
        max_depth: 4,
        basis: 'policy',
        scope: [server.scope],
        reach,
      },
      hops: [
        { jti, idx, ...hop },
        { jti: randomUUID(), idx: 6, scope: 1, reach: 3, aud: 1, iat: 0, exp: 500 },
      ],
    },
    ...changes,
  }
}

/** The token of these claims under a right header, with `header` changed. */
export function vector(claims: Claims = {}, header: Claims = {}, key = vectorKey()): string {
  return signJwt(
    key,
    { alg: key.alg, typ: 'at+jwt', kid: key.kid, ...header },
    vectorClaims(claims),
  )
}

/** The payload of a right token with one member written as it stands. */
export function rawClaims(member: string): string {
  const [name] = member.split(':')
  const rest = Object.entries(vectorClaims()).filter(([other]) => `"${other}"` !== name)
  const text = `{${member},${JSON.stringify(Object.fromEntries(rest)).slice(1)}`
  const key = vectorKey()
  return signJwt(key, { alg: key.alg, typ: 'at+jwt', kid: key.kid }, text)
}

/** The claims with new times, in the token and in the hop it is; seconds from now. */
export function timed({ iat = -10, exp = 300 }: { iat?: number; exp?: number }): Claims {
  const claims = vectorClaims()
  const now = epoch()
  const bounds = claims['act_bounds'] as { root: Claims; hops: [Claims, Claims] }
  const rootIat = now - 1000
  const root = { ...bounds.root, iat: rootIat, exp: rootIat + 3000 }
  const [newest, oldest] = bounds.hops
  return {
    ...claims,
    iat: now + iat,
    exp: now + exp,
    act_bounds: {
      ...bounds,
      root,
      hops: [
        { ...newest, iat: 1000 + iat, exp: 1000 + exp },
        { ...oldest, exp: 3000 },
      ],
    },
  }
}
