/**
 * Apache with mod_auth_openidc as a resource server, set up as docs/interop.md says: with the issuer's keys in front of an API, and by
 * introspection in front of an agent's own endpoint.
 */
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { target } from '../given.ts'
import { ROLES } from '../target.ts'
import { documented, type Folder, isInstalled, newFolder, start } from './program.ts'
import { BAD_TOKENS, type Held, type Trial, tokensFor, untilExpired, walk } from './tokens.ts'

const MODULES = '/usr/lib/apache2/modules'
const MODULE = `${MODULES}/mod_auth_openidc.so`
const missing =
  isInstalled('apache2') && existsSync(MODULE)
    ? ''
    : ' (skipped: apache2 and libapache2-mod-auth-openidc are not installed)'

const { apache: api } = target.apis
const door = target.teams.basic.writer
const { issuer } = target

/** What the page says, for one of our places: what reads tokens by keys, what by introspection, and the place itself. */
function documentedFor({ path }: Folder, place: string, audience: string, scope: string) {
  const [whole = '', introspection = ''] = documented('apache', {
    '/api>': `${place}>`,
    'iss:https://as.example.com/t/acme': `iss:${issuer}`,
    'https://as.example.com/t/acme/': `${issuer}/`,
    'https://ledger.acme.example/api': audience,
    'ledger:read': scope,
    '/etc/ssl/certs/ca-certificates.crt': `${path}/ca.pem`,
    'ledger-writer': door.client_id,
    acs_secret: door.secret ?? '',
  })
  const at = whole.indexOf('<Location')
  const keys = whole.slice(0, at)
  const introspected = keys.replace(/^OIDCOAuthVerifyJwksUri.*\n/, introspection)
  return { keys, introspected, location: whole.slice(at) }
}

function configuration(folder: Folder): string {
  const { path } = folder
  const modules = ['mpm_event', 'authn_core', 'authz_core', 'authz_user', 'ssl', 'headers', 'env']
  const reading = documentedFor(folder, '/api', api.uri, api.read)
  const writing = documentedFor(folder, '/api/write', api.uri, api.write)
  const naive = documentedFor(folder, '/api/naive', api.uri, api.read)
  const own = documentedFor(folder, '/a2a', door.endpoint, api.read)
  const site = (port: number, lines: string): string => `Listen 127.0.0.1:${port}
<VirtualHost 127.0.0.1:${port}>
  SSLEngine on
  SSLCertificateFile ${path}/cert.pem
  SSLCertificateKeyFile ${path}/key.pem
  DocumentRoot ${path}/site
  OIDCCryptoPassphrase unused
  Header always set x-subject %{OIDC_CLAIM_sub}e
  Header always set x-chain %{OIDC_CLAIM_act}e
  Header always set x-caller expr=%{REMOTE_USER}
${lines}</VirtualHost>
`
  const sites = [
    reading.keys,
    reading.location,
    writing.location,
    naive.location.replaceAll(/.*Require not claim.*\n/g, ''),
  ]
  return `ServerRoot ${path}
ServerName 127.0.0.1
PidFile ${path}/apache.pid
Mutex file:${path} default
ErrorLog ${path}/error.log
# Where it is started by root.
User nobody
Group nogroup
StartServers 1
ThreadsPerChild 8
MaxRequestWorkers 8
${modules.map((name) => `LoadModule ${name}_module ${MODULES}/mod_${name}.so`).join('\n')}
LoadModule auth_openidc_module ${MODULE}
<Directory ${path}/site>
  Require all granted
</Directory>
${site(api.port, sites.join(''))}
${site(door.port, own.introspected + own.location)}`
}

describe.skipIf(missing !== '')(`Apache with mod_auth_openidc${missing}`, () => {
  let tokens: Trial
  let handed: Held
  let folder: Folder
  let stop: () => Promise<void>
  beforeAll(async () => {
    folder = newFolder('apache')
    for (const place of ['site/api', 'site/a2a'])
      mkdirSync(join(folder.path, place), { recursive: true })
    for (const file of ['api/read', 'api/write', 'api/naive', 'a2a/read'])
      folder.write(`site/${file}`, 'done')
    const file = folder.write('apache.conf', configuration(folder))
    const args = ['-f', file, '-D', 'FOREGROUND']
    const log = join(folder.path, 'error.log')
    stop = await start('apache2', args, { port: door.port, signal: 'SIGTERM', log })
    ;[tokens, handed] = await Promise.all([tokensFor(api), walk('basic', api, { hops: 2 })])
  })
  afterAll(async () => {
    await stop?.()
    folder.remove()
  })

  const call = (url: string, token: string, scheme = 'Bearer') =>
    fetch(url, { headers: { authorization: `${scheme} ${token}` } })
  const status = async (token: string, file = 'read') =>
    (await call(`${api.uri}/${file}`, token)).status
  const statusAtDoor = async (token: string) => (await call(`${door.endpoint}/read`, token)).status

  test('takes a token of three hops and tells the site who calls for whom', async () => {
    const { status: code, headers } = await call(`${api.uri}/read`, tokens.good.token)
    const [planner, researcher, writer] = ROLES.map((role) => target.teams.signed[role].client_id)
    expect([code, headers.get('x-subject'), headers.get('x-caller')]).toEqual([
      200,
      target.idp.subject,
      writer,
    ])
    expect(JSON.parse(headers.get('x-chain') ?? '')).toMatchObject({
      sub: writer,
      act: { sub: researcher, act: { sub: planner } },
    })
  })

  test.each(BAD_TOKENS)('refuses a token that is %s', async (name) => {
    expect(await status(tokens.bad[name])).toBe(name === 'for another audience' ? 403 : 401)
  })

  test('refuses what the scope does not name', async () => {
    expect(await status(tokens.good.token, 'write')).toBe(403)
  })

  test('knows no DPoP: refuses a bound token under either scheme', async () => {
    expect(await status(tokens.bound.token)).toBe(403)
    expect((await call(`${api.uri}/read`, tokens.bound.token, 'DPoP')).status).toBe(401)
  })

  test('without the lines about cnf takes a bound token for a bearer token', async () => {
    expect(await status(tokens.bound.token, 'naive')).toBe(200)
  })

  test('sees no revocation before the token expires', async () => {
    await tokens.doomed.revoke()
    expect(await status(tokens.doomed.token)).toBe(200)
  })

  test('refuses an expired token', async () => {
    await untilExpired(tokens.brief)
    expect(await status(tokens.brief.token)).toBe(401)
  })

  test('by introspection takes what the agent was handed until it is revoked', async () => {
    const { status: code, headers } = await call(`${door.endpoint}/read`, handed.token)
    expect([code, headers.get('x-caller')]).toEqual([200, target.teams.basic.researcher.client_id])
    await handed.revoke()
    expect(await statusAtDoor(handed.token)).toBe(401)
  })

  test.each(BAD_TOKENS)('by introspection refuses a token that is %s', async (name) => {
    expect(await statusAtDoor(tokens.bad[name])).toBe(401)
  })
})
