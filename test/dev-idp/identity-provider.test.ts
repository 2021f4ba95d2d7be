/** The development identity provider, end to end over a socket: a real OpenID provider for any client. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, statSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import * as client from 'openid-client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Failure } from '../../server/cli/failure.ts'
import { signIn } from '../../server/cli/sign-in.ts'
import { listen, type RunningIdentityProvider } from '../../server/dev-idp/listen.ts'
import { ensureDevelopmentKey } from '../../server/development-keys.ts'
import { PROCESS_ENV } from '../support/process-env.ts'

const MAIN = fileURLToPath(new URL('../../server/dev-idp/main.ts', import.meta.url))
const REDIRECT_URI = 'http://127.0.0.1:4711/callback'

let idp: RunningIdentityProvider

beforeAll(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'actchain-idp-'))
  const signingKey = await ensureDevelopmentKey(join(folder, 'signing.jwk'))
  idp = await listen({ port: 0, signingKey, clients: new Set(['planner', 'mailer']) })
})

afterAll(() => idp.close())

function keysOf(issuer: string) {
  return createRemoteJWKSet(new URL(`${issuer}/jwks`))
}

async function configured(clientId: string): Promise<client.Configuration> {
  const options = { execute: [client.allowInsecureRequests] }
  return client.discovery(new URL(idp.issuer), clientId, undefined, client.None(), options)
}

/** The browser's part: from the authorization URL to the redirect back, choosing `user` on the page. */
async function browse(
  start: URL,
  user: string,
  cookies: Map<string, string> = new Map(),
): Promise<URL> {
  let target = start
  let form: URLSearchParams | undefined
  for (let hops = 0; hops < 10; hops++) {
    if (target.pathname.startsWith('/interaction/')) form = new URLSearchParams({ user })
    const cookie = [...cookies].map((pair) => pair.join('=')).join('; ')
    const response = await fetch(target, {
      redirect: 'manual',
      headers: { cookie },
      ...(form && { method: 'POST', body: form }),
    })
    for (const set of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(set)!
      cookies.set(name!, value!)
    }
    const location = response.headers.get('location')
    form = undefined
    if (location === null) {
      ;({ target, form } = formOf(await response.text()))
      continue
    }
    target = new URL(location, target)
    if (target.href.startsWith(REDIRECT_URI)) return target
  }
  throw new Error('redirects without end')
}

/** A form that a page submits by itself. */
function formOf(html: string): { target: URL; form: URLSearchParams } {
  const action = /<form method="post" action="([^"]+)"/.exec(html)?.[1]
  if (action === undefined) throw new Error(html)
  const inputs = html.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)
  const form = new URLSearchParams([...inputs].map(([, name, value]) => [name!, value!]))
  return { target: new URL(action), form }
}

describe('an OpenID client we did not write', () => {
  test('signs a user in with code and PKCE, and verifies the ID token', async () => {
    const config = await configured('planner')
    const verifier = client.randomPKCECodeVerifier()
    const [state, nonce] = [client.randomState(), client.randomNonce()]
    const url = client.buildAuthorizationUrl(config, {
      redirect_uri: REDIRECT_URI,
      scope: 'openid',
      code_challenge: await client.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      state,
      nonce,
    })
    const tokens = await client.authorizationCodeGrant(config, await browse(url, 'alice'), {
      pkceCodeVerifier: verifier,
      expectedState: state,
      expectedNonce: nonce,
      idTokenExpected: true,
    })
    expect(tokens.claims()).toMatchObject({ iss: idp.issuer, sub: 'alice', aud: 'planner' })
  })

  test('can sign another user in from the same browser', async () => {
    const config = await configured('planner')
    const cookies = new Map<string, string>()
    const subjects: unknown[] = []
    for (const user of ['alice', 'alice', 'bob']) {
      const verifier = client.randomPKCECodeVerifier()
      const url = client.buildAuthorizationUrl(config, {
        redirect_uri: REDIRECT_URI,
        scope: 'openid',
        code_challenge: await client.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
      })
      const back = await browse(url, user, cookies)
      const tokens = await client.authorizationCodeGrant(config, back, {
        pkceCodeVerifier: verifier,
      })
      subjects.push(tokens.claims()?.sub)
    }
    expect(subjects).toEqual(['alice', 'alice', 'bob'])
  })

  test('is refused without PKCE', async () => {
    const url = client.buildAuthorizationUrl(await configured('planner'), {
      redirect_uri: REDIRECT_URI,
      scope: 'openid',
    })
    expect((await browse(url, 'alice')).searchParams.get('error')).toBe('invalid_request')
  })

  test.each([
    ['a client nobody listed', { client_id: 'stranger' }, 'invalid_client'],
    [
      'a redirect away from loopback',
      { redirect_uri: 'https://evil.example/callback' },
      'invalid_redirect_uri',
    ],
  ])('%s gets an error page, not a redirect', async (_, wrong, error) => {
    const parameters = {
      client_id: 'planner',
      redirect_uri: REDIRECT_URI,
      response_type: 'code',
      scope: 'openid',
      ...wrong,
    }
    const response = await fetch(`${idp.issuer}/authorize?${new URLSearchParams(parameters)}`, {
      redirect: 'manual',
    })
    expect(response.status).toBe(400)
    expect(await response.text()).toContain(error)
  })
})

describe('an ID token', () => {
  test.each(['alice', 'bob', 'carol', 'dave'])(
    'of %s says who signed in, for which client, when and how',
    async (user) => {
      const { id_token, expires_in } = await signIn({ idp: idp.issuer, user, client: 'mailer' })
      expect(expires_in).toBe(600)
      const options = { issuer: idp.issuer, audience: 'mailer', algorithms: ['ES256'] }
      const { payload, protectedHeader } = await jwtVerify(id_token, keysOf(idp.issuer), options)
      expect(payload).toMatchObject({
        sub: user,
        aud: 'mailer',
        acr: 'dev',
      })
      expect(payload.exp! - payload.iat!).toBe(600)
      expect(payload['auth_time']).toBeTypeOf('number')
      expect(protectedHeader).toMatchObject({ alg: 'ES256', kid: expect.any(String) })
    },
  )

  test('is not had by a user or a client that is not known', async () => {
    const wrongUser = signIn({ idp: idp.issuer, user: 'mallory', client: 'planner' })
    await expect(wrongUser).rejects.toThrow(
      'There is no such user; choose one of alice, bob, carol, dave.',
    )
    await expect(wrongUser).rejects.toBeInstanceOf(Failure)
    await expect(signIn({ idp: idp.issuer, user: 'alice', client: 'stranger' })).rejects.toThrow(
      'invalid_client',
    )
  })
})

describe('the sign-in page', () => {
  test('offers each user, runs no script and is not framed', async () => {
    const parameters = {
      client_id: 'planner',
      redirect_uri: REDIRECT_URI,
      response_type: 'code',
      scope: 'openid',
      code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
      code_challenge_method: 'S256',
    }
    const start = await fetch(`${idp.issuer}/authorize?${new URLSearchParams(parameters)}`, {
      redirect: 'manual',
    })
    const cookie = start.headers
      .getSetCookie()
      .map((set) => set.split(';')[0])
      .join('; ')
    const address = `${idp.issuer}${start.headers.get('location')}`
    const page = await fetch(address, { headers: { cookie } })
    const html = await page.text()
    for (const user of ['alice', 'bob', 'carol', 'dave']) expect(html).toContain(`value="${user}"`)
    expect(html).not.toContain('<script')
    expect(page.headers.get('content-security-policy')).toBe(
      "default-src 'none'; frame-ancestors 'none'",
    )
    const withoutCookie = await fetch(address, {
      method: 'POST',
      body: new URLSearchParams({ user: 'alice' }),
    })
    expect(withoutCookie.status).toBe(400)
    expect(await withoutCookie.text()).toContain('This sign-in has ended')
  })
})

describe('the listener', () => {
  test('answers under its own host name only, so that no rebound name reaches it', async () => {
    const status = await new Promise((resolve, reject) => {
      const options = { headers: { host: 'evil.example' } }
      request(`${idp.issuer}/jwks`, options, ({ statusCode }) => resolve(statusCode))
        .on('error', reject)
        .end()
    })
    expect(status).toBe(421)
  })

  test('shows no private part of its key', async () => {
    const { keys } = await (await fetch(`${idp.issuer}/jwks`)).json()
    expect(keys.map((key: object) => Object.keys(key).sort())).toEqual([
      ['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'],
    ])
  })
})

interface Process {
  readonly stdout: string
  readonly stderr: string
  readonly code: number | null
}

/** Runs the process; `onIssuer` is called when it listens. */
function runMain(
  args: string[],
  env: Record<string, string>,
  onIssuer?: (issuer: string, stop: () => void) => Promise<void>,
) {
  const child = spawn(process.execPath, ['--conditions=actchain:source', MAIN, ...args], {
    env: { ...PROCESS_ENV, ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  let stdout = ''
  let stderr = ''
  child.stdout!.on('data', (chunk) => (stdout += chunk))
  child.stderr!.on('data', (chunk) => (stderr += chunk))
  // Not `close`: it does not come after a disconnect.
  const ends = [once(child, 'exit'), once(child.stdout!, 'end'), once(child.stderr!, 'end')]
  return new Promise<Process>((resolve, reject) => {
    Promise.all(ends).then((events) => resolve({ code: events[0]![0], stdout, stderr }), reject)
    child.once('message', ({ issuer }: { issuer: string }) => {
      onIssuer?.(issuer, () => child.disconnect()).catch((error) => {
        child.kill()
        reject(error)
      })
    })
  })
}

async function freePort(): Promise<string> {
  const running = await listen({
    port: 0,
    signingKey: await ensureDevelopmentKey(join(mkdtempSync(join(tmpdir(), 'k-')), 'k.jwk')),
  })
  await running.close()
  return new URL(running.issuer).port
}

describe('its process', () => {
  test('makes its key, serves a whole sign-in without a word on stdout or stderr, and ends with its parent', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'actchain-idp-'))
    const args = ['--port', await freePort(), '--data', folder]
    const ended = await runMain(args, { ACTCHAIN_MODE: 'development' }, async (issuer, stop) => {
      const { id_token } = await signIn({ idp: issuer, user: 'bob', client: 'any-agent' })
      await jwtVerify(id_token, keysOf(issuer), { issuer, audience: 'any-agent' })
      stop()
    })
    expect(ended).toEqual({ code: 0, stdout: '', stderr: '' })
    expect(statSync(join(folder, 'dev-idp', 'signing.jwk')).mode & 0o777).toBe(0o600)
    expect(statSync(join(folder, 'dev-idp')).mode & 0o777).toBe(0o700)
  })

  test('K06 is refused in production, in one sentence', async () => {
    expect(
      await runMain(['--port', '1', '--data', '/nowhere'], { ACTCHAIN_MODE: 'production' }),
    ).toEqual({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/^ACTCHAIN_[^\n]*production[^\n]*\n$/),
    })
  })

  test('says which port is taken', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'actchain-idp-'))
    const { code, stderr } = await runMain(
      ['--port', new URL(idp.issuer).port, '--data', folder],
      {},
    )
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: 'The port is taken; free it or choose another with --port.\n',
    })
  })

  test('is misused with an unknown option', async () => {
    expect(await runMain(['--prot', '1'], {})).toMatchObject({ code: 2, stdout: '' })
  })
})
