/**
 * Bodies of the management API: bounded in octets, time and structure before anything is built of them, then one strict JSON
 * object, or a form without repetition.
 */
import type { IncomingMessage } from 'node:http'
import { type JsonObject, readStrictJson } from '../../../lib/src/strict-json.ts'

/** Milliseconds from the first look at a body to its last octet. */
const PATIENCE_MS = 10_000
const JSON_TYPE = /^application\/json *(?:; *charset="?utf-8"? *)?$/i
const FORM_TYPE = /^application\/x-www-form-urlencoded *(?:; *charset="?utf-8"? *)?$/i
/** Brackets, colons and commas outside strings: building members costs more than reading their octets. */
const MAX_STRUCTURE = 20_000
const MAX_DEPTH = 8
const MAX_PARAMETERS = 64

export type BodyFault = 'media_type_unsupported' | 'request_too_large' | 'request_timeout' | 'body'

export async function readJsonBody(
  req: IncomingMessage,
  limit: number,
): Promise<JsonObject | BodyFault> {
  if (!JSON_TYPE.test(req.headers['content-type'] ?? '')) return 'media_type_unsupported'
  const bytes = await readBytes(req, limit)
  if (typeof bytes === 'string') return bytes
  if (!hasBoundedStructure(bytes)) return 'request_too_large'
  return readStrictJson(bytes, MAX_DEPTH) ?? 'body'
}

/** Parameters that have a value (RFC 6749 §3.2). Any that stands twice is a fault. */
export async function readFormBody(
  req: IncomingMessage,
  limit: number,
): Promise<Readonly<Record<string, string>> | BodyFault> {
  if (!FORM_TYPE.test(req.headers['content-type'] ?? '')) return 'body'
  const bytes = await readBytes(req, limit)
  if (typeof bytes === 'string') return bytes
  const pairs = [...new URLSearchParams(bytes.toString('utf8'))]
  const names = new Set(pairs.map(([name]) => name))
  if (names.size !== pairs.length || pairs.length > MAX_PARAMETERS) return 'body'
  return Object.fromEntries(pairs.filter(([, value]) => value !== ''))
}

/** All of a body as it is, not encoded. */
export async function readBytes(req: IncomingMessage, limit: number): Promise<Buffer | BodyFault> {
  if (req.headers['content-encoding'] !== undefined) return 'media_type_unsupported'
  if (Number(req.headers['content-length'] ?? 0) > limit) return 'request_too_large'
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let size = 0
    const end = (outcome: Buffer | BodyFault): void => {
      clearTimeout(timer)
      req.removeAllListeners('data')
      req.pause()
      resolve(outcome)
    }
    const timer = setTimeout(() => end('request_timeout'), PATIENCE_MS)
    req.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > limit) end('request_too_large')
      else chunks.push(chunk)
    })
    req.once('end', () => end(Buffer.concat(chunks)))
    req.once('error', () => end('body'))
    req.once('close', () => end('body'))
  })
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const STRUCTURE: ReadonlySet<number> = new Set(Buffer.from('{}[]:,'))

/** Linear; stops at the first mark too many. What is no JSON is for the reader to refuse. */
function hasBoundedStructure(bytes: Buffer): boolean {
  let marks = 0
  let isText = false
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at] ?? 0
    if (isText && byte === BACKSLASH) at += 1
    else if (byte === QUOTE) isText = !isText
    else if (!isText && STRUCTURE.has(byte)) {
      marks += 1
      if (marks > MAX_STRUCTURE) return false
    }
  }
  return true
}
