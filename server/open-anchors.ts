/**
 * Wires what stands outside: anchors that get this server's checkpoints, and what this server does for other logs as their witness.
 * All of it is the operator's (server/anchors-file.ts), and nothing of it is needed to issue.
 */
import { createHash, randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { setTimeout } from 'node:timers/promises'
import { openOctetSigner } from '../keys/octet-signer.ts'
import { formatVkey, parseCheckpoint, parseNote, parseVkey } from '../lib/src/audit/index.ts'
import type { AnchorSetting, AnchorSettings } from './anchors-file.ts'
import {
  appendAnchored,
  keepCosignatures,
  readAnchored,
  readNewest,
} from './audit/anchored-checkpoints.ts'
import { logsUnder } from './audit/log-paths.ts'
import type { LogTrees } from './audit/log-trees.ts'
import type { Config } from './config.ts'
import { isRefusal } from './core/refusal.ts'
import { createTextSender } from './fetch/text-sender.ts'
import type { RequestListener } from './http/dispatch.ts'
import { createWitnessDoor } from './http/witness.ts'
import { createPeerLimits } from './oauth/peer-limits.ts'
import { faultReason, type Log } from './telemetry/log.ts'
import { AnchorRounds } from './use-cases/anchor-checkpoints.ts'
import { createFileAnchor } from './use-cases/append-checkpoint.ts'
import { createWitnessAnchor } from './use-cases/ask-witness.ts'
import { PLATFORM } from './use-cases/author.ts'
import type {
  CheckpointAnchor,
  OfferedCheckpoint,
  PostText,
} from './use-cases/checkpoint-anchor.ts'
import type { AuditLog, Clock, WitnessedLogs } from './use-cases/ports.ts'
import { createHttpAnchor } from './use-cases/post-checkpoint.ts'
import { Witness } from './use-cases/witness-checkpoint.ts'

export interface AnchorsEdges {
  readonly log: Log
  readonly clock: Clock
  readonly audit: AuditLog
  readonly trees: Pick<LogTrees, 'catchUp'>
  readonly witnessed: WitnessedLogs
  /** Seals the key of our cosignatures. */
  readonly secret: string
}

export interface OpenedAnchors {
  /** The witness's door; undefined: this server is nobody's. */
  readonly listener: RequestListener | undefined
  /** Logs that do not fit what an anchor has of them. */
  conflicts(): Iterable<string>
  /** Aborts what is under way; the next start goes on with what is newest then. */
  close(): Promise<void>
}

/** RFC 6750 §2.1, as a file holds it. */
const BEARER = /^[A-Za-z0-9._~+/-]{1,16384}=*$/

export async function openAnchors(
  config: Config,
  settings: AnchorSettings,
  edges: AnchorsEdges,
): Promise<OpenedAnchors> {
  const isWitness = settings.witnessFor.size > 0
  const listener = isWitness ? await openWitness(config, settings, edges) : undefined
  const rounds = startRounds(config, settings, edges)
  return { listener, ...rounds }
}

function startRounds(
  { dataFolder, internalOrigins }: Config,
  settings: AnchorSettings,
  edges: AnchorsEdges,
): Omit<OpenedAnchors, 'listener'> {
  const { log, clock, trees } = edges
  const closing = new AbortController()
  const send = createTextSender(
    { loopbackOrigins: settings.loopbackOrigins, internalOrigins: new Set(internalOrigins) },
    closing.signal,
  )
  const makeAnchor = createAnchorMaker({
    post: async (url, text, authorization) => send({ url, text, authorization }),
    trees,
  })
  const newest = async (name: string): Promise<OfferedCheckpoint | undefined> =>
    readOffered(dataFolder, name)
  const rounds = new AnchorRounds({
    clock,
    anchors: settings.anchors.map(makeAnchor),
    every: settings.every,
    logs: () => logsUnder(dataFolder),
    newest,
    keepCosignatures: async (checkpoint, lines) =>
      keepCosignatures({ dataFolder, log: checkpoint.log }, checkpoint.note, lines),
    onAnswer: (anchor, tenant, { kind, why }) => {
      const fields = { event: `audit_anchor_${kind}`, tenant, reason: `${anchor.name}: ${why}` }
      if (kind === 'conflict') log.error(fields)
      else log.warn(fields)
    },
    onFault: (fault, tenant) =>
      log.error({
        event: 'audit_anchor_failed',
        ...(tenant !== undefined && { tenant }),
        reason: faultReason(fault),
      }),
  })
  const ended =
    settings.anchors.length === 0 ? undefined : repeat(rounds, settings.every, closing.signal)
  return {
    conflicts: () => rounds.conflicts(),
    close: async () => {
      rounds.stop()
      closing.abort()
      await ended
    },
  }
}

/** One round after the other, `every` seconds between the end of one and the begin of the next. */
async function repeat(rounds: AnchorRounds, every: number, closing: AbortSignal): Promise<void> {
  while (!closing.aborted) {
    await rounds.run()
    // An aborted pause is the end, not a fault.
    await setTimeout(every * 1000, undefined, { signal: closing, ref: false }).catch(() => {})
  }
}

/** The newest checkpoint as it is on disk now, whichever process signed it. */
async function readOffered(
  dataFolder: string,
  log: string,
): Promise<OfferedCheckpoint | undefined> {
  const note = await readNewest(dataFolder, log)
  if (note === undefined) return undefined
  const newestSize = async () => sizeOf((await readNewest(dataFolder, log)) ?? note)
  return { log, note, size: sizeOf(note), newestSize }
}

const sizeOf = (note: string): number => parseCheckpoint(parseNote(note).text).size

function createAnchorMaker({
  post,
  trees,
}: Pick<AnchorsEdges, 'trees'> & { readonly post: PostText }): (
  setting: AnchorSetting,
) => CheckpointAnchor {
  return (setting) => {
    switch (setting.kind) {
      case 'file':
        return createFileAnchor({
          folder: setting.path,
          newestKept: async (log) => readAnchored(setting.path, log),
          append: async (log, note) => appendAnchored(setting.path, log, note),
          rootOf: async (log, size) => (await trees.catchUp(log)).root(size),
        })
      case 'http':
        return createHttpAnchor({
          url: setting.url,
          post,
          authorization: async () => readBearer(setting.tokenFile),
        })
      case 'witness':
        return createWitnessAnchor({
          ...setting,
          post,
          proveConsistency: async (log, from, to) =>
            (await trees.catchUp(log)).consistencyProof(from, to),
        })
    }
  }
}

async function readBearer(file: string | undefined): Promise<string | undefined> {
  if (file === undefined) return undefined
  const token = (await readFile(file, 'latin1')).trim()
  if (!BEARER.test(token)) throw new TypeError('not a bearer token')
  return `Bearer ${token}`
}

async function openWitness(
  { dataFolder, publicUrl, proxies }: Config,
  { witnessFor }: AnchorSettings,
  { log, clock, audit, witnessed, secret }: AnchorsEdges,
): Promise<RequestListener> {
  const { publicKey, sign } = openOctetSigner({ dataFolder, owner: `${PLATFORM}.witness`, secret })
  const name = `${new URL(publicUrl).host}/witness`
  const vkey = await formatVkey(name, 'cosignature/v1', publicKey)
  const witness = new Witness({
    clock,
    audit,
    randomId: () => randomBytes(16).toString('base64url'),
    logs: witnessFor,
    witnessed,
    key: await parseVkey(vkey),
    sign,
    onConflict: (origin) => log.error({ event: 'audit_witness_conflict', reason: origin }),
  })
  const peers = createPeerLimits(proxies)
  const origins = new Map([...witnessFor.keys()].map((origin) => [hashOf(origin), origin]))
  return createWitnessDoor({
    answer: async (body) => witness.answer(body),
    vkey,
    cosignedOf: (hash) => {
      const origin = origins.get(hash)
      return origin === undefined ? undefined : witnessed.find(origin)?.note
    },
    peers: {
      isOver: (address) => isRefusal(peers.findOver(address, clock.now())),
      countFailure: (address) => peers.countFailure(address, clock.now()),
    },
    onFault: (fault) => log.error({ event: 'request_failed', reason: faultReason(fault) }),
  })
}

const hashOf = (origin: string): string => createHash('sha256').update(origin).digest('hex')
