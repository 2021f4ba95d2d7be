/** Starts the example resource server and prints where it is as one line of JSON. */
import { createServer } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { createFileService } from './app.ts'
import { readOptions } from './options.ts'

const options = readOptions(process.argv.slice(2), process.env)
if (options.jwksCa !== undefined) {
  setDefaultCACertificates([...getCACertificates('default'), options.jwksCa])
}
const service = createFileService(options)
const listener = service.app.callback()
const handle = (...[request, response]: Parameters<typeof listener>): void => {
  void listener(request, response)
}
// Any certificate will do: a token names the one it is bound to.
const anyCertificate = { requestCert: true, rejectUnauthorized: false }
const server =
  options.tls === undefined
    ? createServer(handle)
    : createTlsServer({ ...options.tls, ...anyCertificate }, handle)
server.listen(options.port, '127.0.0.1', () => {
  const scheme = options.tls === undefined ? 'http' : 'https'
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : options.port
  console.log(JSON.stringify({ url: `${scheme}://127.0.0.1:${port}`, audience: options.audience }))
})
process.once('SIGTERM', () => {
  server.close(() => void service.close().then(() => process.exit(0)))
})
