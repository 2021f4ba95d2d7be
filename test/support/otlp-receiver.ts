/** A collector of traces on a socket: takes OTLP over HTTP as JSON and keeps what came, or refuses it. */
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface ReceivedSpan {
  readonly name: string
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string | undefined
  /** 2: a server's span (OTLP `SpanKind`). */
  readonly kind: number
  readonly attributes: Readonly<Record<string, unknown>>
  /** 2: it failed (OTLP `StatusCode`). */
  readonly status: number
}

export interface OtlpReceiver {
  readonly url: string
  /** Bodies as they came. */
  readonly texts: readonly string[]
  readonly paths: readonly string[]
  readonly headers: readonly IncomingHttpHeaders[]
  spans(): readonly ReceivedSpan[]
  /** What is answered from now on. */
  answerWith(status: number): void
  close(): Promise<void>
}

export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  const texts: string[] = []
  const paths: string[] = []
  const headers: IncomingHttpHeaders[] = []
  let status = 200
  const server = createServer((req, res) => {
    const chunks: Buffer[] = []
    req.on('data', (chunk: Buffer) => chunks.push(chunk))
    req.on('end', () => {
      texts.push(Buffer.concat(chunks).toString())
      paths.push(`${req.method} ${req.url}`)
      headers.push(req.headers)
      res.writeHead(status, { 'content-type': 'application/json' }).end('{}')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    texts,
    paths,
    headers,
    spans: () => texts.flatMap(spansOf),
    answerWith: (next) => {
      status = next
    },
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

interface Export {
  readonly resourceSpans: readonly {
    readonly scopeSpans: readonly { readonly spans: readonly ExportedSpan[] }[]
  }[]
}

interface ExportedSpan extends Omit<ReceivedSpan, 'attributes' | 'status'> {
  readonly attributes: readonly {
    readonly key: string
    readonly value: Readonly<Record<string, unknown>>
  }[]
  readonly status: { readonly code: number }
}

function spansOf(text: string): readonly ReceivedSpan[] {
  const { resourceSpans } = JSON.parse(text) as Export
  return resourceSpans
    .flatMap(({ scopeSpans }) => scopeSpans)
    .flatMap(({ spans }) => spans)
    .map(({ name, traceId, spanId, parentSpanId, kind, attributes, status }) => ({
      name,
      traceId,
      spanId,
      parentSpanId,
      kind,
      attributes: Object.fromEntries(
        attributes.map(({ key, value }) => [key, Object.values(value)[0]]),
      ),
      status: status.code,
    }))
}
