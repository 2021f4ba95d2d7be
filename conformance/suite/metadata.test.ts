/** RFC 8414 and RFC 9728: what the servers say of themselves. */
import { describe, expect } from 'vitest'
import { EXCHANGE } from './client.ts'
import { given } from './given.ts'
import { type Reply, send } from './http.ts'
import { headerOf, type Members } from './jwt.ts'
import { metadataPlaces } from './read-documents.ts'
import { api, call, issuer, isWhole, ownToken, second } from './scenario.ts'
import { hasVectors, vector, vectorProfile } from './vectors-issuer.ts'
import { verifies } from './verifies.ts'

const FORMS = metadataPlaces(issuer)
const PLACES = [given.endpoints?.metadata ?? [], FORMS].flat()
const read = async (): Promise<Members> => (await firstReply()).json

/** At the first well-known place that has it. */
async function firstReply(): Promise<Reply> {
  const replies = await Promise.all(PLACES.map((url) => send(url)))
  const [missing] = replies
  const found = replies.find(({ status }) => status === 200) ?? missing
  if (found === undefined) throw new Error('there is no place for metadata')
  return found
}

function expectNoEmptyList(document: Members): void {
  const empty = Object.entries(document).filter(
    ([, value]) => Array.isArray(value) && value.length === 0,
  )
  expect(empty).toEqual([])
}

describe('the authorization server', () => {
  verifies(
    '8414-2-01',
    'its issuer is an https URL without query and fragment',
    async () => {
      const url = new URL((await read())['issuer'])
      expect([url.protocol, url.search, url.hash]).toEqual(['https:', '', ''])
    },
    [],
  )

  verifies(
    '8414-2-02',
    'required members are there',
    async () => {
      const document = await read()
      if (!isWhole) {
        expect(document).toMatchObject({
          issuer,
          token_endpoint: expect.stringMatching(/^https?:/),
          response_types_supported: expect.any(Array),
        })
        return
      }
      expect(document).toMatchObject({
        issuer,
        token_endpoint: expect.stringMatching(/^https:/),
        // None is offered, and an empty list may not be said.
        response_types_supported: ['none'],
      })
    },
    [],
  )

  verifies('8414-2-03', 'the grants that are offered, and no others', async () => {
    const grants: string[] = (await read())['grant_types_supported']
    expect(new Set(grants)).toEqual(new Set([EXCHANGE, 'client_credentials']))
  })

  verifies(['8414-2-04', '9700-2.5-01'], 'clients sign, at every endpoint', async () => {
    const document = await read()
    for (const endpoint of ['token', 'introspection', 'revocation']) {
      const methods: string[] = document[`${endpoint}_endpoint_auth_methods_supported`]
      expect(methods).toContain('private_key_jwt')
      expect(methods.filter((name) => /^none$|secret/.test(name))).toEqual([])
      const algorithms: string[] =
        document[`${endpoint}_endpoint_auth_signing_alg_values_supported`]
      expect(algorithms).toContain('ES256')
      expect(algorithms.filter((name) => /^(none|HS)/i.test(name))).toEqual([])
    }
  })

  verifies(
    '8414-2-05',
    'public keys, over https',
    async () => {
      const { jwks_uri: uri } = await read()
      if (isWhole) expect(uri).toMatch(/^https:/)
      const { status, json } = await send(uri)
      expect(status).toBe(200)
      const keys: Members[] = json['keys']
      expect(keys.length).toBeGreaterThan(0)
      const secret = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']
      for (const key of keys) expect(secret.filter((name) => name in key)).toEqual([])
      if (!isWhole) return
      const { kid } = headerOf(await ownToken())
      expect(keys.map((key) => key['kid'])).toContain(kid)
    },
    ['jwt'],
  )

  verifies(['8414-3-01', '9068-4-01'], 'one document at every well-known place', async () => {
    const documents = await Promise.all(FORMS.map((url) => send(url)))
    expect(documents.map(({ status }) => status)).toEqual(FORMS.map(() => 200))
    for (const { json } of documents) expect(json).toEqual(documents[0]?.json)
    expect(documents[0]?.json['issuer']).toBe(issuer)
  })

  verifies(
    '8414-3.2-01',
    'JSON without empty lists',
    async () => {
      const reply = await firstReply()
      expect(reply.status).toBe(200)
      expect(reply.headers['content-type']).toMatch(/^application\/json\b/)
      expectNoEmptyList(reply.json)
    },
    [],
  )
})

describe('the resource server', () => {
  const { origin: host, pathname: path } = new URL(api.uri)
  const place = `${host}/.well-known/oauth-protected-resource${path}`

  verifies(
    ['9728-2-01', '9728-3-01'],
    'names itself, between host and path',
    async () => {
      const { status, json } = await send(place)
      expect(status).toBe(200)
      expect(json['resource']).toBe(api.uri)
      expect(json['resource']).toMatch(/^https:[^#]+$/)
    },
    ['server'],
  )

  verifies(
    '9728-2-02',
    'lists its authorization servers',
    async () => {
      const { authorization_servers: servers } = (await send(place)).json
      if (isWhole) expect(servers).toEqual([issuer])
      else expect(servers).toContain(issuer)
    },
    ['server'],
  )

  verifies('9728-2-03', 'does what it says of proofs and methods', async () => {
    const { json } = await send(place)
    expect(json['bearer_methods_supported']).toEqual(['header'])
    // One or the other: a token that is bound to a certificate alone comes without a proof (RFC 8705 §3).
    const required = 'dpop_bound_access_tokens_required'
    const certificates = 'tls_client_certificate_bound_access_tokens'
    expect([json[required] ?? false, json[certificates] ?? false]).toContain(true)
    expect(json[required] === true && json[certificates] === true).toBe(false)
    expect(json['dpop_signing_alg_values_supported']).toContain('ES256')
    const token = await ownToken()
    expect((await call(second, token)).status).toBe(200)
    expect((await call(second, token, { scheme: 'Bearer', proof: null })).status).toBe(401)
  })

  verifies(
    '9728-3.2-01',
    'JSON without empty lists',
    async () => {
      const reply = await send(place)
      expect(reply.headers['content-type']).toMatch(/^application\/json\b/)
      expectNoEmptyList(reply.json)
    },
    ['server'],
  )

  verifies(
    '9728-5.1-01',
    'its challenge tells where the document is',
    async () => {
      const { headers } = await send(isWhole ? `${api.uri}/files` : api.uri)
      const [, url] = /resource_metadata="([^"]+)"/.exec(headers['www-authenticate'] ?? '') ?? []
      expect(url).toBe(place)
      expect((await send(String(url))).json['resource']).toBe(api.uri)
    },
    ['server'],
  )
})

describe.runIf(hasVectors)('a resource server that is misled', () => {
  verifies('8414-3.3-01', 'a document of another issuer gives it no keys', async () => {
    const { misled } = vectorProfile()
    const token = vector({ iss: misled.issuer, aud: misled.uri })
    const reply = await send(`${misled.uri}/files`, {
      headers: { authorization: `Bearer ${token}` },
    })
    // Without keys it can say neither yes nor no.
    expect(reply.status).toBe(503)
    expect(reply.text).not.toContain('files"')
  })
})
