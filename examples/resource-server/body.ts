/** Reads a small JSON or form body into `ctx.request.body`, so that a token in it is seen (RFC 6750 §2.2). */
import type { Context, Next } from 'koa'

const MAX_BYTES = 16_384

export async function readBody(ctx: Context, next: Next): Promise<void> {
  const text = await readText(ctx)
  if (text === undefined) {
    ctx.status = 413
    // The rest of the body is not read: this connection ends here.
    ctx.set('connection', 'close')
    return
  }
  if (text !== '') Object.assign(ctx.request, { body: parse(ctx, text) })
  await next()
}

/** Undefined where the body is larger than this server takes. */
async function readText(ctx: Context): Promise<string | undefined> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of ctx.req as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > MAX_BYTES) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function parse(ctx: Context, text: string): unknown {
  if (ctx.is('application/x-www-form-urlencoded') !== false) {
    return Object.fromEntries(new URLSearchParams(text))
  }
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}
