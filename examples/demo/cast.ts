/** Everybody in the story, each a process of its own on a free loopback port, with a folder that is removed afterwards. */
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Account, Address, Leg, Request, StoredRecord } from './account.ts'
import { DemoFault, Processes } from './processes.ts'
import { copyTenants } from './tenant-copy.ts'

const AGENTS = ['planner', 'researcher', 'ledger-writer', 'archivist', 'reviewer'] as const
const THIEF = 'mailer'
const APIS = { 'ledger-api': 'ledger:propose', 'docs-api': 'docs:read' } as const

/** Between finding a free port and taking it somebody else may be faster. */
const PORT_TRIES = 3

export type Agent = (typeof AGENTS)[number]
export type Place = Agent | typeof THIEF | keyof typeof APIS

export class Cast {
  readonly #processes = new Processes()
  readonly #doors = new Map<string, string>()
  #folder: string | undefined
  #gathering: Promise<void> | undefined
  #issuer = ''
  #idp = ''
  #idToken = ''

  get issuer(): string {
    return this.#issuer
  }

  get complaints(): string {
    return this.#processes.complaints
  }

  /** Resolves when all doors are open. Throws `DemoFault`. */
  gather(tenants: string): Promise<void> {
    this.#gathering = this.#gather(tenants)
    return this.#gathering
  }

  at(place: Place): Address {
    const url = this.#doors.get(place)
    if (url === undefined) throw new DemoFault(`${place} has no door.`)
    return { name: place, url }
  }

  /** Alice asks the planner. */
  async ask(legs: readonly Leg[], signal: AbortSignal): Promise<Account> {
    const body: Request = { id_token: this.#idToken, legs }
    const headers = { 'content-type': 'application/json' }
    const door = new URL('/ask', this.at('planner').url)
    const init = { method: 'POST', headers, body: JSON.stringify(body), signal }
    const response = await fetch(door, init)
    if (!response.ok) throw new DemoFault(`The planner failed with status ${response.status}.`)
    return (await response.json()) as Account
  }

  /** What an operator does who wants the work to stop: finds the newest task, and revokes it. */
  async revokeTask(): Promise<void> {
    const data = join(this.#folder ?? '', 'data')
    const server = new URL(this.#issuer).origin
    const options = ['--server', server, '--data', data, '--json']
    const listed = ['task', 'list', 'acme', '--state', 'open', '--limit', '1', ...options]
    const { txn } = JSON.parse(await this.#processes.actchain(listed, '"txn"')) as { txn: string }
    const revoked = ['task', 'revoke', 'acme', txn, '--reason', 'it is not what alice meant']
    await this.#processes.actchain([...revoked, ...options], '"revoked"')
  }

  /** What a reviewer finds in the log of what was done in this task; undefined where there is nothing. */
  async findRecord(txn: string | undefined): Promise<StoredRecord | undefined> {
    if (txn === undefined) return undefined
    const at = ['--tenant', 'acme', '--server', new URL(this.#issuer).origin, '--idp', this.#idp]
    const search = ['audit', 'search', '--txn', txn, '--code', 'action.recorded', ...at, '--json']
    const found = this.#processes.actchain(search, '"action.recorded"')
    return found.then(
      (line) => JSON.parse(line) as StoredRecord,
      // It ended without such a line.
      () => undefined,
    )
  }

  /** Ends every process and removes the folder; whoever is still on the way is waited for. */
  async leave(): Promise<void> {
    await this.#processes.close()
    await this.#gathering?.catch(() => undefined)
    if (this.#folder !== undefined)
      await rm(this.#folder, { recursive: true, force: true, maxRetries: 3 })
  }

  async #gather(tenants: string): Promise<void> {
    this.#folder = await mkdtemp(join(tmpdir(), 'actchain-demo-'))
    this.#idp = await this.#startServer(tenants, this.#folder, PORT_TRIES)
    const signIn = ['dev', 'user-token', 'alice', '--for', 'planner', '--idp', this.#idp]
    const [idToken] = await Promise.all([
      // A JWT begins with its header's opening brace and quote.
      this.#processes.actchain(signIn, 'eyJ'),
      ...AGENTS.map((id) => this.#open(id, 'agent.ts', { audience: audienceOf(id) })),
      this.#open(THIEF, 'thief.ts', {}),
      ...Object.entries(APIS).map(([id, scope]) =>
        this.#open(id, 'api.ts', { audience: audienceOf(id), scope }),
      ),
    ])
    this.#idToken = idToken.trim()
  }

  /** Resolves to the issuer of its identity provider. */
  async #startServer(tenants: string, folder: string, tries: number): Promise<string> {
    const [port, management, idpPort] = await freePorts()
    const origin = `http://127.0.0.1:${port}`
    const idp = `http://127.0.0.1:${idpPort}`
    const copy = join(folder, `tenants-${port}`)
    const keys = new Map(Object.keys(APIS).map((id) => [id, this.#keyOf(id)]))
    await copyTenants(tenants, copy, { idp, keys })
    const settings = {
      mode: 'development',
      host: '127.0.0.1',
      port,
      'public-url': origin,
      'management-port': management,
      'idp-port': idpPort,
      data: join(folder, 'data'),
      tenants: copy,
    }
    const flags = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, `${value}`])
    try {
      await this.#processes.actchain(['serve', '--json', ...flags], '"issuers"')
    } catch (error) {
      const isTaken = error instanceof DemoFault && error.message.includes('is taken')
      if (!isTaken || tries <= 1) throw error
      return this.#startServer(tenants, folder, tries - 1)
    }
    this.#issuer = `${origin}/t/acme`
    return idp
  }

  async #open(id: string, program: string, more: Readonly<Record<string, string>>): Promise<void> {
    const isAgent = program !== 'api.ts'
    const options = { id, issuer: this.#issuer, key: this.#keyOf(id), ...more }
    const origin = await this.#processes.openDoor(program, options)
    this.#doors.set(id, `${origin}${isAgent ? '/a2a' : '/api'}`)
  }

  /** Private keys of agents are the development server's, those of APIs the demo's. */
  #keyOf(id: string): string {
    const folder = Object.hasOwn(APIS, id) ? ['apis'] : ['data', 'dev-agents', 'acme']
    return join(this.#folder ?? '', ...folder, `${id}.jwk`)
  }
}

/** The name a token is made out to: no process listens there, loopback stands in for it. */
export function audienceOf(id: string): string {
  return id.endsWith('-api')
    ? `https://${id.slice(0, -'-api'.length)}.acme.example/api`
    : `https://${id}.acme.example/a2a`
}

/** Three ports that were free a moment ago. */
async function freePorts(): Promise<readonly number[]> {
  const servers = [0, 1, 2].map(() => createServer().listen(0, '127.0.0.1'))
  await Promise.all(servers.map((server) => once(server, 'listening')))
  const ports = servers.map((server) => (server.address() as AddressInfo).port)
  await Promise.all(servers.map((server) => once(server.close(), 'close')))
  return ports
}
