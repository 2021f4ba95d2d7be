/** Decompression with an end to it (Token Status List §4.1: ZLIB, RFC 1950). A few bytes can be a great many. */

/** Bytes handed over at a time, so that no runtime inflates more than a thousand times this before it is asked again. */
const SLICE = 8_192

/**
 * Returns undefined where the bytes are no ZLIB data, end early, or hold more than `maxBytes`. What comes after the end is no part of
 * the data (RFC 1950 §2.3): some runtimes pass over it, some refuse it, and the issuer signed it either way.
 */
export async function inflate(
  bytes: Uint8Array<ArrayBuffer>,
  maxBytes: number,
): Promise<Uint8Array | undefined> {
  const reader = slicesOf(bytes).pipeThrough(new DecompressionStream('deflate')).getReader()
  const chunks: Uint8Array[] = []
  let length = 0
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return joined(chunks, length)
      length += value.length
      if (length > maxBytes) return undefined
      chunks.push(value)
    }
  } catch {
    return undefined
  } finally {
    // Ends what is left of a bomb; of a stream that is over it does nothing.
    reader.cancel().catch(() => undefined)
  }
}

function slicesOf(bytes: Uint8Array<ArrayBuffer>): ReadableStream<Uint8Array<ArrayBuffer>> {
  let at = 0
  return new ReadableStream({
    pull: (controller) => {
      if (at >= bytes.length) return controller.close()
      controller.enqueue(bytes.subarray(at, at + SLICE))
      at += SLICE
    },
  })
}

function joined(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length)
  let at = 0
  for (const chunk of chunks) {
    whole.set(chunk, at)
    at += chunk.length
  }
  return whole
}
