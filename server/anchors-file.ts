/**
 * The operator's file of outside anchors: where checkpoints go, and which logs this server is a witness of. Read at the start, and
 * by no other way: no API and no tenant's folder says where anything is written or sent.
 */
import { readFileSync, realpathSync, statSync } from 'node:fs'
import { dirname, isAbsolute, join, relative, resolve } from 'node:path'
import { z } from 'zod'
import { AuditProofError, type NoteKey, parseVkey } from '../lib/src/audit/index.ts'
import type { Config } from './config.ts'
import { formatProblem } from './core/problem.ts'
import { parseUrl } from './fetch/destination.ts'
import { FetchFault } from './fetch/fetch-fault.ts'
import { StartRefused } from './start-refused.ts'
import { duration, strict } from './tenants/fields.ts'
import { reportIssues } from './tenants/issue-problem.ts'
import type { Path } from './tenants/place.ts'
import {
  addProblems,
  emptyReport,
  type Report,
  refuse,
  refuseFile,
  sortedReport,
} from './tenants/report.ts'
import { parseYaml, type YamlDocument } from './tenants/yaml-document.ts'

const DAY = 24 * 3600
const MOST_ANCHORS = 16
const MOST_LOGS = 1000
const LARGEST_FILE = 1024 * 1024

const absolutePath = z.string().refine(isAbsolute, { error: 'expected an absolute path' })

const anchor = z.discriminatedUnion('kind', [
  strict({
    kind: z.literal('file').describe('A folder on another machine or medium.'),
    path: absolutePath.describe(
      'The folder, made with mode 0700 where it is missing. In it a file for each log.',
    ),
  }),
  strict({
    kind: z.literal('http').describe('Whatever keeps what it is sent.'),
    url: z.string().describe('Where each checkpoint is posted, as `text/plain`.'),
    token_file: absolutePath
      .optional()
      .describe('File with the bearer token it asks for; read again each time.'),
  }),
  strict({
    kind: z.literal('witness').describe('Cosigns what went on from what it cosigned before.'),
    url: z.string().describe('Its submission prefix: `add-checkpoint` is under it.'),
    key: z.string().describe('Its verifier key, as it publishes it.'),
  }),
])

const fileForm = strict({
  anchors: z
    .array(anchor)
    .max(MOST_ANCHORS, { error: `at most ${MOST_ANCHORS} anchors` })
    .default([])
    .describe('Who gets the checkpoints of every log of this server.'),
  witness_for: z
    .array(z.string())
    .max(MOST_LOGS, { error: `at most ${MOST_LOGS} logs` })
    .default([])
    .describe('Verifier keys of the logs whose checkpoints this server cosigns.'),
  every: duration(DAY)
    .prefault('60s')
    .describe('How often a newest checkpoint goes out; from `1s` to `24h`.'),
})

type AnchorEntry = z.output<typeof anchor>

export type AnchorSetting =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'http'; readonly url: string; readonly tokenFile: string | undefined }
  | { readonly kind: 'witness'; readonly url: string; readonly vkey: string; readonly key: NoteKey }

export interface AnchorSettings {
  readonly anchors: readonly AnchorSetting[]
  /** Verifier keys by the origin of their log. */
  readonly witnessFor: ReadonlyMap<string, readonly string[]>
  /** Seconds. */
  readonly every: number
  /** Origins of anchors that are plain http on loopback; none in production. */
  readonly loopbackOrigins: ReadonlySet<string>
}

const NOTHING: AnchorSettings = {
  anchors: [],
  witnessFor: new Map(),
  every: DAY,
  loopbackOrigins: new Set(),
}
const LOOPBACK = /^http:\/\/(?:127\.0\.0\.1|localhost|\[::1\])(?::|\/|$)/

/** What the operator's file says; without one, nothing is outside. Throws StartRefused with every problem of it. */
export async function readAnchorsFile(config: Config): Promise<AnchorSettings> {
  const { anchorsFile: file } = config
  if (file === undefined) return NOTHING
  const report = emptyReport()
  const settings = await read(report, file, config)
  if (settings === undefined || report.problems.length > 0) {
    throw new StartRefused(sortedReport(report).problems.map(formatProblem))
  }
  return settings
}

async function read(
  report: Report,
  file: string,
  config: Config,
): Promise<AnchorSettings | undefined> {
  const text = readText(report, file)
  if (text === undefined) return undefined
  const result = parseYaml(file, text)
  if (result.kind === 'refused') {
    addProblems(report, result.problems)
    return undefined
  }
  const { document } = result
  const checked = fileForm.safeParse(document.value)
  if (!checked.success) {
    reportIssues(report, document, [], checked.error.issues)
    return undefined
  }
  const checks = new Checks(report, document, config)
  const { anchors, witness_for: logs, every } = checked.data
  const settings = await Promise.all(anchors.map((entry, at) => checks.anchor(entry, at)))
  return {
    anchors: settings.filter((setting) => setting !== undefined),
    witnessFor: await checks.logs(logs),
    every,
    loopbackOrigins: checks.loopbackOrigins,
  }
}

function readText(report: Report, file: string): string | undefined {
  try {
    const status = statSync(file)
    if (!status.isFile()) refuseFile(report, file, { text: 'not a regular file' })
    else if (status.size > LARGEST_FILE) refuseFile(report, file, { text: 'larger than 1 MB' })
    else return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file))
  } catch (fault) {
    const text = fault instanceof TypeError ? 'not UTF-8' : 'cannot be read'
    refuseFile(report, file, { text })
  }
  return undefined
}

/** What no schema can tell: addresses, places, keys. */
class Checks {
  readonly #report: Report
  readonly #document: YamlDocument
  readonly #config: Config
  readonly #seen = new Set<string>()
  readonly loopbackOrigins = new Set<string>()

  constructor(report: Report, document: YamlDocument, config: Config) {
    this.#report = report
    this.#document = document
    this.#config = config
  }

  async anchor(entry: AnchorEntry, at: number): Promise<AnchorSetting | undefined> {
    switch (entry.kind) {
      case 'file':
        return this.#file(entry.path, ['anchors', at, 'path'])
      case 'http': {
        const url = this.#url(entry.url, ['anchors', at, 'url'])
        return url === undefined ? undefined : { kind: 'http', url, tokenFile: entry.token_file }
      }
      case 'witness': {
        const url = this.#url(entry.url, ['anchors', at, 'url'])
        const key = await this.#key(entry.key, 'cosignature/v1', ['anchors', at, 'key'])
        if (url === undefined || key === undefined) return undefined
        return { kind: 'witness', url: url.replace(/\/+$/, ''), vkey: entry.key, key }
      }
    }
  }

  async logs(vkeys: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> {
    const keys = await Promise.all(
      vkeys.map(async (vkey, at) => {
        const path = ['witness_for', at]
        const key = await this.#key(vkey, 'ed25519', path)
        if (key?.name.startsWith(`${new URL(this.#config.publicUrl).host}/`) === true) {
          this.#refuse(path, 'this is a log of this server: its own word proves nothing')
        }
        return key === undefined ? [] : [{ vkey, origin: key.name }]
      }),
    )
    const byOrigin = Map.groupBy(keys.flat(), ({ origin }) => origin)
    return new Map([...byOrigin].map(([origin, of]) => [origin, of.map(({ vkey }) => vkey)]))
  }

  #file(path: string, at: Path): AnchorSetting | undefined {
    const data = realPath(this.#config.dataFolder)
    const inside = relative(data, realPath(path))
    // Who can change the log could change its anchor with it.
    if (inside === '' || !(inside.startsWith('..') || isAbsolute(inside))) {
      return this.#refuse(at, 'this is in the data folder: an anchor beside its log proves nothing')
    }
    return this.#once(path, at) ? { kind: 'file', path } : undefined
  }

  #url(stated: string, at: Path): string | undefined {
    const isLoopback = this.#config.mode === 'development' && LOOPBACK.test(stated)
    const origin = URL.parse(stated)?.origin
    const loopback = new Set(isLoopback && origin !== undefined ? [origin] : [])
    try {
      const { hash } = parseUrl(stated, { loopback, internal: new Set() })
      if (hash !== '') return this.#refuse(at, 'a fragment is never sent: leave it out')
    } catch (fault) {
      if (!(fault instanceof FetchFault)) throw fault
      return this.#refuse(at, 'expected an https URL without user name, port 443 or above 1023')
    }
    if (origin === this.#config.publicUrl) {
      return this.#refuse(at, 'this is this server: an anchor beside its log proves nothing')
    }
    for (const name of loopback) this.loopbackOrigins.add(name)
    return this.#once(stated, at) ? stated : undefined
  }

  async #key(vkey: string, type: NoteKey['type'], at: Path): Promise<NoteKey | undefined> {
    try {
      const key = await parseVkey(vkey)
      if (key.type === type) return this.#once(vkey, at) ? key : undefined
      const [is, takes] = [key.type, type].map((named) =>
        named === 'ed25519' ? 'a log' : 'a witness',
      )
      return this.#refuse(at, `this is the key of ${is}: expected that of ${takes}`)
    } catch (fault) {
      if (!(fault instanceof AuditProofError)) throw fault
      return this.#refuse(at, 'expected a verifier key: {name}+{key id}+{base64}, of Ed25519')
    }
  }

  #once(value: string, at: Path): boolean {
    if (!this.#seen.has(value)) {
      this.#seen.add(value)
      return true
    }
    this.#refuse(at, 'this is stated twice')
    return false
  }

  #refuse(at: Path, text: string): undefined {
    refuse(this.#report, this.#document, at, { text })
  }
}

/** Where a path leads, as far as there is something: links of folders that are not there yet lead nowhere. */
function realPath(path: string): string {
  const whole = resolve(path)
  try {
    return realpathSync(whole)
  } catch {
    const parent = dirname(whole)
    return parent === whole ? whole : join(realPath(parent), relative(parent, whole))
  }
}
