/** Answers that are texts one after the other: as fast as they are read, and no longer than somebody reads. */
import type { ServerResponse } from 'node:http'
import { sharedHeaders } from './reply.ts'
import type { TextReply } from './route.ts'

/** Milliseconds a reader may take for what it was sent, before it is given up. */
const PATIENCE_MS = 30_000

/**
 * Resolves when all of it was handed over, or nobody reads any more. Throws what the texts throw: before the first of them nothing
 * was sent, after it the connection is cut, so that what came is not taken for the whole.
 */
export async function sendTexts(
  res: ServerResponse,
  { status, type, texts, headers = {} }: TextReply,
): Promise<void> {
  const iterator = texts[Symbol.asyncIterator]()
  try {
    let next = await iterator.next()
    res.writeHead(status, { ...sharedHeaders(res), 'content-type': type, ...headers })
    for (; next.done !== true; next = await iterator.next()) {
      if (res.closed || (!res.write(next.value) && !(await isRead(res)))) {
        res.destroy()
        return
      }
    }
    res.end()
  } catch (fault) {
    if (res.headersSent) res.destroy()
    throw fault
  } finally {
    await iterator.return?.()
  }
}

/** True once what was written is taken; false where the reader is gone or takes too long. */
function isRead(res: ServerResponse): Promise<boolean> {
  return new Promise((resolve) => {
    const settle = (read: boolean): void => {
      clearTimeout(timer)
      res.off('drain', onDrain).off('close', onClose)
      resolve(read)
    }
    const onDrain = (): void => settle(true)
    const onClose = (): void => settle(false)
    const timer = setTimeout(onClose, PATIENCE_MS)
    res.on('drain', onDrain).on('close', onClose)
  })
}
