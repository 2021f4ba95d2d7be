/** An Express app on a port of the target, over TLS with the certificate of this run. */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { RequestListener } from 'node:http'
import { createServer } from 'node:https'
import type { InteropTarget } from './target.ts'

/** Resolves when it listens, with what ends it. */
export async function serve(
  { tls }: InteropTarget,
  port: number,
  app: RequestListener,
): Promise<() => Promise<void>> {
  const files = { cert: readFileSync(tls.cert), key: readFileSync(tls.key) }
  const server = createServer(files, app).listen(port, '127.0.0.1')
  await once(server, 'listening')
  return () =>
    new Promise((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
}
