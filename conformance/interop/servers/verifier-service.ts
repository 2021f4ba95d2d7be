/** What nginx asks before each request (`auth_request`): 204 with who calls for whom, or a refusal and its challenge. */
import type { Verifier } from '@actchain/verifier'
import { protect } from '@actchain/verifier/express'
import express, { type Express } from 'express'

export function verifierService(verifier: Verifier, scope: string): Express {
  const app = express()
  app.use((request, response, next) => {
    // The proof is for what the client asked of the proxy (RFC 9449 §4.3).
    request.method = request.get('x-original-method') ?? ''
    request.originalUrl = request.get('x-original-uri') ?? ''
    // nginx makes 500 of a 400.
    const status = response.status.bind(response)
    response.status = (code) => status(code === 400 ? 401 : code)
    next()
  })
  app.use(protect(verifier, { scope }), (_request, response) => {
    const { subject, actor } = response.locals.verification
    response.set({ 'x-subject': subject, 'x-actor': actor.sub }).sendStatus(204)
  })
  return app
}
