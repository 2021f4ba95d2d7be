import { buildConnector } from 'undici'
import { afterEach, describe, expect, test } from 'vitest'
import { FetchFault } from '../../server/fetch/fetch-fault.ts'
import { createFetcher, type FetchJson } from '../../server/fetch/fetcher.ts'
import type { WayOutDeps } from '../../server/fetch/way-out.ts'
import { type JsonServer, sendJson, startHttp, startHttps } from './json-server.ts'

const PUBLIC = '93.184.215.14'
const servers: JsonServer[] = []

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()))
})

async function http(listener: Parameters<typeof startHttp>[0]): Promise<JsonServer> {
  const server = await startHttp(listener)
  servers.push(server)
  return server
}

/** A fetcher that lets this server's origin through. */
function fetcherFor(server: JsonServer, deps: WayOutDeps = {}): FetchJson {
  return createFetcher({ loopbackOrigins: new Set([server.origin]), ...deps })
}

async function faultOf(work: Promise<unknown>): Promise<FetchFault> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(FetchFault)
  return error as FetchFault
}

describe('K01: refused before a connection', () => {
  const spellings = [
    ['loopback', 'https://127.0.0.1/jwks', 'address_refused'],
    ['all of 127/8', 'https://127.9.9.9/jwks', 'address_refused'],
    ['this host', 'https://0.0.0.0/jwks', 'address_refused'],
    ['link-local metadata', 'https://169.254.169.254/latest/meta-data', 'address_refused'],
    ['a private network', 'https://10.0.0.1/jwks', 'address_refused'],
    ['hexadecimal', 'https://0x7f.1/jwks', 'address_refused'],
    ['one number', 'https://2130706433/jwks', 'address_refused'],
    ['octal', 'https://0177.0.0.1/jwks', 'address_refused'],
    ['full-width digits', 'https://１２７.０.０.１/jwks', 'address_refused'],
    ['an ideographic full stop', 'https://127。0。0。1/jwks', 'address_refused'],
    ['a trailing dot', 'https://127.0.0.1./jwks', 'address_refused'],
    ['IPv6 loopback', 'https://[::1]/jwks', 'address_refused'],
    ['IPv4 mapped', 'https://[::ffff:127.0.0.1]/jwks', 'address_refused'],
    ['IPv4 mapped, in hexadecimal', 'https://[::ffff:7f00:1]/jwks', 'address_refused'],
    ['IPv4 compatible', 'https://[::127.0.0.1]/jwks', 'address_refused'],
    ['NAT64', 'https://[64:ff9b::a9fe:a9fe]/jwks', 'address_refused'],
    ['6to4', 'https://[2002:7f00:1::]/jwks', 'address_refused'],
    ['unique local', 'https://[fd00::1]/jwks', 'address_refused'],
    ['IPv6 link-local', 'https://[fe80::1]/jwks', 'address_refused'],
    ['a file', 'file:///etc/passwd', 'url_refused'],
    ['plain http', 'http://idp.example/jwks', 'url_refused'],
    ['http to loopback that is not listed', 'http://127.0.0.1:8462/jwks', 'url_refused'],
    ['another scheme', 'gopher://idp.example/jwks', 'url_refused'],
    ['data', 'data:application/json,{}', 'url_refused'],
    ['port 22', 'https://idp.example:22/jwks', 'url_refused'],
    ['port 25', 'https://idp.example:25/jwks', 'url_refused'],
    ['port 0', 'https://idp.example:0/jwks', 'url_refused'],
    ['a user name', 'https://idp.example@10.0.0.1/jwks', 'url_refused'],
    ['a password', 'https://user:secret@idp.example/jwks', 'url_refused'],
    ['no host', 'https:///', 'url_refused'],
    ['no URL', 'jwks', 'url_refused'],
    ['a long URL', `https://idp.example/${'a'.repeat(2048)}`, 'url_refused'],
  ] as const

  test.each(spellings)('%s', async (_, url, code) => {
    let connections = 0
    const fetchJson = createFetcher({
      lookup: async () => [PUBLIC],
      connect: (_options, callback) => {
        connections += 1
        callback(new Error('must not be reached'), null)
      },
    })

    const fault = await faultOf(fetchJson(url))

    expect({ code: fault.code, message: fault.message }).toEqual({ code, message: 'fetch failed' })
    expect(fault.cause).toBeUndefined()
    expect(connections).toBe(0)
  })

  test('a name of which one address of several is private', async () => {
    const asked: string[] = []
    const fetchJson = createFetcher({
      lookup: async (name) => {
        asked.push(name)
        return [PUBLIC, '10.1.2.3']
      },
      connect: () => expect.unreachable(),
    })

    expect((await faultOf(fetchJson('https://idp.example/jwks'))).code).toBe('address_refused')
    expect(asked).toEqual(['idp.example'])
  })

  test('localhost by name, and a listed name that leads off loopback', async () => {
    const loopback = createFetcher({ lookup: async () => ['127.0.0.1', '::1'] })
    expect((await faultOf(loopback('https://localhost/jwks'))).code).toBe('address_refused')

    const listed = createFetcher({
      loopbackOrigins: new Set(['http://localhost:8462']),
      lookup: async () => [PUBLIC],
    })
    expect((await faultOf(listed('http://localhost:8462/jwks'))).code).toBe('address_refused')
  })

  test('a name without addresses, or that the resolver refuses', async () => {
    const none = createFetcher({ lookup: async () => [] })
    expect((await faultOf(none('https://idp.example/'))).code).toBe('unreachable')

    const refused = createFetcher({
      lookup: async () => {
        throw new Error('ENOTFOUND idp.example at 10.0.0.53')
      },
    })
    expect((await faultOf(refused('https://idp.example/'))).code).toBe('unreachable')
  })
})

describe("K01: an origin of the operator's own network", () => {
  async function codeAt(url: string, addresses: readonly string[]): Promise<string> {
    const fetchJson = createFetcher({
      internalOrigins: new Set(['https://kubernetes.default.svc', 'https://10.0.0.1:6443']),
      lookup: async () => addresses,
      connect: (_options, callback) => callback(new Error('reached'), null),
    })
    return (await faultOf(fetchJson(url))).code
  }

  test.each([
    ['a private address', 'https://kubernetes.default.svc/', ['10.96.0.1'], 'unreachable'],
    ['a public address', 'https://kubernetes.default.svc/', [PUBLIC], 'unreachable'],
    ['written as an address', 'https://10.0.0.1:6443/', [], 'unreachable'],
    ['loopback', 'https://kubernetes.default.svc/', ['127.0.0.1'], 'address_refused'],
    [
      'loopback among them',
      'https://kubernetes.default.svc/',
      ['10.1.1.1', '::1'],
      'address_refused',
    ],
    ['metadata', 'https://kubernetes.default.svc/', ['169.254.169.254'], 'address_refused'],
    ['metadata of IPv6', 'https://kubernetes.default.svc/', ['fd00:ec2::254'], 'address_refused'],
    ['another port', 'https://kubernetes.default.svc:8443/', ['10.96.0.1'], 'address_refused'],
    ['another name', 'https://metrics.default.svc/', ['10.96.0.1'], 'address_refused'],
    ['another address', 'https://10.0.0.2:6443/', [], 'address_refused'],
    ['plain http', 'http://kubernetes.default.svc/', ['10.96.0.1'], 'url_refused'],
  ] as const)('%s', async (_, url, addresses, code) => {
    expect(await codeAt(url, addresses)).toBe(code)
  })
})

describe('K01: the connection goes to the address that was checked', () => {
  /** Dials the local server, whatever checked address it is given, and notes that address. */
  function dialTo(server: JsonServer, dialled: unknown[]): buildConnector.connector {
    const connect = buildConnector({ allowH2: false, ca: server.certificate })
    return (options, callback) => {
      dialled.push([options.hostname, options.host])
      connect({ ...options, hostname: '127.0.0.1', port: String(server.port) }, callback)
    }
  }

  test('a name that resolves public first and private then is asked once', async () => {
    const server = await startHttps('idp.example', sendJson({ keys: [] }))
    servers.push(server)
    const answers = [[PUBLIC], ['127.0.0.1']]
    const dialled: unknown[] = []
    const fetchJson = createFetcher({
      lookup: async () => answers.shift() ?? [],
      connect: dialTo(server, dialled),
    })

    expect(await fetchJson('https://idp.example/jwks')).toEqual({ keys: [] })
    expect(dialled).toEqual([[PUBLIC, 'idp.example']])
    expect(answers).toEqual([['127.0.0.1']])

    expect((await faultOf(fetchJson('https://idp.example/jwks'))).code).toBe('address_refused')
    expect(server.requests()).toBe(1)
  })

  test('the certificate must be for the name in the URL', async () => {
    const server = await startHttps('other.example', sendJson({ keys: [] }))
    servers.push(server)
    const fetchJson = createFetcher({ lookup: async () => [PUBLIC], connect: dialTo(server, []) })

    const fault = await faultOf(fetchJson('https://idp.example/jwks'))

    expect(fault.code).toBe('unreachable')
    expect(JSON.stringify([fault.message, fault.stack])).not.toContain('other.example')
    expect(server.requests()).toBe(0)
  })

  test('a certificate nobody signed is refused', async () => {
    const server = await startHttps('idp.example', sendJson({ keys: [] }))
    servers.push(server)
    const connect = dialTo({ ...server, certificate: undefined }, [])
    const fetchJson = createFetcher({ lookup: async () => [PUBLIC], connect })

    expect((await faultOf(fetchJson('https://idp.example/jwks'))).code).toBe('unreachable')
    expect(server.requests()).toBe(0)
  })
})

describe('what is taken as an answer', () => {
  test('JSON from a listed loopback origin', async () => {
    const seen: unknown[] = []
    const server = await http((request, response) => {
      seen.push([request.method, request.url, request.headers.accept])
      sendJson({ keys: [1] })(request, response)
    })

    expect(await fetcherFor(server)(`${server.origin}/jwks?a=b#c`)).toEqual({ keys: [1] })
    expect(seen).toEqual([['GET', '/jwks?a=b', 'application/json']])
  })

  test.each([301, 302, 303, 307, 308])('K01: a %i is not followed', async (status) => {
    const private_ = await http(sendJson({ secret: true }))
    const server = await http((_, response) => {
      response.writeHead(status, { location: `${private_.origin}/` }).end()
    })
    const fetchJson = createFetcher({
      loopbackOrigins: new Set([server.origin, private_.origin]),
    })

    expect((await faultOf(fetchJson(`${server.origin}/`))).code).toBe('status_refused')
    expect([server.requests(), private_.requests()]).toEqual([1, 0])
  })

  test.each([201, 204, 401, 404, 500])('K02: a %i is no answer', async (status) => {
    const server = await http((_, response) => {
      response.writeHead(status, { 'content-type': 'application/json' }).end('{}')
    })

    expect((await faultOf(fetcherFor(server)(server.origin))).code).toBe('status_refused')
  })

  test.each([
    ['application/json', true],
    ['application/json; charset=utf-8', true],
    ['application/jwk-set+json', true],
    ['text/html', false],
    ['text/json', false],
    ['application/jsonp', false],
    ['', false],
  ])('K02: content type "%s" is JSON: %s', async (type, accepted) => {
    const server = await http((_, response) => {
      response.writeHead(200, type === '' ? {} : { 'content-type': type }).end('{}')
    })
    const work = fetcherFor(server)(server.origin)

    if (accepted) expect(await work).toEqual({})
    else expect((await faultOf(work)).code).toBe('not_json')
  })

  test.each([
    ['half a document', Buffer.from('{"keys":')],
    ['nothing', Buffer.alloc(0)],
    ['invalid UTF-8', Buffer.from([0x22, 0xff, 0x22])],
  ])('K02: %s is not JSON', async (_, body) => {
    const server = await http((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end(body)
    })

    expect((await faultOf(fetcherFor(server)(server.origin))).code).toBe('not_json')
  })

  test('K02: a compressed body is refused unread', async () => {
    const server = await http((_, response) => {
      const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' }
      response.writeHead(200, headers).end('{}')
    })

    expect((await faultOf(fetcherFor(server)(server.origin))).code).toBe('not_json')
  })

  test('K02: 256 KB is the most, counted as it streams', async () => {
    let body = JSON.stringify('a'.repeat(256 * 1024 - 2))
    const server = await http((_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end(body)
    })
    const fetchJson = fetcherFor(server)
    expect(await fetchJson(server.origin)).toHaveLength(256 * 1024 - 2)

    body = `${body} `
    expect((await faultOf(fetchJson(server.origin))).code).toBe('too_large')
  })

  test('K02: an endless body is dropped, and the connection with it', async () => {
    let ended: (() => void) | undefined
    const closed = new Promise<void>((resolve) => {
      ended = resolve
    })
    const server = await http((_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' })
      const more = () => {
        while (!response.destroyed && response.write('x'.repeat(16_384)));
      }
      response.on('drain', more).on('close', () => ended?.())
      more()
    })

    expect((await faultOf(fetcherFor(server)(server.origin))).code).toBe('too_large')
    await closed
  })

  test('K02: a slow drip ends at the deadline, however many bytes came', async () => {
    const deadline = new AbortController()
    const server = await http((_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' })
      response.write('{', () => deadline.abort())
    })
    const fetchJson = fetcherFor(server, { deadline: () => deadline.signal })

    expect((await faultOf(fetchJson(server.origin))).code).toBe('timeout')
  })

  test('K02: a connection that never opens, and a name that never resolves, end at the deadline', async () => {
    const connecting = new AbortController()
    const unopened = createFetcher({
      lookup: async () => [PUBLIC],
      connect: () => connecting.abort(),
      deadline: () => connecting.signal,
    })
    expect((await faultOf(unopened('https://idp.example/'))).code).toBe('timeout')

    const resolving = new AbortController()
    const unresolved = createFetcher({
      lookup: async () => {
        resolving.abort()
        return new Promise(() => undefined)
      },
      deadline: () => resolving.signal,
    })
    expect((await faultOf(unresolved('https://idp.example/'))).code).toBe('timeout')
  })

  test('a closed port is unreachable, without its address in the fault', async () => {
    const server = await http(sendJson({}))
    const { origin } = server
    await server.close()

    const fault = await faultOf(fetcherFor(server)(origin))

    expect(fault.code).toBe('unreachable')
    expect(fault.message).toBe('fetch failed')
  })
})
