/**
 * The API that foreign clients call at the end of a chain, as its owner writes it: Express and the verifier. A process of its own,
 * which is told by INTEROP_PROFILE, prints a line of JSON when it listens, and ends by SIGTERM.
 */
import { createVerifier } from '@actchain/verifier'
import { protect } from '@actchain/verifier/express'
import { statusLists } from '@actchain/verifier/status'
import express from 'express'
import { serve } from './serve.ts'
import { readTarget, trustTarget } from './target.ts'

const target = readTarget()
trustTarget()
const { uri: audience, port, read } = target.apis.ledger
const verifier = createVerifier({
  issuer: target.issuer,
  audience,
  revocation: statusLists(),
  // Most of the clients have no DPoP.
  bearer: 'allowed',
})
const app = express()
app.get('/api/entries', protect(verifier, { scope: read }), (_request, response) => {
  const { subject, actor, chain } = response.locals.verification
  response.json({ for: subject, by: actor.sub, through: chain.map(({ sub }) => sub) })
})
const stop = await serve(target, port, app)
process.stdout.write(`${JSON.stringify({ audience })}\n`)
process.once('SIGTERM', () => {
  verifier.close()
  void stop()
})
