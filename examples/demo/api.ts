/**
 * A resource server in one process: one route, one scope, and the verifier. It calls the authorization server for its keys and
 * status lists, and to record what it did; never for a request.
 * `api.ts --id ledger-api --key … --issuer … --audience https://ledger.acme.example/api --scope ledger:propose`
 */
import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { createVerifier } from '@actchain/verifier'
import { protect } from '@actchain/verifier/koa'
import { withRecords } from '@actchain/verifier/records'
import { statusLists } from '@actchain/verifier/status'
import Koa from 'koa'
import { type Account, hopOf } from './account.ts'
import { openDoor, received } from './door.ts'

const text = { type: 'string', default: '' } as const
const { id, key, issuer, audience, scope } = parseArgs({
  options: { id: text, key: text, issuer: text, audience: text, scope: text },
}).values
const own = { clientId: id, key: JSON.parse(await readFile(key, 'utf8')) as JsonWebKey }

await openDoor((origin) => {
  const options = { issuer, audience, publicUrl: origin, allowInsecureLoopback: true }
  const verifier = withRecords(createVerifier({ ...options, revocation: statusLists() }), own)
  const app = new Koa()
  app.use(protect(verifier, { scope }))
  app.use(async (ctx) => {
    const { token, report } = received(ctx)
    // Access is for the subject and the outermost actor; the chain behind them is for the record (RFC 8693 §4.1).
    const done = `${report.actor.sub} did it for ${report.subject}`
    verifier.record({ of: report, tool: 'post', target: '/api', outcome: 'succeeded' })
    // The demo looks it up at once; an API that has other work would not wait for it.
    await verifier.flush()
    ctx.body = {
      hops: [hopOf(report, token, id)],
      outcome: { kind: 'done', text: done, txn: report.txn },
    } satisfies Account
  })
  return app
})
