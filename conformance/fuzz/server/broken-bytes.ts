/** Bytes that are not quite HTTP. */
import type { Random } from '../random.ts'
import type { Sent } from './wire.ts'

/** The request as bytes that are not quite HTTP. */
export function brokenBytes(
  { method, url, headers, body = new Uint8Array() }: Sent,
  random: Random,
): Uint8Array {
  const { host, pathname, search } = new URL(url)
  const lines = headers.map(([name, value]) => `${name}: ${value}`)
  const length = random.pick([
    `content-length: ${body.length}`,
    `content-length: ${body.length + 5}`,
    `content-length: ${body.length}\r\ncontent-length: 1`,
    'content-length: -1',
    'transfer-encoding: chunked',
    `content-length: ${body.length}\r\ntransfer-encoding: chunked`,
    'content-length: 99999999999999999999',
  ])
  const start = random.pick([
    `${method} ${pathname}${search} HTTP/1.1`,
    `${method} ${pathname} HTTP/9.9`,
    `${method}  ${pathname} HTTP/1.1`,
    `${method} ${url} HTTP/1.1`,
    'GET',
    '\u0000\u0000',
    `${method} ${pathname}\u0000 HTTP/1.1`,
    `PRI * HTTP/2.0`,
  ])
  const more = random.pick([
    '',
    'x: y\n z',
    'x : y',
    ': y',
    `x: ${'y'.repeat(20_000)}`,
    'host: evil.example',
    'expect: 100-continue',
    'upgrade: websocket\r\nconnection: upgrade',
  ])
  const end = random.pick(['\r\n', '\n'])
  const head =
    [start, `host: ${host}`, 'connection: close', ...lines, length, more]
      .filter((line) => line !== '')
      .join(end) +
    end +
    end
  return Buffer.concat([Buffer.from(head, 'latin1'), body])
}
