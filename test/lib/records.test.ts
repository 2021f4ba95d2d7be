/** Recording: local, in order, bounded, sent until it is on record, whatever the issuer does meanwhile. */
import { generateKeyPairSync, webcrypto } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  digestInput,
  type RecordedAction,
  type RecordingVerifier,
  type RecordStorage,
  RecordsFull,
  type RecordsOptions,
  type SigningKey,
  withRecords,
} from '../../lib/src/records/records.ts'
import { createVerifier, type Verifier } from '../../lib/src/verifier.ts'
import { CLIENT, RecordsIssuer } from './records-issuer.ts'

const TOKEN = { jti: 'j'.repeat(22), txn: 't'.repeat(22) }

/** Until something is seen; a busy machine takes its time. */
const PATIENCE = { timeout: 10_000 }

/** A private JWK, and its public half. */
function aPair(alg: 'ES256' | 'EdDSA' | 'RS256' = 'ES256') {
  const pair =
    alg === 'ES256'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : alg === 'EdDSA'
        ? generateKeyPairSync('ed25519')
        : generateKeyPairSync('rsa', { modulusLength: 2048 })
  const key = { ...pair.privateKey.export({ format: 'jwk' }), kid: 'ledger-1', alg, use: 'sig' }
  return { key: key as JsonWebKey, publicJwk: pair.publicKey.export({ format: 'jwk' }) }
}

const { key, publicJwk } = aPair()
let issuer: RecordsIssuer
let faults: string[]
let opened: RecordingVerifier[]
beforeEach(async () => {
  issuer = new RecordsIssuer(publicJwk)
  faults = []
  opened = []
  await issuer.open()
})
afterEach(async () => {
  await Promise.all(opened.map((verifier) => verifier.close()))
  await issuer.close()
  expect(issuer.faults).toEqual([])
})

function plainVerifier(at = issuer.issuer): Verifier {
  return createVerifier({
    issuer: at,
    audience: 'https://ledger.example/api',
    revocation: 'off',
    allowInsecureLoopback: true,
  })
}

function recording(options: Partial<RecordsOptions> = {}): RecordingVerifier {
  const verifier = withRecords(plainVerifier(), {
    clientId: CLIENT,
    key,
    onFault: ({ kind, detail }) => faults.push(`${kind}: ${detail}`),
    ...options,
  })
  opened.push(verifier)
  return verifier
}

function anAction(parts: Partial<RecordedAction> = {}): RecordedAction {
  return { of: TOKEN, tool: 'post_entry', target: 'ledger/2026', outcome: 'succeeded', ...parts }
}

const numbered = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, at) => `tool-${at}`)

const toolsIn = (records: readonly { readonly tool: string }[]): readonly string[] =>
  records.map(({ tool }) => tool)

describe('a record', () => {
  test('is sent as it was told, under the id it was given', async () => {
    const at = Math.floor(Date.now() / 1000) + 0.5
    const verifier = recording({ now: () => at })
    const { digest } = await digestInput('{"amount":7}')
    const told = { inputDigest: digest, outcome: 'failed', changeRef: 'row 7' } as const
    const id = verifier.record(anAction(told))
    await verifier.flush()
    expect(issuer.records).toEqual([
      {
        id,
        ...TOKEN,
        tool: 'post_entry',
        target: 'ledger/2026',
        input_digest: digest,
        outcome: 'failed',
        change_ref: 'row 7',
        at: new Date(at * 1000).toISOString(),
      },
    ])
    expect(id).toMatch(/^[A-Za-z0-9_-]{22}$/)
    expect(verifier.recordsWaiting).toBe(0)
  })

  test('is taken at once, and nothing is sent in the same breath', () => {
    const verifier = recording()
    const ids = numbered(5).map((tool) => verifier.record(anAction({ tool })))
    expect(new Set(ids).size).toBe(5)
    expect(verifier.recordsWaiting).toBe(5)
    expect(issuer.paths).toEqual([])
  })

  test('goes out by itself', async () => {
    const verifier = recording()
    verifier.record(anAction())
    await expect.poll(() => issuer.records.length, PATIENCE).toBe(1)
  })

  test('is of what verify resolved with, whatever else that says', async () => {
    const verifier = recording()
    verifier.record(anAction({ of: { ...TOKEN, subject: 'alice', scope: ['x'] } as never }))
    await verifier.flush()
    expect(JSON.stringify(issuer.records)).not.toContain('alice')
  })

  test.each([
    ['no token', { of: {} }, 'of'],
    ['no tool', { tool: undefined }, 'tool'],
    ['an empty tool', { tool: '' }, 'tool'],
    ['a long tool', { tool: 'x'.repeat(129) }, 'tool'],
    ['N01 a line break', { tool: 'post\nok' }, 'tool'],
    ['N01 a carriage return', { target: 'a\rb' }, 'target'],
    ['N01 an escape sequence', { tool: '\u001b[2Jpost' }, 'tool'],
    ['N01 a line separator', { changeRef: 'a\u2028b' }, 'changeRef'],
    ['N01 half a character', { tool: '\ud800' }, 'tool'],
    ['a long target', { target: 'x'.repeat(513) }, 'target'],
    ['a long reference', { changeRef: 'x'.repeat(257) }, 'changeRef'],
    ['an input, not its digest', { inputDigest: '{"amount":7}' }, 'inputDigest'],
    ['another outcome', { outcome: 'done' }, 'outcome'],
    ['a member of no meaning', { note: 'x' }, 'note'],
  ])('with %s is a mistake of the caller', (_, parts, member) => {
    const verifier = recording()
    expect(() => verifier.record(anAction(parts as never))).toThrow(TypeError)
    expect(() => verifier.record(anAction(parts as never))).toThrow(new RegExp(`: ${member}$`))
    expect(verifier.recordsWaiting).toBe(0)
  })

  test('may have the longest names, of any script', async () => {
    const verifier = recording()
    const longest = { tool: '漢'.repeat(128), target: '😀'.repeat(512), changeRef: 'ß'.repeat(256) }
    verifier.record(anAction(longest))
    await verifier.flush()
    expect(issuer.records).toMatchObject([{ tool: longest.tool, target: longest.target }])
  })
})

describe('the queue', () => {
  test('is sent in order, in batches, many at once', async () => {
    const verifier = recording()
    const tools = numbered(250)
    for (const tool of tools) verifier.record(anAction({ tool }))
    await verifier.flush()
    expect(toolsIn(issuer.records)).toEqual(tools)
    expect(issuer.batches.map(({ length }) => length)).toEqual([100, 100, 50])
    // One sign-in for all of it.
    expect(issuer.assertions).toHaveLength(1)
  })

  test('is bounded: what it has no room for is not recorded, and said so', async () => {
    await issuer.close()
    const verifier = recording({ limit: 3 })
    for (const tool of numbered(3)) verifier.record(anAction({ tool }))
    expect(() => verifier.record(anAction())).toThrow(RecordsFull)
    expect(verifier.recordsWaiting).toBe(3)
    await issuer.open()
    await verifier.flush()
    verifier.record(anAction({ tool: 'later' }))
    await verifier.flush()
    expect(toolsIn(issuer.records)).toEqual([...numbered(3), 'later'])
  })

  test('flush waits for what waits now, also where nothing does', async () => {
    const verifier = recording()
    await verifier.flush()
    verifier.record(anAction({ tool: 'first' }))
    await Promise.all([verifier.flush(), verifier.flush()])
    verifier.record(anAction({ tool: 'second' }))
    await verifier.flush()
    expect(toolsIn(issuer.records)).toEqual(['first', 'second'])
  })
})

describe('the issuer is away', () => {
  test('what was recorded meanwhile is sent when it is back, in order', async () => {
    await issuer.close()
    const verifier = recording()
    verifier.record(anAction({ tool: 'tool-0' }))
    const flushed = verifier.flush()
    await expect.poll(() => faults.length, PATIENCE).toBeGreaterThan(0)
    for (const tool of numbered(5).slice(1)) verifier.record(anAction({ tool }))
    await issuer.open()
    await Promise.all([flushed, verifier.flush()])
    expect(toolsIn(issuer.records)).toEqual(numbered(5))
    expect(faults).toEqual([expect.stringMatching(/^records_unsent: /)])
  })

  test.each([500, 502, 503, 429, 404, 403, 400, 302, 204])(
    'by status %i: it is sent again',
    async (status) => {
      const verifier = recording()
      issuer.answer = { status, body: {}, headers: { location: 'https://elsewhere.example/' } }
      verifier.record(anAction())
      const flushed = verifier.flush()
      await expect.poll(() => faults.length, PATIENCE).toBeGreaterThan(0)
      expect(verifier.recordsWaiting).toBe(1)
      issuer.answer = undefined
      await Promise.all([flushed, verifier.flush()])
      expect(issuer.records).toHaveLength(1)
      expect(faults).toEqual([`records_unsent: status ${status}`])
    },
  )

  test('an answer that was lost: the same ids come again', async () => {
    const verifier = recording()
    verifier.record(anAction())
    await verifier.flush()
    issuer.losesAnswers = true
    const ids = numbered(3).map((tool) => verifier.record(anAction({ tool })))
    const flushed = verifier.flush()
    await expect.poll(() => issuer.batches.length, PATIENCE).toBe(2)
    issuer.losesAnswers = false
    await Promise.all([flushed, verifier.flush()])
    const [, first = [], second = []] = issuer.batches
    expect(first.map(({ id }) => id)).toEqual(ids)
    expect(second).toEqual(first)
  })

  test('an answer that is no answer: nothing is taken for acknowledged', async () => {
    const verifier = recording()
    issuer.answer = { status: 200, body: { accepted: ['x'], refused: 'none' } }
    verifier.record(anAction())
    const flushed = verifier.flush()
    await expect.poll(() => faults.length, PATIENCE).toBeGreaterThan(0)
    issuer.answer = undefined
    await Promise.all([flushed, verifier.flush()])
    expect(issuer.records).toHaveLength(1)
  })
})

describe('the issuer refuses', () => {
  test('a record for good: it is dropped and told, the others are on record', async () => {
    const verifier = recording()
    const [first = '', second = ''] = numbered(3).map((tool) => verifier.record(anAction({ tool })))
    issuer.refusals.set(first, 'token_unknown')
    issuer.refusals.set(second, '<script>token</script>')
    await verifier.flush()
    expect(verifier.recordsWaiting).toBe(0)
    expect(faults).toEqual([
      `record_refused: token_unknown: ${first}`,
      `record_refused: refused: ${second}`,
    ])
  })

  test('a batch it cannot take: what it cannot take is found, and no other is dropped', async () => {
    const verifier = recording()
    issuer.untakenTool = 'tool-70'
    const ids = numbered(100).map((tool) => verifier.record(anAction({ tool })))
    await verifier.flush()
    expect(toolsIn(issuer.records)).toEqual(numbered(100).filter((tool) => tool !== 'tool-70'))
    expect(faults).toEqual([`record_refused: status 400 request_malformed: ${ids[70]}`])
  })

  test('a batch that is too large for it: smaller ones go', async () => {
    const verifier = recording()
    issuer.mostRecords = 30
    for (const tool of numbered(60)) verifier.record(anAction({ tool }))
    await verifier.flush()
    expect(toolsIn(issuer.records)).toEqual(numbered(60))
    expect(faults).toEqual([])
  })
})

describe('signing in', () => {
  test.each(['ES256', 'EdDSA', 'RS256'] as const)('by a private key of %s', async (alg) => {
    const pair = aPair(alg)
    await issuer.close()
    issuer = new RecordsIssuer(pair.publicJwk)
    await issuer.open()
    const verifier = recording({ key: pair.key })
    verifier.record(anAction())
    await verifier.flush()
    expect(issuer.assertions).toMatchObject([{ alg, kid: 'ledger-1', sub: CLIENT }])
  })

  test('by a key that cannot be read out', async () => {
    const algorithm = { name: 'ECDSA', namedCurve: 'P-256' }
    const numbers = { ...key, alg: undefined, use: undefined }
    const sealed = await webcrypto.subtle.importKey('jwk', numbers as never, algorithm, false, [
      'sign',
    ])
    const verifier = recording({ key: sealed as SigningKey })
    verifier.record(anAction())
    await verifier.flush()
    expect(issuer.records).toHaveLength(1)
  })

  test('with the nonce the issuer asks for, at both addresses, and its next', async () => {
    issuer.nonce = 'nonce-1'
    const verifier = recording()
    verifier.record(anAction())
    await verifier.flush()
    expect(issuer.paths).toEqual([
      '/t/acme/token',
      '/t/acme/token',
      '/t/acme/audit/records',
      '/t/acme/audit/records',
    ])
    issuer.nonce = 'nonce-2'
    verifier.record(anAction())
    await verifier.flush()
    expect(issuer.records).toHaveLength(2)
    expect(issuer.assertions).toHaveLength(1)
    expect(faults).toEqual([])
  })

  test('again before the token ends, and where it is none any more', async () => {
    issuer.lifetime = 20
    const verifier = recording()
    const send = async (): Promise<void> => {
      verifier.record(anAction())
      await verifier.flush()
    }
    await send()
    issuer.lifetime = 300
    await send()
    await send()
    expect(issuer.assertions).toHaveLength(2)
    issuer.forgetTokens()
    await send()
    expect(issuer.assertions).toHaveLength(3)
    expect(issuer.records).toHaveLength(4)
    expect(faults).toEqual([])
  })

  test('where it is refused nothing is lost, and nothing secret is told', async () => {
    const verifier = recording({ key: aPair().key })
    verifier.record(anAction({ tool: 'secret-tool' }))
    void verifier.flush().catch(() => undefined)
    await expect.poll(() => faults.length, PATIENCE).toBeGreaterThan(0)
    expect(faults).toEqual(['records_unsent: sign-in: status 401 invalid_client'])
    expect(verifier.recordsWaiting).toBe(1)
  })
})

describe('the end', () => {
  test('close sends what waits, and closes the verifier it was made from', async () => {
    let closed = 0
    const plain = { ...plainVerifier(), close: () => void (closed += 1) }
    const verifier = withRecords(plain, { clientId: CLIENT, key })
    for (const tool of numbered(150)) verifier.record(anAction({ tool }))
    await Promise.all([verifier.close(), verifier.close()])
    expect(toolsIn(issuer.records)).toEqual(numbered(150))
    expect(closed).toBe(1)
    expect(() => verifier.record(anAction())).toThrow(TypeError)
    await expect(verifier.flush()).rejects.toThrow('recording has ended')
  })

  test('where the issuer is away it ends all the same, and says what was lost', async () => {
    await issuer.close()
    const verifier = recording()
    verifier.record(anAction())
    const flushed = expect(verifier.flush()).rejects.toThrow('recording has ended')
    await verifier.close()
    await flushed
    expect(faults.at(-1)).toBe('records_unsent: 1 records are lost')
  })

  test('no timer of it keeps a process', () => {
    const timers = (): readonly string[] =>
      process.getActiveResourcesInfo().filter((name) => name === 'Timeout')
    const before = timers()
    recording().record(anAction())
    expect(timers()).toEqual(before)
  })
})

/** A file, as a resource server would keep one. */
function fileStorage(path: string): RecordStorage {
  return {
    load: async () => JSON.parse(await readFile(path, 'utf8').catch(() => '[]')),
    save: async (records) => writeFile(path, JSON.stringify(records)),
  }
}

describe('storage', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'actchain-records-'))
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  test('what waited when the resource server ended goes first when it is back, under the same ids', async () => {
    const storage = fileStorage(join(folder, 'records.json'))
    await issuer.close()
    const before = recording({ storage })
    const ids = numbered(3).map((tool) => before.record(anAction({ tool })))
    await before.close()
    expect(faults.at(-1)).toBe('records_unsent: 3 records are left to storage')
    await issuer.open()
    const after = recording({ storage })
    const last = after.record(anAction({ tool: 'later' }))
    await after.flush()
    expect(issuer.records.map(({ id }) => id)).toEqual([...ids, last])
    await after.close()
    expect(await storage.load()).toEqual([])
  })

  test('what waits goes out by itself after a start', async () => {
    const storage = fileStorage(join(folder, 'records.json'))
    await issuer.close()
    const before = recording({ storage })
    before.record(anAction())
    await before.close()
    await issuer.open()
    recording({ storage })
    await expect.poll(() => issuer.records.length, PATIENCE).toBe(1)
  })

  test('many records cost few saves, one at a time', async () => {
    let saving = 0
    const most: number[] = []
    const verifier = recording({
      storage: {
        load: async () => [],
        save: async (records) => {
          saving += 1
          most.push(saving, records.length)
          await new Promise(setImmediate)
          saving -= 1
        },
      },
    })
    await verifier.flush()
    for (const tool of numbered(50)) verifier.record(anAction({ tool }))
    await verifier.close()
    expect(most).toEqual([1, 50, 1, 0])
  })

  test('what cannot be read is not written over: nothing is sent until it can be', async () => {
    let isBroken = true
    const stored = [{ id: 'a'.repeat(22), ...TOKEN, tool: 'kept' }]
    const saved: number[] = []
    const verifier = recording({
      storage: {
        load: async () => {
          if (isBroken) throw new Error('the file is broken')
          return stored as never
        },
        save: async ({ length }) => void saved.push(length),
      },
    })
    verifier.record(anAction({ tool: 'new' }))
    const flushed = verifier.flush()
    await expect.poll(() => faults, PATIENCE).toEqual(['records_unread: the file is broken'])
    expect([issuer.paths, saved]).toEqual([[], []])
    isBroken = false
    await Promise.all([flushed, verifier.flush()])
    expect(toolsIn(issuer.records)).toEqual(['kept', 'new'])
  })

  test('what cannot be written is told, and sent all the same', async () => {
    const verifier = recording({
      storage: {
        load: async () => [],
        save: async () => {
          throw new Error('the disk is full')
        },
      },
    })
    verifier.record(anAction())
    await verifier.flush()
    await verifier.close()
    expect(issuer.records).toHaveLength(1)
    expect(new Set(faults)).toEqual(new Set(['records_unsaved: the disk is full']))
  })
})

describe('options', () => {
  const good = { clientId: CLIENT, key }

  test.each([
    ['no client', { clientId: undefined }],
    ['no key', { key: undefined }],
    ['a public key', { key: publicJwk }],
    ['a key of another curve', { key: { ...key, crv: 'P-384' } }],
    ['a secret', { key: { kty: 'oct', k: 'x', d: 'x' } }],
    ['no room', { limit: 0 }],
    ['boundless room', { limit: Number.POSITIVE_INFINITY }],
    ['half a storage', { storage: { load: async () => [] } }],
    ['a misspelt name', { onfault: () => {} }],
    ['a lost setting', { onFault: undefined }],
  ])('with %s are refused at start', (_, wrong) => {
    expect(() => withRecords(plainVerifier(), { ...good, ...wrong } as never)).toThrow(TypeError)
  })

  test('a mistake is named, never quoted', () => {
    const make = () => withRecords(plainVerifier(), { ...good, key: { d: 'sentinel' } as never })
    expect(make).toThrow(/^bad option: key$/)
  })
})

describe('the digest of an input', () => {
  test('is salted: the same input twice is two digests, and either can be shown again', async () => {
    const [first, second] = [await digestInput('pay alice'), await digestInput('pay alice')]
    expect(first.digest).toMatch(/^sha-256:[A-Za-z0-9_-]{43}$/)
    expect(first.digest).not.toBe(second.digest)
    expect(await digestInput('pay alice', first.salt)).toEqual(first)
    const bytes = new TextEncoder().encode('pay alice')
    expect((await digestInput(bytes, first.salt)).digest).toBe(first.digest)
    expect((await digestInput('pay bob', first.salt)).digest).not.toBe(first.digest)
  })

  test.each(['', 'short', 'AAAAAAAAAAAAAAAAAAAAAB', `${'A'.repeat(22)}=`])(
    'with the salt "%s" is none',
    async (salt) => {
      await expect(digestInput('x', salt)).rejects.toThrow(TypeError)
    },
  )
})
