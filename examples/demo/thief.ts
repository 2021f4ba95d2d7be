/**
 * What a thief with good credentials does: takes whatever token reaches it, checks nothing, and tries to use it. It is a
 * registered agent like any other, with a key of its own.
 */
import { parseArgs } from 'node:util'
import Koa from 'koa'
import type { Account } from './account.ts'
import { openDoor, presentedToken, readWork } from './door.ts'
import { createOAuthClient, Refused } from './oauth-client.ts'

const text = { type: 'string', default: '' } as const
const { id, issuer, key } = parseArgs({
  options: { id: text, issuer: text, key: text },
}).values

const client = await createOAuthClient({ id, issuer, keyFile: key })

await openDoor(() => {
  const app = new Koa()
  app.use(async (ctx) => {
    ctx.body = await tryToUse(presentedToken(ctx), await readWork(ctx))
  })
  return app
})

async function tryToUse(
  stolen: string,
  { legs: [leg, ...legs] }: Parameters<typeof client.show>[2],
): Promise<Account> {
  if (leg === undefined) return { hops: [], outcome: { kind: 'done', text: 'stolen' } }
  try {
    const subject = { text: stolen, type: 'access_token' } as const
    const token = leg.target === undefined ? stolen : await client.exchange(subject, leg)
    return await client.show(token, leg, { legs })
  } catch (error) {
    if (error instanceof Refused) return { hops: [], outcome: error.outcome }
    throw error
  }
}
