/** `actchain dev`: a user's token and a whole exchange, made as an agent would make them. */
import { mkdirSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRemoteJWKSet, EmbeddedJWK, importJWK, jwtVerify } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { listen, type RunningIdentityProvider } from '../../server/dev-idp/listen.ts'
import {
  type DevelopmentKey,
  developmentKeyFile,
  ensureDevelopmentKey,
  publicJwk,
} from '../../server/development-keys.ts'
import { argumentsOf } from './pasted-line.ts'
import { runCli } from './run-cli.ts'

let idp: RunningIdentityProvider
let data: string
let key: DevelopmentKey

beforeAll(async () => {
  data = mkdtempSync(join(tmpdir(), 'actchain-dev-'))
  key = await ensureDevelopmentKey(developmentKeyFile(data, 'acme', 'planner'))
  idp = await listen({ port: 0, signingKey: await ensureDevelopmentKey(join(data, 'idp.jwk')) })
})

afterAll(() => idp.close())

function userToken(...args: readonly string[]) {
  return runCli(['dev', 'user-token', ...args, '--idp', idp.issuer])
}

function curl(...args: readonly string[]) {
  return runCli(['dev', 'curl', '--data', data, '--idp', idp.issuer, ...args])
}

describe('dev user-token', () => {
  test('prints one ID token, which the provider signed for that agent', async () => {
    const { code, stdout, stderr } = await userToken('alice', '--for', 'planner')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const keys = createRemoteJWKSet(new URL(`${idp.issuer}/jwks`))
    const { payload } = await jwtVerify(stdout.trim(), keys, {
      issuer: idp.issuer,
      audience: 'planner',
    })
    expect(payload.sub).toBe('alice')
  })

  test('prints token and lifetime with --json', async () => {
    const { stdout } = await userToken('bob', '--for', 'mailer', '--json')
    expect(JSON.parse(stdout)).toEqual({ id_token: expect.stringMatching(/^eyJ/), expires_in: 600 })
  })

  test('says what to do about an unknown user', async () => {
    expect(await userToken('mallory', '--for', 'planner')).toEqual({
      code: 1,
      stdout: '',
      stderr:
        'The identity provider refused: There is no such user; choose one of alice, bob, carol, dave.\n',
    })
  })

  test('says what to do when no provider answers', async () => {
    const { code, stderr } = await runCli([
      'dev',
      'user-token',
      'alice',
      '--for',
      'planner',
      '--idp',
      'http://127.0.0.1:1',
    ])
    expect(code).toBe(1)
    expect(stderr).toBe(
      'No identity provider answers at http://127.0.0.1:1; start one with npm start, or name another with --idp.\n',
    )
  })

  test('is misused with a provider that is no address', async () => {
    expect(
      await runCli(['dev', 'user-token', 'alice', '--for', 'planner', '--idp', 'nowhere']),
    ).toMatchObject({ code: 2, stdout: '' })
  })

  test('K06 is refused in production', async () => {
    const args = ['dev', 'user-token', 'alice', '--for', 'planner', '--idp', idp.issuer]
    expect(await runCli(args, { env: { ACTCHAIN_MODE: 'production' } })).toEqual({
      code: 1,
      stdout: '',
      stderr: 'ACTCHAIN_MODE is production; this command works in development only.\n',
    })
  })
})

describe('dev curl', () => {
  test('prints one root exchange: a user token, the agent proven, its key bound', async () => {
    const { code, stdout, stderr } = await curl('--scope', 'docs:read crm:read')
    expect({ code, stderr, lines: stdout.split('\n').length }).toEqual({
      code: 0,
      stderr: '',
      lines: 2,
    })
    const { url, dpop, form } = await argumentsOf(stdout)
    const issuer = 'http://127.0.0.1:8460/t/acme'
    expect(url).toBe(`${issuer}/token`)
    expect(Object.fromEntries(form)).toEqual({
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token: expect.stringMatching(/^eyJ/),
      subject_token_type: 'urn:ietf:params:oauth:token-type:id_token',
      audience: 'researcher-a2a',
      scope: 'docs:read crm:read',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: expect.stringMatching(/^eyJ/),
    })

    const options = {
      issuer: 'planner',
      subject: 'planner',
      audience: issuer,
      typ: 'client-authentication+jwt',
    }
    const agentKey = await importJWK(publicJwk(key), 'ES256')
    const assertion = await jwtVerify(form.get('client_assertion')!, agentKey, options)
    expect(assertion.payload.exp! - assertion.payload.iat!).toBe(60)
    expect(assertion.payload.jti).toBeTypeOf('string')

    const proof = await jwtVerify(dpop, EmbeddedJWK, { typ: 'dpop+jwt' })
    expect(proof.payload).toMatchObject({
      htm: 'POST',
      htu: url,
      jti: expect.any(String),
      iat: expect.any(Number),
    })
    expect(proof.protectedHeader.jwk).toEqual({ kty: 'EC', crv: 'P-256', x: key.x, y: key.y })
  })

  test('is new each time, so that each line works once', async () => {
    const lines = await Promise.all([curl(), curl()])
    const [first, second] = await Promise.all(lines.map(({ stdout }) => argumentsOf(stdout)))
    expect(first!.dpop).not.toBe(second!.dpop)
    expect(first!.form.get('client_assertion')).not.toBe(second!.form.get('client_assertion'))
    expect(first!.form.has('scope')).toBe(false)
  })

  test('is safe to paste whatever was asked for', async () => {
    const target = `x'; touch pasted; echo '$(touch pasted)`
    const { stdout } = await curl('--target', target)
    expect((await argumentsOf(stdout)).form.get('audience')).toBe(target)
  })

  test('with --json names the issuer and how long the line is good', async () => {
    const { stdout } = await curl('--json', '--public-url', 'http://127.0.0.1:9460')
    const issuer = 'http://127.0.0.1:9460/t/acme'
    expect(JSON.parse(stdout)).toEqual({
      curl: expect.stringContaining(`'${issuer}/token'`),
      expires_in: 60,
      issuer,
    })
  })

  test.each([
    [
      'an agent without a key',
      ['--as', 'stranger'],
      1,
      'There is no development key of agent stranger in tenant acme; ',
    ],
    [
      'an id that is a path',
      ['--as', '../planner'],
      2,
      'An agent or tenant id is lower-case letters, digits and dashes.',
    ],
    ['a folder without keys', ['--data', '/nowhere'], 1, 'There are no development keys yet; '],
    [
      'a wrong address',
      ['--public-url', 'http://a.example/x'],
      2,
      '--public-url must be an origin alone; ',
    ],
  ])('%s is told in a sentence', async (_, args, code, sentence) => {
    const ran = await curl(...args)
    expect(ran).toMatchObject({ code, stdout: '' })
    expect(ran.stderr.startsWith(sentence)).toBe(true)
  })

  test('several tenants have to be told apart', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'actchain-dev-'))
    for (const tenant of ['acme', 'globex'])
      mkdirSync(join(folder, 'dev-agents', tenant), { recursive: true })
    const { code, stderr } = await curl('--data', folder)
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringMatching(/choose one with --tenant: .*globex/),
    })
  })
})
