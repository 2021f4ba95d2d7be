/**
 * A resource server in one process: one route, one scope, and the verifier. It never calls the authorization server but
 * for its keys and status lists.
 * `api.ts --id ledger-api --issuer … --audience https://ledger.acme.example/api --scope ledger:propose`
 */
import { parseArgs } from 'node:util'
import { createVerifier } from '@actchain/verifier'
import { protect } from '@actchain/verifier/koa'
import { statusLists } from '@actchain/verifier/status'
import Koa from 'koa'
import { type Account, hopOf } from './account.ts'
import { openDoor, received } from './door.ts'

const text = { type: 'string', default: '' } as const
const { id, issuer, audience, scope } = parseArgs({
  options: { id: text, issuer: text, audience: text, scope: text },
}).values

await openDoor((origin) => {
  const verifier = createVerifier({
    issuer,
    audience,
    revocation: statusLists(),
    publicUrl: origin,
    allowInsecureLoopback: true,
  })
  const app = new Koa()
  app.use(protect(verifier, { scope }))
  app.use((ctx) => {
    const { token, report } = received(ctx)
    // Access is for the subject and the outermost actor; the chain behind them is for the record (RFC 8693 §4.1).
    const done = `${report.actor.sub} did it for ${report.subject}`
    ctx.body = {
      hops: [hopOf(report, token, id)],
      outcome: { kind: 'done', text: done },
    } satisfies Account
  })
  return app
})
