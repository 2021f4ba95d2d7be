/**
 * One agent, one process. It receives work and a token, verifies the token as the resource server it is, exchanges it for
 * a narrower one and hands both on.
 * `agent.ts --id researcher --issuer … --audience https://researcher.acme.example/a2a --key researcher.jwk`
 */
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { createVerifier } from '@actchain/verifier'
import { protect } from '@actchain/verifier/koa'
import { statusLists } from '@actchain/verifier/status'
import Koa from 'koa'
import { type Account, hopOf, type Leg, type Request, type Work } from './account.ts'
import { openDoor, readWork, received } from './door.ts'
import { createOAuthClient, Refused, type SubjectToken } from './oauth-client.ts'

const text = { type: 'string', default: '' } as const
const { id, issuer, audience, key } = parseArgs({
  options: { id: text, issuer: text, audience: text, key: text },
}).values

const LONGEST_WORK_MS = 20_000
const BETWEEN_SHOWS_MS = 50

const client = await createOAuthClient({ id, issuer, keyFile: key })

await openDoor((origin) => {
  const verifier = createVerifier({
    issuer,
    audience,
    revocation: statusLists(),
    publicUrl: origin,
    allowInsecureLoopback: true,
  })
  const app = new Koa()
  app.use(async (ctx, next) => {
    if (ctx.path !== '/ask') return next()
    // The user's own door. Whether the ID token is good is for the authorization server to say.
    const { id_token, legs } = await readWork<Request>(ctx)
    ctx.body = await carryOut({ legs }, { text: id_token, type: 'id_token' }, 0)
  })
  // Another agent's token: being addressed is what counts here, and holding its key.
  app.use(protect(verifier, { handover: true, delegated: true }))
  app.use(async (ctx) => {
    const { token, report } = received(ctx)
    const hop = hopOf(report, token, id)
    const work = await readWork(ctx)
    const subject = { text: token, type: 'access_token' } as const
    const { hops, outcome } = await carryOut(work, subject, report.expiresAt)
    ctx.body = { hops: [hop, ...hops], outcome } satisfies Account
  })
  return app
})

/** `expiresAt` is the end of the token received, in seconds since the epoch. */
async function carryOut(work: Work, held: SubjectToken, expiresAt: number): Promise<Account> {
  const [leg, ...legs] = work.legs
  if (leg === undefined) return { hops: [], outcome: { kind: 'done', text: 'received' } }
  if (leg.wait === 'expiry') await until(expiresAt)
  try {
    const token = leg.target === undefined ? held.text : await client.exchange(held, leg)
    if (leg.wait === 'refusal') await showUntilRefused(token, leg)
    return await client.show(token, leg, { legs })
  } catch (error) {
    if (error instanceof Refused) return { hops: [], outcome: error.outcome }
    throw error
  }
}

/** Works on and on. Throws `Refused`; whoever is never refused stops in the end, and that is not as told. */
async function showUntilRefused(token: string, leg: Leg): Promise<void> {
  for (let left = LONGEST_WORK_MS; left > 0; left -= BETWEEN_SHOWS_MS) {
    await client.show(token, leg, { legs: [] })
    await delay(BETWEEN_SHOWS_MS)
  }
}

/** A timer may fire early by a moment; the clock decides. */
async function until(epochSeconds: number): Promise<void> {
  for (;;) {
    const left = epochSeconds * 1000 - Date.now()
    if (left <= 0) return
    await delay(left)
  }
}
