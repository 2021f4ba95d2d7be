/** The settings' table: what is read, from where, and what is refused by name (attack case K06). */
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { inspect } from 'node:util'
import 'reflect-metadata'
import { BasicConstraintsExtension, X509CertificateGenerator } from '@peculiar/x509'
import { describe, expect, test } from 'vitest'
import {
  type Config,
  describeProblems,
  type Flags,
  isProblems,
  readConfig,
} from '../server/config.ts'

const SECRET = 'a-key-secret-of-more-than-32-characters'
const PRODUCTION = {
  ACTCHAIN_PUBLIC_URL: 'https://as.example.com',
  ACTCHAIN_KEY_SECRET: SECRET,
}

type Environment = Record<string, string | undefined>

function accepted(env: Environment, flags: Flags = {}): Config {
  const outcome = readConfig(env, flags)
  if (isProblems(outcome)) throw new Error(describeProblems(outcome))
  return outcome
}

function refused(env: Environment, flags: Flags = {}): string {
  const outcome = readConfig(env, flags)
  if (!isProblems(outcome)) throw new Error('accepted')
  return describeProblems(outcome)
}

function fileWith(text: string): string {
  const path = join(mkdtempSync(join(tmpdir(), 'actchain-config-')), 'value')
  writeFileSync(path, text)
  return path
}

function pem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString()
}

async function certificateOf(rsaBits: number): Promise<{ cert: string; key: string }> {
  const name = 'RSASSA-PKCS1-v1_5'
  const algorithm = {
    name,
    hash: 'SHA-256',
    modulusLength: rsaBits,
    publicExponent: new Uint8Array([1, 0, 1]),
  }
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const certificate = await X509CertificateGenerator.createSelfSigned({
    keys,
    name: 'CN=as.example.com',
  })
  const key = Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey)).toString(
    'base64',
  )
  return {
    cert: certificate.toString('pem'),
    key: `-----BEGIN PRIVATE KEY-----\n${key}\n-----END PRIVATE KEY-----\n`,
  }
}

async function authorityPem(): Promise<string> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const certificate = await X509CertificateGenerator.createSelfSigned({
    keys,
    name: 'CN=Proxies',
    signingAlgorithm: algorithm,
    extensions: [new BasicConstraintsExtension(true, 0, true)],
  })
  return certificate.toString('pem')
}

describe('where a setting comes from', () => {
  test('development needs nothing but its name', () => {
    expect(accepted({ ACTCHAIN_MODE: 'development' })).toEqual({
      mode: 'development',
      host: '127.0.0.1',
      port: 8460,
      publicUrl: 'http://127.0.0.1:8460',
      managementPort: 8461,
      dataFolder: resolve('.actchain'),
      tenantsFolder: resolve('tenants'),
      store: 'embedded',
      proxies: [],
      trustFolder: resolve('.actchain/trust'),
      internalOrigins: [],
      logLevel: 'info',
      loopbackOrigins: ['http://127.0.0.1:8460', 'http://127.0.0.1:8462'],
      devIdp: 'http://127.0.0.1:8462',
    })
  })

  test('production is the default mode and allows no plain-http origin', () => {
    const config = accepted(PRODUCTION)
    expect(config).toMatchObject({
      mode: 'production',
      publicUrl: 'https://as.example.com',
      loopbackOrigins: [],
    })
    expect(config.devIdp).toBeUndefined()
    expect(config.keySecret?.reveal()).toBe(SECRET)
  })

  test('a flag overrides the environment, the environment the default', () => {
    const env = { ACTCHAIN_MODE: 'development', ACTCHAIN_PORT: '9000', ACTCHAIN_HOST: '::1' }
    expect(accepted(env, { port: '9001' })).toMatchObject({
      port: 9001,
      host: '::1',
      publicUrl: 'http://127.0.0.1:9001',
    })
  })

  test('every variable can be given by a file, without its last line end', () => {
    const env = {
      ...PRODUCTION,
      ACTCHAIN_KEY_SECRET: undefined,
      ACTCHAIN_KEY_SECRET_FILE: fileWith(`${SECRET}\n`),
    }
    expect(accepted(env).keySecret?.reveal()).toBe(SECRET)
    expect(accepted({ ...PRODUCTION, ACTCHAIN_PORT_FILE: fileWith('9100') }).port).toBe(9100)
  })

  test('an empty variable is absent', () => {
    expect(
      accepted({ ACTCHAIN_MODE: 'development', ACTCHAIN_PORT: '', ACTCHAIN_KEY_SECRET: '' }),
    ).toMatchObject({ port: 8460 })
    expect(refused({ ...PRODUCTION, ACTCHAIN_KEY_SECRET: '' })).toContain(
      'ACTCHAIN_KEY_SECRET is not set',
    )
  })

  test('addresses that speak for many callers, comma separated', () => {
    expect(accepted(PRODUCTION).proxies).toEqual([])
    const environment = { ...PRODUCTION, ACTCHAIN_PROXIES: '192.0.2.7, 2001:db8::1' }
    expect(accepted(environment).proxies).toEqual(['192.0.2.7', '2001:db8::1'])
  })

  test('the trust folder is beside the state, or where it is said to be', () => {
    const env = { ...PRODUCTION, ACTCHAIN_DATA: '/var/lib/actchain' }
    expect(accepted(env).trustFolder).toBe('/var/lib/actchain/trust')
    expect(accepted({ ...env, ACTCHAIN_TRUST: '/etc/trust' }).trustFolder).toBe('/etc/trust')
  })

  test('origins of the own network, comma separated', () => {
    const env = {
      ...PRODUCTION,
      ACTCHAIN_INTERNAL_ORIGINS: 'https://kubernetes.default.svc, https://spire.example:8443',
    }
    expect(accepted(env).internalOrigins).toEqual([
      'https://kubernetes.default.svc',
      'https://spire.example:8443',
    ])
  })

  test('the file of anchors, by its path from wherever the server starts', () => {
    expect(accepted(PRODUCTION).anchorsFile).toBeUndefined()
    const at = (path: string) => accepted({ ...PRODUCTION, ACTCHAIN_AUDIT_ANCHORS: path })
    expect(at('/etc/actchain/anchors.yaml').anchorsFile).toBe('/etc/actchain/anchors.yaml')
    expect(at('anchors.yaml').anchorsFile).toBe(resolve('anchors.yaml'))
  })

  test('a device for keys: its library, its token and a PIN that never prints', () => {
    expect(accepted(PRODUCTION).pkcs11).toBeUndefined()
    const config = accepted({
      ...PRODUCTION,
      ACTCHAIN_PKCS11_MODULE: '/usr/lib/softhsm/libsofthsm2.so',
      ACTCHAIN_PKCS11_TOKEN: 'actchain',
      ACTCHAIN_PKCS11_PIN_FILE: fileWith('87654321\n'),
    })
    expect(config.pkcs11).toMatchObject({
      module: '/usr/lib/softhsm/libsofthsm2.so',
      token: 'actchain',
    })
    expect(config.pkcs11?.pin.reveal()).toBe('87654321')
    expect(inspect(config, { depth: null })).not.toContain('87654321')
  })

  test('the configuration is frozen', () => {
    const config = accepted({ ACTCHAIN_MODE: 'development' })
    expect(Object.isFrozen(config)).toBe(true)
    expect(Object.isFrozen(config.loopbackOrigins)).toBe(true)
  })
})

describe('what is refused', () => {
  test.each([
    [
      'an unknown mode',
      { ACTCHAIN_MODE: 'prod' },
      'ACTCHAIN_MODE is "prod"; set it to production or development.',
    ],
    [
      'a port that is no number',
      { ACTCHAIN_PORT: '84x' },
      'ACTCHAIN_PORT is "84x"; set it to a port from 1 to 65535.',
    ],
    ['a port out of range', { ACTCHAIN_PORT: '65536' }, 'ACTCHAIN_PORT is "65536"'],
    ['a port with a leading zero', { ACTCHAIN_PORT: '08460' }, 'ACTCHAIN_PORT is "08460"'],
    [
      'one port used twice',
      { ACTCHAIN_MANAGEMENT_PORT: '8460' },
      'ACTCHAIN_MANAGEMENT_PORT must differ',
    ],
    ['a host with a space', { ACTCHAIN_HOST: 'a b' }, 'ACTCHAIN_HOST is "a b"'],
    [
      'a trailing slash',
      { ACTCHAIN_PUBLIC_URL: 'https://a.example/' },
      'write it as https://a.example.',
    ],
    ['a path', { ACTCHAIN_PUBLIC_URL: 'https://a.example/as' }, 'write it as https://a.example.'],
    [
      'user information',
      { ACTCHAIN_PUBLIC_URL: 'https://u:p@a.example' },
      'write it as https://a.example.',
    ],
    [
      'an upper-case host',
      { ACTCHAIN_PUBLIC_URL: 'https://A.example' },
      'write it as https://a.example.',
    ],
    ['another scheme', { ACTCHAIN_PUBLIC_URL: 'ftp://a.example' }, 'set it to an https origin'],
    ['no URL at all', { ACTCHAIN_PUBLIC_URL: 'as' }, 'ACTCHAIN_PUBLIC_URL is "as"'],
    [
      'a store that is not built',
      { ACTCHAIN_STORE: 'redis://:pw@h' },
      'ACTCHAIN_STORE names a store that is not available yet',
    ],
    [
      'an internal origin without TLS',
      { ACTCHAIN_INTERNAL_ORIGINS: 'https://a.example,http://b.example' },
      'ACTCHAIN_INTERNAL_ORIGINS has "http://b.example"; set it to https origins, comma separated.',
    ],
    [
      'an internal origin with a path',
      { ACTCHAIN_INTERNAL_ORIGINS: 'https://a.example/' },
      'ACTCHAIN_INTERNAL_ORIGINS has "https://a.example/"',
    ],
    [
      'a device without its PIN',
      { ACTCHAIN_PKCS11_MODULE: '/m.so', ACTCHAIN_PKCS11_TOKEN: 't' },
      'ACTCHAIN_PKCS11_PIN is missing; set ACTCHAIN_PKCS11_MODULE, ACTCHAIN_PKCS11_TOKEN, ACTCHAIN_PKCS11_PIN, or none.',
    ],
    [
      "a device's library without its path",
      {
        ACTCHAIN_PKCS11_MODULE: 'm.so',
        ACTCHAIN_PKCS11_TOKEN: 't',
        ACTCHAIN_PKCS11_PIN: '1',
      },
      'ACTCHAIN_PKCS11_MODULE is "m.so"; set it to an absolute path.',
    ],
    ['half a TLS pair', { ACTCHAIN_TLS_CERT: 'x' }, 'ACTCHAIN_TLS_KEY is missing'],
    [
      'a path where PEM belongs',
      { ACTCHAIN_TLS_CERT: '/c', ACTCHAIN_TLS_KEY: '/k' },
      'use ACTCHAIN_TLS_CERT_FILE',
    ],
    [
      'a setting given twice',
      { ACTCHAIN_PORT: '1', ACTCHAIN_PORT_FILE: '/x' },
      'ACTCHAIN_PORT is set twice',
    ],
    [
      'a file that is not there',
      { ACTCHAIN_PORT_FILE: '/no/such' },
      'ACTCHAIN_PORT_FILE names a file that cannot be read',
    ],
    [
      'a mistyped name',
      { ACTCHAIN_PROT: '1' },
      'ACTCHAIN_PROT is not a setting; did you mean ACTCHAIN_PORT?',
    ],
    ['a name like none', { ACTCHAIN_SOMETHING_ELSE_ENTIRELY: '1' }, 'is not a setting; unset it.'],
  ])('%s', (_, env: Environment, expected) => {
    expect(refused({ ...PRODUCTION, ...env })).toContain(expected)
  })

  test.each(['proxy.example', '192.0.2.0/24', '192.0.2.7,', '192.0.2.7 192.0.2.8', '192.0.2.256'])(
    'no address of a proxy: %s',
    (proxies) => {
      const problem = refused({ ...PRODUCTION, ACTCHAIN_PROXIES: proxies })
      expect(problem).toMatch(
        /^ACTCHAIN_PROXIES has ".*"; set it to IP addresses, comma separated\.$/,
      )
    },
  )

  test('a problem names the flag where a flag was given', () => {
    const env = { ACTCHAIN_MODE: 'development' }
    expect(refused(env, { port: 'x', publicUrl: 'as' })).toBe(
      '--port is "x"; set it to a port from 1 to 65535.\n--public-url is "as"; set it to an https origin.',
    )
  })

  test('every problem is told at once', () => {
    const text = refused({ ACTCHAIN_PORT: 'x', ACTCHAIN_STORE: 'redis' })
    expect(text.split('\n').map((line) => line.split(' ')[0])).toEqual([
      'ACTCHAIN_PORT',
      'ACTCHAIN_PUBLIC_URL',
      'ACTCHAIN_KEY_SECRET',
      'ACTCHAIN_STORE',
    ])
  })

  test('plain http away from loopback, in development too', () => {
    const env = { ACTCHAIN_MODE: 'development', ACTCHAIN_PUBLIC_URL: 'http://as.example.com' }
    expect(refused(env)).toContain('plain http away from loopback')
  })

  test('no problem repeats a secret', () => {
    const secret = 'sentinel-short'
    const text = refused({
      ACTCHAIN_KEY_SECRET: secret,
      ACTCHAIN_STORE: `redis://:${secret}@h`,
      ACTCHAIN_TLS_KEY: secret,
      ACTCHAIN_TLS_CERT: secret,
      ACTCHAIN_PROXY_CA: secret,
      ACTCHAIN_PKCS11_PIN: secret,
    })
    expect(text).not.toContain(secret)
  })

  test('a key secret prints as [secret] whatever prints it', () => {
    const config = accepted({ ...PRODUCTION })
    for (const text of [
      inspect(config, { depth: null }),
      JSON.stringify(config),
      `${String(config.keySecret)}`,
    ]) {
      expect(text).toContain('[secret]')
      expect(text).not.toContain(SECRET)
    }
  })
})

describe('TLS', () => {
  test('takes a certificate with its key, and hides the key', async () => {
    const { cert, key } = await certificateOf(2048)
    const config = accepted({
      ...PRODUCTION,
      ACTCHAIN_TLS_CERT: cert,
      ACTCHAIN_TLS_KEY_FILE: fileWith(key),
    })
    expect(config.tls?.cert).toBe(cert)
    expect(inspect(config, { depth: null })).not.toContain('BEGIN PRIVATE KEY')
  })

  test('refuses a key of another certificate', async () => {
    const { cert } = await certificateOf(2048)
    const other = pem(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey)
    expect(refused({ ...PRODUCTION, ACTCHAIN_TLS_CERT: cert, ACTCHAIN_TLS_KEY: other })).toBe(
      'ACTCHAIN_TLS_KEY is not the key of ACTCHAIN_TLS_CERT; give the pair.',
    )
  })

  test('takes authorities of proxies with the proxies they are for', async () => {
    const { cert, key } = await certificateOf(2048)
    const authority = await authorityPem()
    const env = {
      ...PRODUCTION,
      ACTCHAIN_TLS_CERT: cert,
      ACTCHAIN_TLS_KEY: key,
      ACTCHAIN_PROXIES: '192.0.2.7',
    }
    const config = accepted({ ...env, ACTCHAIN_PROXY_CA: `ours\n${authority}\n${authority}` })
    expect(config.proxyCa).toBe(`${authority.trim()}\n${authority.trim()}`)
    expect(refused({ ...env, ACTCHAIN_PROXY_CA: cert })).toBe(
      'ACTCHAIN_PROXY_CA has a certificate that is no authority; give the one that signs.',
    )
    expect(refused({ ...env, ACTCHAIN_PROXY_CA: '/etc/ca.pem' })).toBe(
      "ACTCHAIN_PROXY_CA is not a PEM certificate; for a file's path use ACTCHAIN_PROXY_CA_FILE.",
    )
    expect(refused({ ...PRODUCTION, ACTCHAIN_PROXY_CA: authority })).toBe(
      'ACTCHAIN_PROXY_CA is set without ACTCHAIN_PROXIES; list the addresses it is for.\n' +
        'ACTCHAIN_PROXY_CA needs ACTCHAIN_TLS_CERT; a proxy proves itself to us over TLS.',
    )
  })

  test('K06 refuses an RSA key below 2048 bits', async () => {
    const { cert, key } = await certificateOf(1024)
    expect(refused({ ...PRODUCTION, ACTCHAIN_TLS_CERT: cert, ACTCHAIN_TLS_KEY: key })).toContain(
      'below 2048 bits',
    )
  })
})

describe('K06 development leftovers in production', () => {
  test.each([
    ['nothing set', {}, 'ACTCHAIN_KEY_SECRET is not set'],
    [
      'a short key secret',
      { ...PRODUCTION, ACTCHAIN_KEY_SECRET: 'x'.repeat(31) },
      'ACTCHAIN_KEY_SECRET is too short',
    ],
    [
      'no public URL',
      { ...PRODUCTION, ACTCHAIN_PUBLIC_URL: undefined },
      'ACTCHAIN_PUBLIC_URL is not set',
    ],
    [
      'a plain http public URL',
      { ...PRODUCTION, ACTCHAIN_PUBLIC_URL: 'http://127.0.0.1:8460' },
      'production needs the https origin',
    ],
  ])('K06 %s is refused by name', (_, env: Environment, expected) => {
    expect(refused(env)).toContain(expected)
  })
})
