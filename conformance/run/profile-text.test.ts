/** A profile is YAML; what is wrong with it is told with its place and never with its value. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { ProfileFault, parseProfile } from './profile-text.ts'

const folder = mkdtempSync(join(tmpdir(), 'conformance-profile-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const file = join(folder, 'p.yaml')

const parse = (text: string, env: Readonly<Record<string, string>> = {}) =>
  parseProfile(file, text, env)

/** The lines told, without the folder. */
function faultsOf(text: string): readonly string[] {
  try {
    parse(text)
  } catch (fault) {
    if (fault instanceof ProfileFault) {
      return fault.message.split('\n').map((line) => line.replace(`${folder}/`, ''))
    }
    throw fault
  }
  return []
}

describe('a profile', () => {
  test('takes secrets from the environment and from files, and paths from its folder', () => {
    writeFileSync(join(folder, 'secret'), 'from a file\n')
    writeFileSync(join(folder, 'key.json'), '{"kty":"EC","d":"x"}')
    const profile = parse(
      `issuer: https://as.example
ca: tls/ca.pem
agents:
  first: { client_id: a, client_secret: { file: secret } }
  second: { client_id: "\${NAME}-b", jwk: { file: key.json }, auth: private_key_jwt }
subject: { type: access_token, command: get-token }
`,
      { NAME: 'worker' },
    )
    expect(profile).toEqual({
      issuer: 'https://as.example',
      ca: join(folder, 'tls/ca.pem'),
      agents: {
        first: { client_id: 'a', client_secret: 'from a file' },
        second: { client_id: 'worker-b', jwk: { kty: 'EC', d: 'x' }, auth: 'private_key_jwt' },
      },
      subject: { type: 'access_token', command: 'get-token' },
    })
  })

  test.each([
    ['is no YAML', 'issuer: [', 'p.yaml:1:10: is not YAML'],
    ['is no mapping', '- 1', 'p.yaml:1:1: expected object'],
    ['has no issuer', 'api: {}', 'p.yaml:1:1: "issuer" is missing'],
    [
      'has a name of its own',
      'issuer: https://a.example\nisuer: x',
      'p.yaml:2:1: "isuer" is no member here, did you mean "issuer"?; expected one of issuer, level',
    ],
    [
      'has one of another place',
      'issuer: https://a.example\nagents:\n  secnd: { client_id: a }',
      'p.yaml:3:3: "secnd" is no member here, did you mean "second"?',
    ],
    ['has no URL', 'issuer: as.example', 'p.yaml:1:9: expected an http or https URL'],
    [
      'has another way',
      'issuer: https://a.example\nrsa: { client_id: a, auth: mtls }',
      'p.yaml:2:28: expected one of private_key_jwt, client_secret_basic, client_secret_post',
    ],
    [
      'has a key that is none',
      'issuer: https://a.example\nrsa: { client_id: a, jwk: { n: x } }',
      'p.yaml:2:27: expected a private key as JWK, or the file that has it',
    ],
    [
      'has two subject tokens',
      'issuer: https://a.example\nsubject: { type: x, token: a, file: b }',
      'p.yaml:2:10: expected type and one of token, file, command, idp',
    ],
    [
      'has a feature nobody knows',
      'issuer: https://a.example\nfeatures: { dpopp: true }',
      'p.yaml:2:13: "dpopp" is no feature, did you mean "dpop"?',
    ],
    [
      'has a variable that is not set',
      'issuer: https://a.example\nrsa: { client_id: "${WHO}" }',
      'p.yaml:2:19: WHO is not in the environment',
    ],
    [
      'has a file that is not there',
      'issuer: https://a.example\nrsa: { client_id: a, client_secret: { file: none } }',
      'p.yaml:2:45: there is no such file',
    ],
  ])('that %s is refused', (_, text, told) => {
    expect(faultsOf(text)).toContainEqual(expect.stringContaining(told))
  })

  test('a fault does not repeat what may be a secret', () => {
    const told = faultsOf('issuer: https://a.example\nrsa: { client_id: a, client_secret: [hush] }')
    expect(told).toEqual([expect.stringContaining('expected string or object')])
    expect(told.join()).not.toContain('hush')
  })
})
