/**
 * One request to the admin API and what came back: bounded in time and size, never redirected. A problem (RFC 9457) or an OAuth
 * error becomes one sentence. All of its text may be anyone's and is escaped where it is printed.
 */
import {
  isJsonObject,
  type JsonObject,
  type JsonValue,
  readStrictJsonText,
} from '../../lib/src/strict-json.ts'
import type { Problem } from '../core/problem.ts'
import { Failure } from './failure.ts'

export interface JsonAnswer {
  readonly status: number
  /** Undefined where there is none, or where it is no JSON object. */
  readonly body: JsonObject | undefined
  readonly etag: string | undefined
}

const PATIENCE_MS = 30_000
const LARGEST_ANSWER = 32 * 1024 * 1024

/** Throws a `Failure` where there is no answer. */
export async function answerOf(url: string, request: RequestInit): Promise<JsonAnswer> {
  const signal = AbortSignal.timeout(PATIENCE_MS)
  const { origin } = new URL(url)
  try {
    const response = await fetch(url, { ...request, redirect: 'error', signal })
    return {
      status: response.status,
      body: readStrictJsonText(await readText(response)),
      etag: response.headers.get('etag') ?? undefined,
    }
  } catch (error) {
    if (error instanceof Failure) throw error
    if (signal.aborted) {
      throw new Failure(`${origin} gave no answer within ${PATIENCE_MS / 1000} s; try again.`)
    }
    // Without its cause: undici's texts are no sentences, and may repeat a header.
    throw new Failure(`No server answers at ${origin}; start it, or name another with --server.`)
  }
}

async function readText(response: Response): Promise<string> {
  if (response.body === null) return ''
  let text = ''
  const decoder = new TextDecoder()
  for await (const chunk of response.body) {
    text += decoder.decode(chunk, { stream: true })
    if (text.length > LARGEST_ANSWER) {
      throw new Failure('The answer is larger than 32 MB; this is not a server of ours.')
    }
  }
  return text + decoder.decode()
}

/** What a refusing answer says, as one sentence. */
export function problemSentence({ status, body }: JsonAnswer): string {
  const { title, detail, error_description: description, reason } = body ?? {}
  const said = [title, detail, description].filter((part) => typeof part === 'string')
  const words = said.length > 0 ? said.map(withoutStop).join(': ') : `it answered ${status}`
  return typeof reason === 'string' ? `${words} (${reason}).` : `${words}.`
}

/** The problems of a tenant's files that a server lists in its answer. */
export function problemsOf({ body }: JsonAnswer): readonly Problem[] {
  const listed = body?.['problems']
  return Array.isArray(listed) ? listed.flatMap(readProblem) : []
}

function readProblem(value: JsonValue): readonly Problem[] {
  if (!isJsonObject(value)) return []
  const { file, line, column, text, suggestion } = value
  if (typeof file !== 'string' || typeof text !== 'string') return []
  return [
    {
      file,
      line: Number(line),
      column: Number(column),
      text,
      ...(typeof suggestion === 'string' && { suggestion }),
    },
  ]
}

function withoutStop(text: string): string {
  return text.slice(0, 500).replace(/\.$/, '')
}

/** A member of an answer, where it is text. */
export function textOf(body: JsonObject | undefined, member: string): string | undefined {
  const value = body?.[member]
  return typeof value === 'string' ? value : undefined
}

/** The texts of a member that is a list. */
export function textsOf(body: JsonObject | undefined, member: string): readonly string[] {
  const value = body?.[member]
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []
}
