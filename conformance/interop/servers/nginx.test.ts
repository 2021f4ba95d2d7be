/** nginx with `auth_request`, set up as docs/interop.md says: a service of a few lines checks each token and its proof offline. */
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createVerifier } from '@actchain/verifier'
import { statusLists } from '@actchain/verifier/status'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { target } from '../given.ts'
import { documented, type Folder, isInstalled, newFolder, start } from './program.ts'
import { BAD_TOKENS, type Trial, tokensFor, untilExpired } from './tokens.ts'
import { verifierService } from './verifier-service.ts'

const missing = isInstalled('nginx') ? '' : ' (skipped: nginx is not installed)'
const { uri, port, read, write } = target.apis.nginx
const verifier = createVerifier({
  issuer: target.issuer,
  audience: uri,
  revocation: statusLists(),
  bearer: 'allowed',
  clockTolerance: 0,
})

const closing: (() => unknown)[] = [() => verifier.close()]

/** The origin it listens at. */
async function listen(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  closing.push(() => {
    server.close()
    server.closeAllConnections()
  })
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** The API behind the proxy: it is told who calls for whom, and has no token. */
const site: RequestListener = ({ headers }, response) => {
  const { 'x-subject': subject, 'x-actor': actor } = headers
  const told = [headers.authorization, headers['dpop']].filter((one) => one !== undefined)
  response.end(JSON.stringify({ for: subject, by: actor, told }))
}

async function configuration({ path }: Folder): Promise<string> {
  const service = verifierService(verifier, read)
  const writing = verifierService(verifier, write)
  const [place = ''] = documented('nginx', {
    'http://127.0.0.1:8081': await listen(site),
    'http://127.0.0.1:8082': await listen((request, response) =>
      (request.headers['x-original-uri'] === '/api/write' ? writing : service)(request, response),
    ),
  })
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  return `daemon off;
worker_processes 1;
pid ${path}/nginx.pid;
events { worker_connections 64; }
http {
  access_log off;
  ${temporary.map((name) => `${name}_temp_path ${path}/${name};`).join('\n  ')}
  server {
    listen 127.0.0.1:${port} ssl;
    ssl_certificate ${path}/cert.pem;
    ssl_certificate_key ${path}/key.pem;
${place}
  }
}
`
}

describe.skipIf(missing !== '')(`nginx with auth_request${missing}`, () => {
  let tokens: Trial
  let folder: Folder
  let stop: () => Promise<void>
  beforeAll(async () => {
    folder = newFolder('nginx')
    const file = folder.write('nginx.conf', await configuration(folder))
    const log = join(folder.path, 'error.log')
    const args = ['-p', folder.path, '-c', file, '-e', log]
    stop = await start('nginx', args, { port, signal: 'SIGQUIT', log })
    tokens = await tokensFor(target.apis.nginx)
  })
  afterAll(async () => {
    for (const close of closing) close()
    await stop?.()
    folder.remove()
  })

  type Fields = Readonly<Record<string, string>>
  const call = (headers: Fields, file = 'read', method = 'GET') =>
    fetch(`${uri}/${file}`, { method, headers })
  const status = async (token: string, file?: string) =>
    (await call({ authorization: `Bearer ${token}` }, file)).status

  test('lets a token of three hops through, and the API knows who calls for whom', async () => {
    const answer = await call({
      authorization: `Bearer ${tokens.good.token}`,
      'x-subject': 'mallory',
      'x-actor': 'mallory',
    })
    const { client_id: by } = target.teams.signed.writer
    expect([answer.status, await answer.json()]).toEqual([
      200,
      { for: target.idp.subject, by, told: [] },
    ])
  })

  test.each(BAD_TOKENS)('refuses a token that is %s', async (name) => {
    expect(await status(tokens.bad[name])).toBe(401)
  })

  test('hands on the challenge', async () => {
    for (const headers of [{}, { authorization: 'Bearer a b' }]) {
      const answer = await call(headers)
      expect(answer.status).toBe(401)
      expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer realm=/)
    }
  })

  test('refuses what the scope does not name', async () => {
    expect(await status(tokens.good.token, 'write')).toBe(403)
  })

  test('refuses a bound token without a proof, or with one of another method or URL', async () => {
    const { token, proof } = tokens.bound
    expect(await status(token)).toBe(401)
    const sent = async (dpop: string, method?: string) =>
      (await call({ authorization: `DPoP ${token}`, dpop }, 'read', method)).status
    const good = proof('GET', `${uri}/read`)
    expect(await sent(proof('POST', `${uri}/read`))).toBe(401)
    expect(await sent(proof('GET', `${uri}/write`))).toBe(401)
    expect(await sent(good)).toBe(200)
    expect(await sent(good)).toBe(401)
    expect(await sent(proof('POST', `${uri}/read`), 'POST')).toBe(200)
  })

  test('what a client says of the original request is nothing', async () => {
    const { token, proof } = tokens.bound
    const answer = await call({
      authorization: `DPoP ${token}`,
      dpop: proof('POST', `${uri}/other`),
      'x-original-method': 'POST',
      'x-original-uri': '/api/other',
    })
    expect(answer.status).toBe(401)
  })

  test('refuses a revoked token', async () => {
    const { token, revoke } = tokens.doomed
    expect(await status(token)).toBe(200)
    await revoke()
    await expect.poll(() => status(token), { timeout: 5000 }).toBe(401)
  })

  test('refuses an expired token', async () => {
    await untilExpired(tokens.brief)
    expect(await status(tokens.brief.token)).toBe(401)
  })
})
