/**
 * An Express app that knows nothing of us: what RFC 9068 gives it, checked with jose. Beside it, the same app with the verifier:
 * what the chain, its binding and its revocation add.
 */
import { createVerifier } from '@actchain/verifier'
import { protect } from '@actchain/verifier/express'
import { statusLists } from '@actchain/verifier/status'
import express, { type RequestHandler } from 'express'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { target } from '../given.ts'
import { serve } from '../serve.ts'
import { ROLES } from '../target.ts'
import { BAD_TOKENS, type Trial, tokensFor, untilExpired } from './tokens.ts'

const { uri, port, read, write } = target.apis.express
const { issuer } = target
const keys = createRemoteJWKSet(new URL(`${issuer}/jwks`))
const verifier = createVerifier({
  issuer,
  audience: uri,
  revocation: statusLists(),
  bearer: 'allowed',
  clockTolerance: 0,
})

/** RFC 9068 §4, and a token that is bound to a key is for somebody else (RFC 7800 §3.1). */
const plain =
  (scope: string): RequestHandler =>
  async (request, response) => {
    const [, token = ''] = /^Bearer (\S+)$/.exec(request.headers.authorization ?? '') ?? []
    const options = { issuer, audience: uri, typ: 'at+jwt', requiredClaims: ['exp', 'client_id'] }
    const verified = await jwtVerify(token, keys, options).catch(() => undefined)
    const claims = verified?.payload
    if (claims === undefined || 'cnf' in claims) response.sendStatus(401)
    else if (!String(claims['scope']).split(' ').includes(scope)) response.sendStatus(403)
    else response.json({ for: claims.sub, by: (claims['act'] as { sub: string }).sub })
  }

let tokens: Trial
let stop: () => Promise<void>
beforeAll(async () => {
  const app = express()
  app.get('/api/plain/read', plain(read))
  app.get('/api/plain/write', plain(write))
  app.get('/api/verified/read', protect(verifier, { scope: read }), (_request, response) => {
    const { subject, actor, chain } = response.locals.verification
    response.json({ for: subject, by: actor.sub, through: chain.map(({ sub }) => sub) })
  })
  app.get('/api/verified/write', protect(verifier, { scope: write }))
  ;[stop, tokens] = await Promise.all([serve(target, port, app), tokensFor(target.apis.express)])
})
afterAll(async () => {
  verifier.close()
  await stop?.()
})

const call = (path: string, headers: Readonly<Record<string, string>>) =>
  fetch(`${uri}/${path}`, { headers })
const bearing = async (token: string, path: string) =>
  (await call(path, { authorization: `Bearer ${token}` })).status
const [planner, researcher, writer] = ROLES.map((role) => target.teams.signed[role].client_id)

describe.each(['plain', 'verified'])('%s', (app) => {
  test('takes a token of three hops and knows who calls for whom', async () => {
    const answer = await call(`${app}/read`, { authorization: `Bearer ${tokens.good.token}` })
    expect([answer.status, await answer.json()]).toEqual([
      200,
      {
        for: target.idp.subject,
        by: writer,
        ...(app === 'verified' ? { through: [writer, researcher, planner] } : {}),
      },
    ])
  })

  test.each(BAD_TOKENS)('refuses a token that is %s', async (name) => {
    expect(await bearing(tokens.bad[name], `${app}/read`)).toBe(401)
  })

  test('refuses what the scope does not name', async () => {
    expect(await bearing(tokens.good.token, `${app}/write`)).toBe(403)
  })

  test('refuses a token that is bound to a key, without its proof', async () => {
    expect(await bearing(tokens.bound.token, `${app}/read`)).toBe(401)
  })

  test('refuses an expired token', async () => {
    await untilExpired(tokens.brief)
    expect(await bearing(tokens.brief.token, `${app}/read`)).toBe(401)
  })
})

test('only the verifier takes a bound token with its proof', async () => {
  const { token, proof } = tokens.bound
  const sent = (path: string) =>
    call(path, { authorization: `DPoP ${token}`, dpop: proof('GET', `${uri}/${path}`) })
  expect((await sent('verified/read')).status).toBe(200)
  expect((await sent('plain/read')).status).toBe(401)
})

test('only the verifier sees a revocation before the token expires', async () => {
  const { token, revoke } = tokens.doomed
  expect(await bearing(token, 'verified/read')).toBe(200)
  await revoke()
  await expect.poll(() => bearing(token, 'verified/read'), { timeout: 5000 }).toBe(401)
  expect(await bearing(token, 'plain/read')).toBe(200)
})
