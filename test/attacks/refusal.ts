/**
 * What every refusal has to be, whatever it refuses: the one body its reason stands for, no token, not cached, and exactly
 * one entry on record that names the guard.
 */
import { closeSync, openSync, readSync, statSync } from 'node:fs'
import { expect } from 'vitest'
import { entriesPath, logFolder, logsUnder } from '../../server/audit/log-paths.ts'
import { REASONS, type Reason } from '../../server/core/refusal.ts'
import type { Answer } from '../support/agent-client.ts'
import type { TestServer } from '../support/authorization-server.ts'
import { payloadOf } from '../support/signing.ts'
import { type Claims, tokenOf } from './fixture.ts'

export interface Expected {
  readonly reason: Reason
  /** The exact guard on record, where the case is about one. */
  readonly guard?: string | RegExp
}

/** Seconds: one for what is down, up to the end of the minute for what is too much. */
const RETRY_AFTER = {
  400: /^$/,
  401: /^$/,
  413: /^$/,
  429: /^(?:[1-9]|[1-5][0-9]|60)$/,
  503: /^1$/,
}

/** Sends, and asserts the refusal as a whole. */
export async function expectRefusal(
  server: TestServer,
  expected: Expected,
  send: () => Promise<Answer>,
): Promise<Answer> {
  const before = auditMark(server)
  const answer = await send()
  expectRefused(answer, expected.reason)
  const entries = auditSince(server, before)
  const outcome = expected.reason === 'approval_required' ? 'ask' : 'refuse'
  expect(entries).toEqual([
    expect.objectContaining({
      outcome,
      reason: expected.reason,
      ref: answer.body['error_ref'],
      guard: guardMatcher(expected.guard),
    }),
  ])
  return answer
}

/** The answer alone: for refusals among parallel requests. */
export function expectRefused(answer: Answer, reason: Reason): void {
  const { error, status, text } = REASONS[reason]
  expect({ status: answer.status, body: answer.body }).toEqual({
    status,
    body: {
      error,
      error_description: text,
      reason,
      error_ref: expect.stringMatching(/^[A-Za-z0-9_-]{22}$/),
    },
  })
  expect(answer.headers.get('cache-control')).toBe('no-store')
  expect(answer.headers.get('pragma')).toBe('no-cache')
  expect(answer.headers.get('retry-after') ?? '').toMatch(RETRY_AFTER[status])
  expect(answer.text).not.toMatch(/eyJ[\w-]*\./)
}

/** Sends, asserts a grant with one entry on record, and returns the token's claims. */
export async function expectGranted(
  server: TestServer,
  send: () => Promise<Answer>,
): Promise<Claims> {
  const before = auditMark(server)
  const answer = await send()
  const claims = payloadOf(tokenOf(answer))
  expect(answer.body).toEqual({
    access_token: answer.body['access_token'],
    issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    token_type: claims['cnf']?.jkt === undefined ? 'Bearer' : 'DPoP',
    expires_in: expect.any(Number),
    scope: claims['scope'],
    cnf: claims['cnf'],
  })
  expect(answer.headers.get('cache-control')).toBe('no-store')
  expect(auditSince(server, before)).toEqual([
    expect.objectContaining({ outcome: 'permit', jti: claims['jti'], client: claims['client_id'] }),
  ])
  return claims
}

/** How long each log was at a moment. */
export type AuditMark = ReadonlyMap<string, number>

export function auditMark({ config: { dataFolder } }: TestServer): AuditMark {
  return new Map(logsUnder(dataFolder).map((log) => [log, statSync(logPath(dataFolder, log)).size]))
}

/** Entries written after the mark, one log after the other. */
export function auditSince({ config: { dataFolder } }: TestServer, mark: AuditMark): Claims[] {
  return logsUnder(dataFolder).flatMap((log) => {
    const bytes = readTail(logPath(dataFolder, log), mark.get(log) ?? 0)
    return bytes
      .toString('utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line))
  })
}

const logPath = (dataFolder: string, log: string): string => entriesPath(logFolder(dataFolder, log))

function readTail(path: string, from: number): Buffer {
  const bytes = Buffer.alloc(statSync(path).size - from)
  const file = openSync(path, 'r')
  try {
    readSync(file, bytes, 0, bytes.length, from)
    return bytes
  } finally {
    closeSync(file)
  }
}

/** Agent ids of a token's `act`, outermost first. */
export function actorsOf(claims: Claims): string[] {
  const actors: string[] = []
  for (let act = claims['act']; act !== undefined; act = act['act']) actors.push(act['sub'])
  return actors
}

function guardMatcher(guard: string | RegExp | undefined): unknown {
  if (guard === undefined) return expect.stringMatching(/^[a-z_]+$/)
  return typeof guard === 'string' ? guard : expect.stringMatching(guard)
}
