/**
 * The door of logs that this server is a witness of: add-checkpoint, the key that cosigns, and what was cosigned last of each log.
 * Anyone may knock; the log's own signature is what opens. Spec: https://c2sp.org/tlog-witness
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { WitnessAnswer } from '../use-cases/witness-checkpoint.ts'
import { exactPath, type RequestListener } from './dispatch.ts'
import { readBytes } from './management/body.ts'

export interface WitnessDoorDeps {
  readonly answer: (body: string) => Promise<WitnessAnswer>
  /** The verifier key of our cosignatures. */
  readonly vkey: string
  /** By the lower-case hex SHA-256 of its origin; undefined: nothing of such a log was cosigned. */
  readonly cosignedOf: (originHash: string) => string | undefined
  /** Strangers who knock in vain too often: by the address of the socket. */
  readonly peers: {
    readonly isOver: (address: string | undefined) => boolean
    readonly countFailure: (address: string | undefined) => void
  }
  readonly onFault: (fault: unknown) => void
}

export const WITNESS_PREFIX = '/witness/v1'
const ADD = `${WITNESS_PREFIX}/add-checkpoint`
const KEY = `${WITNESS_PREFIX}/key`
const CHECKPOINT = /^\/witness\/v1\/([0-9a-f]{64})\/checkpoint$/
/** Octets: 63 hashes, and a checkpoint with many signatures. */
const LARGEST_REQUEST = 64 * 1024
/** Seconds a copy may be used. */
const MAX_AGE = 60

interface Answer {
  readonly status: number
  readonly text: string
  readonly type?: string
  readonly headers?: Readonly<Record<string, string>>
}

const NOT_FOUND: Answer = { status: 404, text: 'There is nothing at this path.\n' }
const UNAVAILABLE: Answer = {
  status: 503,
  text: 'The server cannot tell now.\n',
  headers: { 'retry-after': '1' },
}
const RATE_LIMITED: Answer = {
  status: 429,
  text: 'Too many requests of this address failed.\n',
  headers: { 'retry-after': '60' },
}
const TOO_LARGE: Answer = { status: 413, text: 'The request is too large.\n' }
const MALFORMED: Answer = { status: 400, text: 'This is no request to add a checkpoint.\n' }

export function createWitnessDoor(deps: WitnessDoorDeps): RequestListener {
  return (req, res) => {
    answerTo(deps, req)
      .catch((fault: unknown) => {
        deps.onFault(fault)
        return UNAVAILABLE
      })
      .then((answer) => send(res, answer))
      .catch(deps.onFault)
  }
}

async function answerTo(deps: WitnessDoorDeps, req: IncomingMessage): Promise<Answer> {
  const path = exactPath(req)
  if (path === ADD) return req.method === 'POST' ? add(deps, req) : refuseMethod('POST')
  const found = path === KEY ? `${deps.vkey}\n` : cosigned(deps, path)
  if (found === undefined) return NOT_FOUND
  if (req.method !== 'GET' && req.method !== 'HEAD') return refuseMethod('GET, HEAD')
  return { status: 200, text: found, headers: { 'cache-control': `public, max-age=${MAX_AGE}` } }
}

function cosigned({ cosignedOf }: WitnessDoorDeps, path: string): string | undefined {
  const [, hash] = CHECKPOINT.exec(path) ?? []
  return hash === undefined ? undefined : cosignedOf(hash)
}

async function add({ answer, peers }: WitnessDoorDeps, req: IncomingMessage): Promise<Answer> {
  const address = req.socket.remoteAddress
  if (peers.isOver(address)) return RATE_LIMITED
  const body = await readText(req)
  const answered = typeof body === 'string' ? statusOf(await answer(body)) : body
  // Of a log that is known, only what its key signed gets further than this.
  if ([400, 403, 404, 413].includes(answered.status)) peers.countFailure(address)
  return answered
}

async function readText(req: IncomingMessage): Promise<string | Answer> {
  const bytes = await readBytes(req, LARGEST_REQUEST)
  if (bytes === 'request_too_large') return TOO_LARGE
  if (typeof bytes === 'string') return MALFORMED
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return MALFORMED
  }
}

function statusOf(answer: WitnessAnswer): Answer {
  switch (answer.kind) {
    case 'cosigned':
      return { status: 200, text: `${answer.line}\n` }
    case 'outdated':
      return { status: 409, text: `${answer.size}\n`, type: 'text/x.tlog.size' }
    case 'malformed':
      return MALFORMED
    case 'log_unknown':
      return { status: 404, text: 'This log is not watched here.\n' }
    case 'key_unknown':
      return { status: 403, text: 'No key known of this log signed the checkpoint.\n' }
    case 'inconsistent':
      return { status: 422, text: 'The log did not go on from its last checkpoint.\n' }
  }
}

function refuseMethod(allow: string): Answer {
  return { status: 405, text: 'There is another method for this path.\n', headers: { allow } }
}

function send(
  res: ServerResponse,
  { status, text, type = 'text/plain; charset=utf-8', headers = {} }: Answer,
): void {
  res.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    // What was not read of a refused body must not be the start of a next request.
    ...(res.req.complete ? {} : { connection: 'close' }),
    ...headers,
  })
  res.end(res.req.method === 'HEAD' ? undefined : text)
}
