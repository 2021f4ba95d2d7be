/** A process's door: HTTP on a free loopback port, told to the parent, closed when the parent is gone. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { VerificationReport } from '@actchain/verifier'
import type Koa from 'koa'
import type { Work } from './account.ts'

/** The application is built when its own origin is known: proofs are made for that URL. */
export async function openDoor(build: (origin: string) => Koa): Promise<void> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const origin = `http://127.0.0.1:${port}`
  const answer = build(origin).callback()
  server.on('request', (request, response) => void answer(request, response))
  // The channel to the parent closes with it, whatever ended it.
  process.once('disconnect', () => process.exit(0))
  process.send?.({ origin })
}

const LARGEST_WORK = 64 * 1024

export async function readWork<Kind extends Work>({ req }: Koa.Context): Promise<Kind> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of req as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > LARGEST_WORK) throw new RangeError('more work than the demo hands out')
    chunks.push(chunk)
  }
  return JSON.parse(Buffer.concat(chunks).toString()) as Kind
}

export interface Received {
  readonly token: string
  readonly report: VerificationReport
}

/** What `protect` let through. */
export function received(ctx: Koa.Context): Received {
  return { token: presentedToken(ctx), report: ctx.state['verification'] as VerificationReport }
}

/** The text after the scheme, whatever it is. */
export function presentedToken(ctx: Koa.Context): string {
  return ctx.get('authorization').replace(/^\S+ +/, '')
}
