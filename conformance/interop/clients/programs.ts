/** Clients that are programs of their own, where this machine has what they need; each walks the chain and prints what it got. */
import { execFile } from 'node:child_process'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { env } from 'node:process'
import { promisify } from 'node:util'
import { ENTRIES, EXCHANGE, hopsOf, idToken, target } from '../given.ts'
import type { TeamName } from '../target.ts'

export interface Program {
  /** The library, as people know it. */
  readonly name: string
  readonly team: TeamName
  /** What has to be installed, as Debian calls it. */
  readonly needs: string
  /** Ends well where it is; the first one that does is used. */
  readonly probes: readonly Command[]
  /** The probe's program runs it. */
  readonly args: readonly string[]
  /** Whether the library shows members of an error that RFC 6749 does not name. */
  readonly readsReason: boolean
}

export type Command = readonly [program: string, ...args: string[]]

export interface Walk {
  readonly tokens: readonly string[]
  readonly api: unknown
  readonly refusal: Readonly<Record<string, unknown>>
}

const run = promisify(execFile)
const beside = (name: string): string => join(import.meta.dirname, name)
/** The system's own has the system's packages; the first one on PATH may be another. */
const systemFirst = (name: string, ...args: string[]): Command[] => [
  [`/usr/bin/${name}`, ...args],
  [name, ...args],
]
// Isolated: a program here has the name of its package, and would find itself.
const python = (code: string): Command[] => systemFirst('python3', '-I', '-c', code)

export const PROGRAMS: readonly Program[] = [
  {
    name: 'Authlib',
    team: 'signed',
    needs: 'python3-authlib',
    probes: python('import authlib, requests'),
    args: ['-I', beside('authlib.py')],
    readsReason: false,
  },
  {
    name: 'requests-oauthlib',
    team: 'basic',
    needs: 'python3-requests-oauthlib',
    probes: python('import requests_oauthlib'),
    args: ['-I', beside('requests_oauthlib.py')],
    readsReason: false,
  },
  {
    name: 'rack-oauth2',
    team: 'posted',
    needs: 'ruby-rack-oauth2',
    probes: systemFirst('ruby', '-e', 'gem "rack-oauth2"'),
    args: [beside('rack_oauth2.rb')],
    readsReason: true,
  },
  {
    name: 'Go x/oauth2',
    team: 'basic',
    needs: 'golang-golang-x-oauth2-dev',
    probes: systemFirst('go', 'list', 'golang.org/x/oauth2/clientcredentials'),
    args: ['run', beside('xoauth2.go')],
    readsReason: true,
  },
  {
    name: 'curl',
    team: 'basic',
    needs: 'curl',
    probes: systemFirst('sh', '-c', 'curl --version'),
    args: [beside('curl.sh')],
    readsReason: true,
  },
]

/** Settings of the machine stay out, but for where programs are and where a compiler may keep what it made. */
const ENVIRONMENT = {
  PATH: env['PATH'],
  GOCACHE: env['GOCACHE'] ?? join(homedir(), '.cache/go-build'),
  // Debian's packages of Go are sources in a tree of before modules.
  GO111MODULE: 'off',
  GOPATH: '/usr/share/gocode',
  SSL_CERT_FILE: target.ca,
  REQUESTS_CA_BUNDLE: target.ca,
  CURL_CA_BUNDLE: target.ca,
}

/** The program to run it by; undefined where nothing here can. */
export async function findProgram({ probes }: Program): Promise<string | undefined> {
  const tries = probes.map(([program, ...args]) =>
    run(program, args, { env: ENVIRONMENT }).then(
      () => program,
      () => undefined,
    ),
  )
  return (await Promise.all(tries)).find((program) => program !== undefined)
}

/** Rejects, with what it wrote to stderr, when it ends badly. */
export async function walkWith(program: string, { team, args }: Program): Promise<Walk> {
  const hops = hopsOf(team, target.apis.ledger)
  const { read, write } = target.apis.ledger
  const given = {
    issuer: target.issuer,
    token_endpoint: `${target.issuer}/token`,
    ca: target.ca,
    api: ENTRIES,
    grant_type: EXCHANGE,
    subject_token: idToken(team),
    wider: `${read} ${write}`,
    hops: hops.map(({ agent, parameters }) => ({ ...agent, parameters })),
  }
  const variables = Object.entries(given).filter(([, value]) => typeof value === 'string')
  const perHop = hops.flatMap(({ agent, parameters }, at) => [
    [`CLIENT_${at + 1}`, `${agent.client_id}:${agent.secret}`],
    ...Object.entries(parameters).map(([name, value]) => [
      `${name.toUpperCase()}_${at + 1}`,
      value,
    ]),
  ])
  const flat = [...variables.map(([name, value]) => [name.toUpperCase(), value]), ...perHop]
  const walking = run(program, args, { env: { ...ENVIRONMENT, ...Object.fromEntries(flat) } })
  walking.child.stdin?.end(JSON.stringify(given))
  const { stdout } = await walking
  return JSON.parse(stdout) as Walk
}
