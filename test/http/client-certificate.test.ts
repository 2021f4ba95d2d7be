/** Whose certificate a request comes with: over real TLS, from clients, from proxies, and from whoever says to be one. */
import { once } from 'node:events'
import { createServer as createPlainServer, type IncomingMessage, type Server } from 'node:http'
import { createServer } from 'node:https'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isRefusal } from '../../server/core/refusal.ts'
import { createClientCertificates } from '../../server/http/client-certificate.ts'
import {
  CLIENT_AUTH,
  makeIntermediate,
  makeLeaf,
  makeRoot,
  makeSelfSigned,
  type TestCertificate,
} from '../support/certificates.ts'
import { type Connection, connectTo, makeServerCertificate } from '../support/tls-connection.ts'

const PROXY = '127.0.0.2'

interface Seen {
  readonly thumbprint?: string
  readonly chain?: readonly string[]
  readonly guard?: string
  /** Of headers, raw headers and distinct headers: what tells of certificates. */
  readonly left: readonly string[]
}

let port: number
let server: Server
let authority: TestCertificate
let proxies: TestCertificate
let proxy: TestCertificate
let client: TestCertificate
const closing: (() => void)[] = []

beforeAll(async () => {
  authority = await makeRoot()
  proxies = await makeRoot({ subject: 'CN=Proxies' })
  const own = await makeServerCertificate(authority)
  proxy = await makeLeaf(proxies, { subject: 'CN=proxy', extendedKeyUsage: [CLIENT_AUTH] })
  client = await makeSelfSigned()
  server = createServer(
    {
      cert: own.pem,
      key: own.keyPem,
      requestCert: true,
      rejectUnauthorized: false,
      ca: proxies.pem,
    },
    answerWith([PROXY]),
  )
  port = await listen(server)
})
afterAll(() => {
  for (const close of closing) close()
})

function answerWith(addresses: readonly string[]) {
  const { receive, certificateOf } = createClientCertificates(addresses)
  return (req: IncomingMessage, res: { end(text: string): void }) => {
    // As Node does before any listener runs.
    void req.headers['expect']
    receive(req)
    const certificate = certificateOf(req)
    const names = [
      ...Object.keys(req.headers),
      ...req.rawHeaders,
      ...Object.keys(req.headersDistinct),
    ]
    const left = names.filter((name) => /cert|verify/i.test(name))
    const seen: Seen = isRefusal(certificate)
      ? { guard: `${certificate.reason} ${certificate.guard}`, left }
      : certificate === undefined
        ? { left }
        : {
            thumbprint: certificate.thumbprint,
            chain: certificate.chain.map((der) => Buffer.from(der).toString('base64')),
            left,
          }
    res.end(JSON.stringify(seen))
  }
}

async function listen(one: Server): Promise<number> {
  one.listen(0, '127.0.0.1')
  await once(one, 'listening')
  closing.push(
    () => one.closeAllConnections(),
    () => one.close(),
  )
  const address = one.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

async function see(connection: Connection): Promise<Seen> {
  const { send, close } = connectTo(authority, connection)
  closing.push(close)
  const answer = await send(`https://127.0.0.1:${port}/`, { method: 'POST', body: '', headers: {} })
  return JSON.parse(await answer.text())
}

const atProxy = (...lines: (readonly [string, string])[]): Connection => ({
  certificate: proxy,
  localAddress: PROXY,
  lines,
})
const binary = ({ der }: TestCertificate): string => `:${Buffer.from(der).toString('base64')}:`
const none: Seen = { left: [] }

describe('from the socket', () => {
  test('the client’s own certificate, and what it sends beside it', async () => {
    const root = await makeRoot()
    const intermediate = await makeIntermediate(root)
    const leaf = await makeLeaf(intermediate)
    expect(await see({ certificate: leaf, chain: [intermediate, root] })).toEqual({
      thumbprint: leaf.thumbprint,
      chain: [intermediate, root].map(({ der }) => Buffer.from(der).toString('base64')),
      left: [],
    })
    expect(await see({ certificate: client })).toEqual({
      ...none,
      thumbprint: client.thumbprint,
      chain: [],
    })
  })

  test('of a chain the first eight', async () => {
    let issuer = await makeRoot()
    const chain: TestCertificate[] = []
    for (let at = 0; at < 10; at++) {
      issuer = await makeIntermediate(issuer)
      chain.unshift(issuer)
    }
    const seen = await see({ certificate: await makeLeaf(issuer), chain })
    expect(seen.chain).toHaveLength(8)
  })

  test('no certificate is none', async () => {
    expect(await see({})).toEqual(none)
  })

  test('over plain http there is none, whatever a header says', async () => {
    const plain = createPlainServer(answerWith(['127.0.0.1']))
    const plainPort = await listen(plain)
    const answer = await fetch(`http://127.0.0.1:${plainPort}/`, {
      headers: { 'client-cert': binary(client) },
    })
    expect(await answer.json()).toEqual(none)
  })
})

describe('from a listed proxy', () => {
  test('its header, as RFC 9440 writes it', async () => {
    const root = await makeRoot()
    const intermediate = await makeIntermediate(root)
    const leaf = await makeLeaf(intermediate)
    const chain = [intermediate, root].map(({ der }) => Buffer.from(der).toString('base64'))
    const expected = { thumbprint: leaf.thumbprint, chain, left: [] }
    const [one, two] = [binary(intermediate), binary(root)]
    for (const lines of [
      [['Client-Cert-Chain', `${one}, ${two}`]],
      [['client-cert-chain', `${one} ,\t${two}`]],
      [
        ['Client-Cert-Chain', one],
        ['Client-Cert-Chain', two],
      ],
    ] as [string, string][][]) {
      expect(await see(atProxy(['Client-Cert', binary(leaf)], ...lines))).toEqual(expected)
    }
    expect(await see(atProxy(['CLIENT-CERT', binary(leaf)]))).toEqual({ ...expected, chain: [] })
  })

  test('the certificate of RFC 8705 appendix A has the thumbprint it has there', async () => {
    const certificate =
      'MIIBBjCBrAIBAjAKBggqhkjOPQQDAjAPMQ0wCwYDVQQDDARtdGxzMB4XDTE4MTAxODEyMzcwOVoXDTIyMDUwMjEyMzcwOVow' +
      'DzENMAsGA1UEAwwEbXRsczBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABNcnyxwqV6hY8QnhxxzFQ03C7HKW9OylMbnQZjjJ' +
      '/Au08/coZwxS7LfA4vOLS9WuneIXhbGGWvsDSb0tH6IxLm8wCgYIKoZIzj0EAwIDSQAwRgIhAP0RC1E+vwJD/D1AGHGzuri+' +
      'hlV/PpQEKTWUVeORWz83AiEA5x2eXZOVbUlJSGQgjwD5vaUaKlLR50Q2DmFfQj1L+SY='
    const { thumbprint } = await see(atProxy(['Client-Cert', `:${certificate}:`]))
    expect(thumbprint).toBe('A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0')
  })

  test('without a header no certificate, never the proxy’s own', async () => {
    expect(await see(atProxy())).toEqual(none)
    expect(await see(atProxy(['X-Forwarded-Client-Cert', binary(client)]))).toEqual(none)
  })

  test.each<[string, (good: string) => readonly (readonly [string, string])[]]>([
    [
      'two lines',
      (good) => [
        ['Client-Cert', good],
        ['Client-Cert', good],
      ],
    ],
    ['two in a line', (good) => [['Client-Cert', `${good}, ${good}`]]],
    ['nothing', () => [['Client-Cert', '']]],
    ['an empty byte sequence', () => [['Client-Cert', '::']]],
    ['no colons', (good) => [['Client-Cert', good.slice(1, -1)]]],
    ['a parameter', (good) => [['Client-Cert', `${good};a=1`]]],
    ['white space inside', (good) => [['Client-Cert', good.replace('M', 'M ')]]],
    [
      'base64url',
      (good) => [
        ['Client-Cert', good.replaceAll('+', '-').replaceAll('/', '_').replace(/^:./, ':_')],
      ],
    ],
    [
      'a byte after the certificate',
      (good) => [
        ['Client-Cert', `:${Buffer.concat([bytes(good), Buffer.from([0])]).toString('base64')}:`],
      ],
    ],
    [
      'a byte less',
      (good) => [['Client-Cert', `:${bytes(good).subarray(0, -1).toString('base64')}:`]],
    ],
    ['PEM', () => [['Client-Cert', `:${Buffer.from(client.pem).toString('base64')}:`]]],
    ['PEM with % for line ends', () => [['Client-Cert', encodeURIComponent(client.pem)]]],
    ['no certificate', () => [['Client-Cert', ':AAAA:']]],
    ['9 KB', () => [['Client-Cert', `:${'A'.repeat(9000)}:`]]],
    ['a chain alone', (good) => [['Client-Cert-Chain', good]]],
    [
      'an empty chain',
      (good) => [
        ['Client-Cert', good],
        ['Client-Cert-Chain', ''],
      ],
    ],
    [
      'a hole in its chain',
      (good) => [
        ['Client-Cert', good],
        ['Client-Cert-Chain', `${good},,${good}`],
      ],
    ],
    [
      'a chain of nine',
      (good) => [
        ['Client-Cert', good],
        ['Client-Cert-Chain', Array.from({ length: 9 }, () => good).join(',')],
      ],
    ],
    [
      'no certificate in its chain',
      (good) => [
        ['Client-Cert', good],
        ['Client-Cert-Chain', ':AAAA:'],
      ],
    ],
  ])('refuses as malformed, and does not ignore: %s', async (_, lines) => {
    expect(await see(atProxy(...lines(binary(client))))).toEqual({
      guard: 'request_malformed client_certificate_header',
      left: [],
    })
  })

  test('one connection of it speaks for many clients, one request at a time', async () => {
    const other = await makeSelfSigned()
    const { send, close } = connectTo(authority, atProxy())
    closing.push(close)
    const ask = async (headers: Record<string, string>): Promise<string | undefined> => {
      const answer = await send(`https://127.0.0.1:${port}/`, { method: 'POST', body: '', headers })
      return ((await answer.json()) as Seen).thumbprint
    }
    expect(await ask({ 'client-cert': binary(client) })).toBe(client.thumbprint)
    expect(await ask({ 'client-cert': binary(other) })).toBe(other.thumbprint)
    expect(await ask({})).toBeUndefined()
  })
})

describe('E08 from a stranger', () => {
  const spellings = [
    'Client-Cert',
    'CLIENT-CERT',
    'client-cert',
    'Client_Cert',
    'Client-Cert-Chain',
    'X-Forwarded-Client-Cert',
    'x-forwarded-CLIENT-cert',
    'X-SSL-Client-Cert',
    'X_SSL_CLIENT_CERT',
    'Ssl-Client-Cert',
    'X-Client-Cert',
    'X-ARR-ClientCert',
    'X-Amzn-Mtls-Clientcert-Leaf',
    'X-SSL-Client-Verify',
  ]

  test('E08 no header counts or stays, in any spelling, once or often', async () => {
    const lines = spellings.flatMap((name) => [
      [name, binary(client)] as const,
      [name, binary(client)] as const,
    ])
    expect(await see({ lines })).toEqual(none)
    const own = await makeSelfSigned()
    expect(await see({ certificate: own, lines })).toEqual({
      thumbprint: own.thumbprint,
      chain: [],
      left: [],
    })
  })

  const spoofed = () => ({ lines: [['Client-Cert', binary(client)] as const] })

  test('E08 from a listed address without the proxy’s certificate', async () => {
    expect(await see({ localAddress: PROXY, ...spoofed() })).toEqual(none)
  })

  test('E08 from a listed address with a certificate of nobody’s, a stranger’s or one that ran out', async () => {
    const hour = 3_600_000
    const past = {
      notBefore: new Date(Date.now() - 3 * hour),
      notAfter: new Date(Date.now() - hour),
    }
    const [self, other, expired] = [
      await makeSelfSigned({ subject: 'CN=proxy' }),
      await makeLeaf(await makeRoot({ subject: 'CN=Proxies' }), { subject: 'CN=proxy' }),
      await makeLeaf(proxies, { subject: 'CN=proxy', ...past }),
    ]
    // Nor is its own certificate the client's: everybody behind it would have the same.
    for (const certificate of [self, other, expired]) {
      expect(await see({ certificate, localAddress: PROXY, ...spoofed() })).toEqual(none)
    }
  })

  test('E08 with the proxy’s certificate from an address nobody listed', async () => {
    expect(await see({ certificate: proxy, ...spoofed() })).toEqual(none)
    expect(await see({ certificate: proxy, localAddress: '127.0.0.3', ...spoofed() })).toEqual(none)
  })
})

function bytes(item: string): Buffer {
  return Buffer.from(item.slice(1, -1), 'base64')
}
