/**
 * A file service whose routes are protected by the verifier. It knows its issuer, its own name and nothing else of the
 * authorization server: no call for a request, and no secret but the key with which it records what it did.
 */
import { createVerifier, type VerificationReport } from '@actchain/verifier'
import { tlsCertificate } from '@actchain/verifier/certificate'
import { protect } from '@actchain/verifier/koa'
import {
  resourceMetadata,
  resourceMetadataPath,
  resourceMetadataUrl,
} from '@actchain/verifier/metadata'
import { proofNonces } from '@actchain/verifier/nonces'
import { digestInput, type RecordedAction, withRecords } from '@actchain/verifier/records'
import { statusLists } from '@actchain/verifier/status'
import Koa, { type Context, type Middleware, type Next } from 'koa'
import { readBody } from './body.ts'
import type { Options } from './options.ts'

interface File {
  readonly name: string
  readonly text: string
}

const FIRST_FILES: readonly File[] = [{ name: 'plan.txt', text: 'Read the report, then write.' }]
const SCOPES = ['files:read', 'files:write']

export interface FileService {
  readonly app: Koa
  /** Resolves when what was done is on record, or left. */
  close(): Promise<void>
}

export function createFileService(options: Options): FileService {
  const { issuer, audience, revocation, actors, bearer, tls, nonceSecret, records } = options
  const tell = ({ kind, detail }: { kind: string; detail: string }): void =>
    console.error(kind, detail)
  const plain = createVerifier({
    issuer,
    audience,
    // What was made from a revoked token, task or agent is refused within seconds.
    revocation: revocation === 'off' ? 'off' : statusLists(),
    bearer: bearer ? 'allowed' : 'refused',
    // Tokens bound to a client's certificate are taken where this process ends TLS itself.
    ...(tls === undefined ? {} : { certificateOf: tlsCertificate }),
    ...(nonceSecret === undefined ? {} : { nonces: proofNonces({ secret: nonceSecret }) }),
    resourceMetadata: resourceMetadataUrl(audience),
    allowInsecureLoopback: true,
    onFault: tell,
  })
  const recording =
    records === undefined ? undefined : withRecords(plain, { ...records, onFault: tell })
  const verifier = recording ?? plain
  // Throws where no more can be recorded: then nothing is done either.
  const note = (ctx: Context, done: Omit<RecordedAction, 'of' | 'target' | 'outcome'>): void =>
    void recording?.record({ of: reportOf(ctx), target: '/files', outcome: 'succeeded', ...done })
  const files = [...FIRST_FILES]
  let writes = 0
  const list: Middleware = (ctx) => {
    note(ctx, { tool: 'list_files' })
    ctx.body = { files, ...seen(ctx) }
  }
  const write: Middleware = async (ctx) => {
    const body: unknown = Reflect.get(ctx.request, 'body')
    if (!isFile(body)) {
      ctx.status = 400
      return
    }
    // A name or a text of a caller is no part of a record; its digest shows later that it was this one.
    const { digest } = await digestInput(JSON.stringify(body))
    note(ctx, { tool: 'write_file', inputDigest: digest, changeRef: `write ${writes + 1}` })
    writes += 1
    files.splice(0, files.length, ...files.filter(({ name }) => name !== body.name), body)
    ctx.status = 201
    ctx.body = { name: body.name, ...seen(ctx) }
  }
  const base = new URL(audience).pathname.replace(/\/$/, '')
  const app = new Koa()
  app.use(
    metadataAt(resourceMetadataPath(audience), resourceMetadata(verifier, { scopes: SCOPES })),
  )
  app.use(readBody)
  const reading = [protect(verifier, { scope: 'files:read' }), onlyBy(actors), list]
  const writing = [protect(verifier, { scope: 'files:write' }), onlyBy(actors), write]
  app.use(route('GET', `${base}/files`, reading))
  app.use(route('POST', `${base}/files`, writing))
  return { app, close: async () => verifier.close() }
}

/** RFC 9728 §3: public, so that a client can find the issuer. */
function metadataAt(path: string, document: object): Middleware {
  return (ctx, next) => {
    if (ctx.method !== 'GET' || ctx.path !== path) return next()
    ctx.body = document
    return undefined
  }
}

function route(method: string, path: string, chain: readonly Middleware[]): Middleware {
  return (ctx, next) => {
    if (ctx.method !== method || ctx.path !== path) return next()
    const run = (at: number): Promise<unknown> =>
      Promise.resolve(chain[at]?.(ctx, () => run(at + 1)))
    return run(0)
  }
}

/** RFC 8693 §4.1: a rule on who may call looks at the current actor; earlier ones are history. */
function onlyBy(actors: ReadonlySet<string> | undefined) {
  return async (ctx: Context, next: Next): Promise<void> => {
    if (actors === undefined || actors.has(reportOf(ctx).actor.sub)) {
      await next()
      return
    }
    ctx.status = 403
    ctx.body = { error: 'access_denied' }
  }
}

/** On whose behalf, by whom, and through whom: what a real service would write to its log. */
function seen(ctx: Context): object {
  const { subject, actor, chain, txn } = reportOf(ctx)
  return { for: subject, by: actor.sub, through: chain.map(({ sub }) => sub), task: txn }
}

function reportOf(ctx: Context): VerificationReport {
  return ctx.state['verification'] as VerificationReport
}

function isFile(value: unknown): value is File {
  return (
    typeof value === 'object' &&
    value !== null &&
    'name' in value &&
    'text' in value &&
    typeof value.name === 'string' &&
    typeof value.text === 'string'
  )
}
