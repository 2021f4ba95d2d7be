/** Decompression with an end to it (Token Status List §4.1: ZLIB, RFC 1950). A few bytes can be a great many. */

/** Bytes handed over at a time, so that no runtime inflates more than a thousand times this before it is asked again. */
const SLICE = 8_192

/**
 * Returns undefined where the bytes are no ZLIB data, end early, go on after their end, or hold more than `maxBytes`. Not every runtime
 * looks at the end, so the checksum is ours: it has to be the last that came.
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
      if (done) {
        const whole = joined(chunks, length)
        return endsWith(bytes, adler32(whole)) ? whole : undefined
      }
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

/** Bytes summed up before the sums are cut: they stay exact. */
const RUN = 4_096
const PRIME = 65_521

/** RFC 1950 §8.2. */
function adler32(bytes: Uint8Array): readonly [high: number, low: number] {
  let low = 1
  let high = 0
  for (let from = 0; from < bytes.length; from += RUN) {
    for (const byte of bytes.subarray(from, from + RUN)) {
      low += byte
      high += low
    }
    low %= PRIME
    high %= PRIME
  }
  return [high, low]
}

function endsWith(bytes: Uint8Array, [high, low]: readonly [number, number]): boolean {
  const end = [high >> 8, high & 255, low >> 8, low & 255]
  return bytes.length > 4 && end.every((byte, at) => bytes.at(at - 4) === byte)
}
