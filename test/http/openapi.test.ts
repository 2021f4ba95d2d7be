/** `/openapi.json` describes exactly the routes there are, and only what is checked. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { MANAGEMENT_REASONS } from '../../server/core/management-refusal.ts'
import { ROUTES } from '../../server/http/management/routes.ts'
import { OPERATOR_TOKEN_PATH, PERSON_TOKEN_PATH } from '../../server/http/management/sign-in.ts'
import type { Answer } from '../support/agent-client.ts'
import { startAuthorizationServer, type TestServer } from '../support/authorization-server.ts'

/** The members of a JSON object, of any type. */
type Described = Answer['body']

let server: TestServer
let description: Described
beforeAll(async () => {
  server = await startAuthorizationServer({ tenants: { acme: () => {} } })
  const response = await fetch(`${server.config.publicUrl}/openapi.json`)
  expect(response.status).toBe(200)
  description = (await response.json()) as Described
})
afterAll(() => server.close())

function operations(): [string, string, Described][] {
  return Object.entries<Described>(description['paths']).flatMap(([path, item]) =>
    Object.entries<Described>(item).map(([method, operation]): [string, string, Described] => [
      method.toUpperCase(),
      path,
      operation,
    ]),
  )
}

/** Without a token. */
async function ask(method: string, path: string): Promise<Pick<Answer, 'body' | 'headers'>> {
  const response = await fetch(`${server.config.publicUrl}${path}`, { method })
  return { headers: response.headers, body: (await response.json()) as Described }
}

/** Every member with that name, however deep. */
function membersOf(value: unknown, name: string): unknown[] {
  if (typeof value !== 'object' || value === null) return []
  const own = Object.hasOwn(value, name) ? [(value as Described)[name]] : []
  return [...own, ...Object.values(value).flatMap((member) => membersOf(member, name))]
}

describe('the description', () => {
  test('is OpenAPI 3.1 at the configured origin', () => {
    expect(description).toMatchObject({
      openapi: '3.1.0',
      info: { title: expect.any(String), version: expect.any(String) },
      servers: [{ url: server.config.publicUrl }],
      security: [{ dpop: [] }],
    })
  })

  test('has every route and no other', () => {
    const expected = [
      ...ROUTES.map(({ method, path }) => `${method} ${path}`),
      `POST ${OPERATOR_TOKEN_PATH}`,
      `POST ${PERSON_TOKEN_PATH}`,
    ]
    const described = operations().map(([method, path]) => `${method} ${path}`)
    expect(described.sort()).toEqual(expected.sort())
    expect(expected.length).toBeGreaterThan(10)
  })

  test('names each operation once, its path parameters, its answers and its problems', () => {
    const names = operations().map(([, , { operationId }]) => String(operationId))
    expect(new Set(names).size).toBe(names.length)
    for (const [, path, operation] of operations()) {
      const inPath = (operation['parameters'] as Described[]).filter((one) => one['in'] === 'path')
      const written = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
      expect(inPath.map(({ name }) => String(name))).toEqual(written)
      expect(Object.keys(operation['responses'])).toEqual(expect.arrayContaining(['400', '401']))
      for (const [status, response] of Object.entries<Described>(operation['responses'])) {
        expect(response).toMatchObject({
          description: expect.any(String),
          ...(status === '204' ? {} : { content: expect.any(Object) }),
        })
      }
    }
  })

  test('every reference leads somewhere, and every pattern is one', () => {
    for (const reference of membersOf(description, '$ref')) {
      const parts = String(reference).replace('#/', '').split('/')
      const found = parts.reduce((at: Described | undefined, part) => at?.[part], description)
      expect(found).toBeTypeOf('object')
    }
    const patterns = membersOf(description, 'pattern').filter((one) => typeof one === 'string')
    expect(patterns.length).toBeGreaterThan(10)
    for (const pattern of patterns) expect(() => new RegExp(pattern, 'u')).not.toThrow()
  })

  test('a body takes only the members that are named', () => {
    for (const [, , operation] of operations()) {
      const schema = operation['requestBody']?.content?.['application/json']?.schema
      if (schema === undefined) continue
      expect(schema).toMatchObject({ type: 'object', additionalProperties: false })
    }
  })

  test('every reason is said of some answer, or is one of paths that are not described', () => {
    const said = operations()
      .flatMap(([, , { responses }]) => Object.values<Described>(responses))
      .map(({ description: text }) => String(text))
      .join(' ')
    const unsaid = Object.keys(MANAGEMENT_REASONS).filter(
      (reason) => !said.includes(`\`${reason}\``),
    )
    expect(unsaid).toEqual(['method_not_allowed'])
  })

  test('each described path answers, and asks for a token', async () => {
    for (const [method, path, operation] of operations()) {
      if (operation['security'] !== undefined) continue
      const filled = path
        .replace('{tenant}', 'acme')
        .replace('{version}', '0'.repeat(64))
        .replace('{agent}', 'planner')
        .replace('{txn}', 'x'.repeat(22))
        .replace('{stream}', 'x'.repeat(22))
      const answer = await ask(method, filled)
      expect(answer.body).toMatchObject({ status: 401, reason: 'token_required' })
      expect(answer.headers.get('www-authenticate')).toBe('DPoP algs="ES256 EdDSA RS256"')
      const other = await ask('OPTIONS', filled)
      expect(other.body).toMatchObject({ status: 405, reason: 'method_not_allowed' })
      expect(other.headers.get('allow')?.split(', ')).toContain(method)
    }
  })

  test('is read with GET', async () => {
    const { status, headers } = await fetch(`${server.config.publicUrl}/openapi.json`, {
      method: 'POST',
    })
    expect(status).toBe(405)
    expect(headers.get('allow')).toBe('GET')
  })
})
