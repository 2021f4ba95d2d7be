/** The operator's file of anchors: what it may say, and where a wrong value stands. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type AnchorSettings, readAnchorsFile } from '../server/anchors-file.ts'
import { type Config, isProblems, readConfig } from '../server/config.ts'
import { StartRefused } from '../server/start-refused.ts'
import { aSigner } from './support/proven-log.ts'

const PRODUCTION = {
  ACTCHAIN_PUBLIC_URL: 'https://as.example.com',
  ACTCHAIN_KEY_SECRET: 'a-key-secret-of-more-than-32-characters',
}

let folder: string
let logKey: string
let otherLogKey: string
let witnessKey: string
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'actchain-anchors-'))
  logKey = (await aSigner('other.example/audit')).vkey
  otherLogKey = (await aSigner('other.example/audit')).vkey
  witnessKey = (await aSigner('w.example/witness', 'cosignature/v1')).vkey
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function configOf(mode: Config['mode']): Config {
  const config = readConfig({
    ACTCHAIN_MODE: mode,
    ACTCHAIN_DATA: join(folder, 'data'),
    ACTCHAIN_AUDIT_ANCHORS: join(folder, 'anchors.yaml'),
    ...(mode === 'production' && PRODUCTION),
  })
  if (isProblems(config)) throw new Error(JSON.stringify(config))
  return config
}

async function read(text: string, mode: Config['mode'] = 'production'): Promise<AnchorSettings> {
  writeFileSync(join(folder, 'anchors.yaml'), text)
  return readAnchorsFile(configOf(mode))
}

/** Problems, each from its line on. */
async function problemsOf(text: string, mode?: Config['mode']): Promise<readonly string[]> {
  try {
    await read(text, mode)
    return []
  } catch (fault) {
    if (!(fault instanceof StartRefused)) throw fault
    return fault.sentences.map((sentence) => sentence.slice(join(folder, 'anchors.yaml:').length))
  }
}

test('without the setting there is nothing outside', async () => {
  const config = readConfig({ ACTCHAIN_MODE: 'development' })
  if (isProblems(config)) throw new Error('refused')
  const { anchors, witnessFor } = await readAnchorsFile(config)
  expect({ anchors, logs: witnessFor.size }).toEqual({ anchors: [], logs: 0 })
})

test('every kind of anchor, and the logs to be witnessed, a key that follows another too', async () => {
  const { anchors, witnessFor, every, loopbackOrigins } = await read(`
anchors:
  - { kind: file, path: /mnt/worm/actchain }
  - { kind: http, url: https://log.example/in?a=b, token_file: /run/secrets/anchor }
  - { kind: http, url: 'https://log.example:8443/in' }
  - { kind: witness, url: https://w.example/witness/v1/, key: ${witnessKey} }
witness_for:
  - ${logKey}
  - ${otherLogKey}
every: 10m
`)
  expect(anchors).toEqual([
    { kind: 'file', path: '/mnt/worm/actchain' },
    { kind: 'http', url: 'https://log.example/in?a=b', tokenFile: '/run/secrets/anchor' },
    { kind: 'http', url: 'https://log.example:8443/in', tokenFile: undefined },
    {
      kind: 'witness',
      url: 'https://w.example/witness/v1',
      vkey: witnessKey,
      key: expect.objectContaining({ name: 'w.example/witness', type: 'cosignature/v1' }),
    },
  ])
  expect([...witnessFor]).toEqual([['other.example/audit', [logKey, otherLogKey]]])
  expect(every).toBe(600)
  expect(loopbackOrigins.size).toBe(0)
})

test('an empty mapping is no anchor, and rounds are a minute apart', async () => {
  expect(await read('anchors: []')).toMatchObject({ anchors: [], every: 60 })
})

describe('what is wrong has its place', () => {
  test.each([
    ['anchor: []', ['1:1: unknown key "anchor"; did you mean "anchors"?']],
    ['every: 0', ['1:8: expected a duration from 1s to 86400s']],
    ['every: soon', ['1:8: expected a duration such as 90s, 15m or 8h']],
    ['anchors:\n  - { kind: s3 }', ['2:13: expected "file" or "http" or "witness"']],
    ['anchors:\n  - { kind: file }', ['2:5: missing key "path"']],
    ['anchors:\n  - { kind: file, path: worm }', ['2:25: expected an absolute path']],
    [
      'anchors:\n  - { kind: file, path: /worm, url: https://a.example }',
      ['2:32: unknown key "url"'],
    ],
    [
      'anchors:\n  - { kind: http, url: https://a.example, token_file: secret }',
      ['2:55: expected an absolute path'],
    ],
    [
      'anchors:\n  - { kind: file, path: /worm }\n  - { kind: file, path: /worm }',
      ['3:25: this is stated twice'],
    ],
    [
      'witness_for: [a+b+c]',
      ['1:15: expected a verifier key: {name}+{key id}+{base64}, of Ed25519'],
    ],
    ['anchors: &a []', ['1:13: YAML anchors are not accepted']],
  ])('%s', async (text, problems) => {
    expect(await problemsOf(text)).toEqual(problems)
  })

  test('all of it is told at once', async () => {
    const problems = await problemsOf(`
anchors:
  - { kind: http, url: http://log.example }
  - { kind: witness, url: https://as.example.com/witness/v1, key: ${logKey} }
witness_for: [ ${witnessKey} ]
`)
    expect(problems).toEqual([
      '3:24: expected an https URL without user name, port 443 or above 1023',
      '4:27: this is this server: an anchor beside its log proves nothing',
      '4:67: this is the key of a log: expected that of a witness',
      '5:16: this is the key of a witness: expected that of a log',
    ])
  })

  test.each([
    'https://user@log.example/',
    'https://log.example:22/',
    'ftp://log.example/',
    'log.example',
    'http://127.0.0.1:9000/',
  ])('no address: %s', async (url) => {
    expect(await problemsOf(`anchors: [{ kind: http, url: '${url}' }]`)).toEqual([
      '1:30: expected an https URL without user name, port 443 or above 1023',
    ])
  })

  test('a fragment', async () => {
    expect(await problemsOf("anchors: [{ kind: http, url: 'https://a.example/#b' }]")).toEqual([
      '1:30: a fragment is never sent: leave it out',
    ])
  })

  test('plain http, on loopback and in development alone', async () => {
    const text = "anchors: [{ kind: http, url: 'http://127.0.0.1:9000/in' }]"
    const { loopbackOrigins } = await read(text, 'development')
    expect([...loopbackOrigins]).toEqual(['http://127.0.0.1:9000'])
    for (const host of ['127.0.0.1.example', 'log.example', '127.0.0.2:9000']) {
      const problems = await problemsOf(text.replace('127.0.0.1:9000', host), 'development')
      expect(problems).toHaveLength(1)
    }
  })

  test('a log of this server', async () => {
    const own = (await aSigner('as.example.com/t/acme/audit')).vkey
    expect(await problemsOf(`witness_for: [ ${own} ]`)).toEqual([
      '1:16: this is a log of this server: its own word proves nothing',
    ])
  })

  test('a verifier key with one letter changed', async () => {
    const changed = logKey.replace('other', 'ether')
    expect(await problemsOf(`witness_for: [ ${changed} ]`)).toHaveLength(1)
  })
})

test('a folder in the data folder is none, by whatever way it is reached', async () => {
  mkdirSync(join(folder, 'data'))
  symlinkSync(join(folder, 'data'), join(folder, 'elsewhere'))
  const refused = ['1:31: this is in the data folder: an anchor beside its log proves nothing']
  for (const path of ['data', 'data/worm', 'elsewhere', 'elsewhere/deep/worm', 'x/../data/a']) {
    const text = `anchors: [{ kind: file, path: '${join(folder)}/${path}' }]`
    expect([path, await problemsOf(text)]).toEqual([path, refused])
  }
  const beside = `anchors: [{ kind: file, path: '${join(folder, 'data-of-others')}' }]`
  expect(await problemsOf(beside)).toEqual([])
})

test.each([
  ['is not there', undefined, '1:1: cannot be read'],
  ['is not UTF-8', Buffer.from([0xff]), '1:1: not UTF-8'],
  ['is too large', Buffer.alloc(1024 * 1024 + 1, '#'), '1:1: larger than 1 MB'],
])('a file that %s', async (_, content, problem) => {
  const path = join(folder, 'anchors.yaml')
  if (content !== undefined) writeFileSync(path, content)
  await expect(readAnchorsFile(configOf('production'))).rejects.toThrow(`${path}:${problem}`)
})
