/**
 * The management API where something fails: 503, told once by reference, nothing of the fault outside, and nobody told that a
 * change is made before it is on record. Ports fail when a test says so; sockets, keys and signatures are real.
 */

import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { openKeyring } from '../../keys/keyring.ts'
import { MOST_PUBLISHED, PUBLISHED_AFTER, type SigningKeys } from '../../server/core/key-plan.ts'
import { createManagement } from '../../server/http/management/management.ts'
import { createManagementAccess } from '../../server/oauth/management-sign-in.ts'
import { createProofChecker } from '../../server/oauth/sender-proof.ts'
import { ensureOperatorKey } from '../../server/operator-key.ts'
import { PLATFORM } from '../../server/use-cases/author.ts'
import type { AuditEntry } from '../../server/use-cases/ports.ts'
import { createRateLimits } from '../../server/use-cases/rate-limit.ts'
import { NO_SECURITY_EVENTS } from '../../server/use-cases/security-events.ts'
import { ensureFirstKey, type PrivateKeys } from '../../server/use-cases/signing-keys.ts'
import { NO_TELEMETRY } from '../../server/use-cases/telemetry.ts'
import { aTenant } from '../core/facts.ts'
import { aSigningKey } from '../store/records.ts'
import { type AdminClient, AdminClient as Client, operatorForm } from '../support/admin-client.ts'
import { freePort } from '../support/authorization-server.ts'
import { auditLogOf } from '../support/embedded-store.ts'
import { openMemoryStore } from '../support/memory-store.ts'
import { NO_RECORDS } from '../support/no-records.ts'
import { NO_USAGE } from '../support/no-usage.ts'
import { quietSignals } from '../support/quiet-signals.ts'
import { epoch } from '../support/signing.ts'

const INSIDE = 'inside-of-a-fault'
const FOLDER = hashOf('the folder')
const FILES = { 'tenant.yaml': 'x' }

type Fault =
  | 'audit'
  | 'tenants'
  | 'revision'
  | 'add'
  | 'activate'
  | 'disable'
  | 'set_keys'
  | 'make_key'
  | 'check'
  | 'replay'
  | 'walk'

let folder: string
let server: Server
let operator: AdminClient
let faults: Set<Fault>
let told: string[]
let entries: AuditEntry[]
let signIn: () => ReturnType<AdminClient['signIn']>
let liveOf: () => string | undefined
let killedKeys: () => readonly string[]
let kill: () => ReturnType<AdminClient['post']>
let signingKeys: () => SigningKeys
let setSigningKeys: (to: SigningKeys) => Promise<unknown>
let rotate: () => ReturnType<AdminClient['post']>

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/** The same port, each of whose verbs fails first where it has to. */
function failing<Port extends object>(port: Port, fail: () => void): Port {
  return new Proxy(port, {
    get: (target, name) => {
      const verb: unknown = Reflect.get(target, name)
      if (typeof verb !== 'function') return verb
      return async (...input: readonly unknown[]) => {
        fail()
        return verb.apply(target, input)
      }
    },
  })
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'actchain-admin-'))
  faults = new Set()
  told = []
  entries = []
  const failOn = (fault: Fault): void => {
    if (faults.has(fault)) throw Object.assign(new Error(INSIDE), { token: INSIDE })
  }
  const clock = { now: epoch }
  const port = await freePort()
  const publicUrl = `http://127.0.0.1:${port}`
  const store = openMemoryStore(clock)
  const tenant = { ...aTenant(), version: FOLDER }
  const tenants = {
    find: (id: string) => {
      failOn('tenants')
      return id === 'acme' ? tenant : undefined
    },
  }
  const audit = auditLogOf(async (entry: AuditEntry) => {
    failOn('audit')
    entries.push(entry)
  })
  const replay = {
    claimReplay: async (claim: Parameters<typeof store.replay.claimReplay>[0]) => {
      failOn('replay')
      return store.replay.claimReplay(claim)
    },
  }
  const secret = 'a secret of this run and of no other one'
  const keyring = openKeyring({ dataFolder: folder, owner: PLATFORM, secret }, 'ES256')
  const keys: PrivateKeys = {
    make: async (_, number, alg) => {
      failOn('make_key')
      return { kid: `key-${number}`, alg, publicJwk: {}, keeper: 'sealed' }
    },
    read: async () => 'key_malformed',
    destroy: async () => {},
  }
  let refs = 0
  const content = { version: FOLDER, sources: FILES, compiled: '{}' }
  server = createServer(
    createManagement({
      ...NO_RECORDS,
      publicUrl,
      clock,
      tenants,
      audit,
      tasks: failing(store.tasks, () => failOn('walk')),
      securityEvents: NO_SECURITY_EVENTS,
      rates: createRateLimits(store.counters),
      sharedSignals: quietSignals(store, clock),
      usage: NO_USAGE,
      telemetry: NO_TELEMETRY,
      pause: turn,
      folders: { ids: () => ['acme'], find: (id) => (id === 'acme' ? content : undefined) },
      versions: {
        revision: (id) => store.versions.revision(id),
        live: (id) => {
          failOn('revision')
          return store.versions.live(id)
        },
        tenants: () => store.versions.tenants(),
        find: (id, version) => store.versions.find(id, version),
        list: (id) => store.versions.list(id),
        add: async (id, version) => {
          failOn('add')
          return store.versions.add(id, version)
        },
        activate: async (id, activation) => {
          failOn('activate')
          return store.versions.activate(id, activation)
        },
        setDisabled: async (id, agent, change) => {
          failOn('disable')
          return store.versions.setDisabled(id, agent, change)
        },
        reserveKeyNumber: (id) => store.versions.reserveKeyNumber(id),
        setSigningKeys: async (id, keys) => {
          failOn('set_keys')
          return store.versions.setSigningKeys(id, keys)
        },
      },
      keys,
      checks: {
        check: async (_, sources) => {
          failOn('check')
          const version = hashOf(JSON.stringify(sources))
          return { problems: [], warnings: [], content: { version, sources, compiled: '{}' } }
        },
        read: async () => ({ agents: ['planner'], signingAlgorithm: 'ES256', problems: [] }),
        replacedAgents: async () => ['planner'],
        changes: async () => ['agents.yaml: planner changed'],
      },
      access: createManagementAccess({
        publicUrl,
        clock,
        tenants,
        audit,
        replay,
        proofs: createProofChecker(replay),
        platformKeyring: keyring,
        keyringOf: () => keyring,
        operatorKey: ensureOperatorKey(folder),
        issuerKeys: async () => [],
        usage: NO_USAGE,
      }),
      randomId: () => `ref-${++refs}`,
      onFault: (_, ref) => void told.push(ref),
    }),
  )
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  operator = new Client(publicUrl)
  const config = { dataFolder: folder, publicUrl } as Parameters<typeof operatorForm>[0]['config']
  signIn = () => operator.signIn('/token', operatorForm({ config }))
  liveOf = () => store.versions.live('acme').version
  killedKeys = () => signingKeys().killed.map(({ kid }) => kid)
  await ensureFirstKey({ clock, versions: store.versions, keys }, 'acme', 'ES256')
  signingKeys = () => store.versions.live('acme').signingKeys
  setSigningKeys = (to) => store.versions.setSigningKeys('acme', to)
  rotate = () => operator.post('/tenants/acme/keys', {})
  kill = () => operator.post('/tenants/acme/keys/kill', { kid: 'key-1', reason: 'stolen' })
  expect((await signIn()).status).toBe(200)
})
afterEach(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
  rmSync(folder, { recursive: true })
})

const AGENT = '/tenants/acme/agents/planner'

describe('a fault', () => {
  const requests: Readonly<
    Record<Fault, readonly (() => Promise<Awaited<ReturnType<typeof signIn>>>)[]>
  > = {
    audit: [
      () => operator.put(AGENT, { disabled: true }),
      () => operator.post('/tenants/acme/versions', { files: FILES }),
      () => operator.put(AGENT, { disabled: 1 }),
      () => kill(),
    ],
    tenants: [() => operator.get('/tenants/acme'), () => operator.get(AGENT)],
    revision: [() => operator.get('/tenants'), () => operator.get('/tenants/acme/versions')],
    add: [() => operator.post('/tenants/acme/versions', { files: FILES })],
    activate: [() => operator.activate('acme', FOLDER, FOLDER)],
    disable: [() => operator.put(AGENT, { disabled: true })],
    set_keys: [() => kill(), () => rotate()],
    make_key: [() => kill(), () => rotate()],
    check: [() => operator.post('/tenants/acme/versions', { files: FILES })],
    replay: [() => operator.get('/tenants')],
    walk: [
      () => operator.post('/tenants/acme/revocations', { agent: 'planner', reason: 'x' }),
      () => operator.put(AGENT, { disabled: true }),
    ],
  }

  test.each(Object.keys(requests) as Fault[])(
    'of %s is 503, told by its reference',
    async (fault) => {
      for (const send of requests[fault]) {
        faults = new Set([fault])
        told = []
        const answer = await send()
        expect(answer.status, answer.text).toBe(503)
        expect(answer.body).toEqual({
          type: 'about:blank',
          status: 503,
          reason: 'unavailable',
          detail: expect.any(String),
          error_ref: expect.stringMatching(/^ref-/),
        })
        expect(answer.headers.get('retry-after')).toBe('1')
        expect(answer.text).not.toContain(INSIDE)
        expect(new Set(told)).toEqual(new Set([answer.body['error_ref']]))
      }
    },
  )

  test.each<Fault>(['audit', 'replay', 'revision'])('of %s gives nobody a token', async (fault) => {
    faults = new Set([fault])
    const answer = await signIn()
    expect(answer.status).toBe(503)
    expect(answer.text).not.toMatch(/eyJ[\w-]*\./)
    expect(answer.text).not.toContain(INSIDE)
  })

  test('of one request leaves the next as it was', async () => {
    faults = new Set(['activate'])
    await operator.activate('acme', FOLDER, FOLDER)
    expect(liveOf()).toBeUndefined()
    faults = new Set()
    expect((await operator.activate('acme', FOLDER, FOLDER)).status).toBe(200)
    expect(liveOf()).toBe(FOLDER)
  })

  test('K04 of making the next key leaves the one there is', async () => {
    faults = new Set(['make_key'])
    await kill()
    expect(killedKeys()).toEqual([])
    faults = new Set()
    expect((await kill()).status).toBe(200)
    expect(killedKeys()).toEqual(['key-1'])
  })

  test('K03 of room in the key set is told, with when there is some', async () => {
    const from = epoch() - 1000
    const many = Array.from({ length: MOST_PUBLISHED }, (_, each) =>
      aSigningKey({ number: each + 1, from: from + each }),
    )
    const { revision } = signingKeys()
    await setSigningKeys({ revision, keys: many, killed: [] })
    const answer = await rotate()
    expect([answer.status, answer.body['reason']]).toEqual([409, 'keys_full'])
    const until = new Date((from + 1 + PUBLISHED_AFTER) * 1000).toISOString()
    expect(answer.body['retry_from']).toBe(until)
    expect(entries.at(-1)).toMatchObject({ action: 'rotate_key', reason: 'keys_full' })
  })

  test('is on record where the record can still be written', async () => {
    faults = new Set(['disable'])
    await operator.put(AGENT, { disabled: true })
    expect(entries.at(-1)).toMatchObject({
      event: 'management',
      outcome: 'refuse',
      reason: 'unavailable',
      guard: 'fault',
      author: 'operator',
      agent: 'planner',
    })
  })
})

describe('a body', () => {
  test('that does not arrive holds no request for longer than ten seconds', async () => {
    const { port } = new URL(operator.publicUrl)
    const url = `${operator.publicUrl}/admin/v1${AGENT}`
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    vi.spyOn(globalThis, 'setTimeout')
    try {
      const socket = connect(Number(port), '127.0.0.1')
      let text = ''
      socket.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk
      })
      const closed = new Promise((resolve) => socket.once('close', resolve))
      socket.write(
        [
          `PUT /admin/v1${AGENT} HTTP/1.1`,
          'host: x',
          'content-type: application/json',
          'content-length: 17',
          `authorization: DPoP ${operator.token}`,
          `dpop: ${operator.proof('PUT', url)}`,
          '',
          '{"disabled"',
        ].join('\r\n'),
      )
      const waits = (): boolean => vi.mocked(setTimeout).mock.calls.some(([, ms]) => ms === 10_000)
      while (!waits()) await turn()
      vi.advanceTimersByTime(10_000)
      await closed
      expect(text).toMatch(/^HTTP\/1\.1 408 /)
      expect(text).toContain('"reason":"request_timeout"')
      expect(text.toLowerCase()).toContain('connection: close')
    } finally {
      vi.restoreAllMocks()
      vi.useRealTimers()
    }
    expect((await operator.get(AGENT)).body['disabled']).toBe(false)
  })
})
