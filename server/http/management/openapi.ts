/** OpenAPI 3.1 of the management API, made of the table of routes and the schemas that check requests. */
import { z } from 'zod'
import { MANAGEMENT_REASONS, type ManagementReason } from '../../core/management-refusal.ts'
import { PARAMETERS, type Route } from './route.ts'
import { ROUTES } from './routes.ts'
import { oauthError, operatorForm, personForm, problemDocument, tokenAnswer } from './schemas.ts'
import { OPERATOR_TOKEN_PATH, PERSON_TOKEN_PATH } from './sign-in.ts'

type Json = Readonly<Record<string, unknown>>

/** What any route may refuse. */
const EVERY_REFUSAL: readonly ManagementReason[] = [
  'request_malformed',
  'token_required',
  'token_unacceptable',
  'token_expired',
  'proof_required',
  'proof_invalid',
  'proof_replayed',
  'role_required',
  'unavailable',
]
const BODY_REFUSALS: readonly ManagementReason[] = [
  'request_timeout',
  'request_too_large',
  'media_type_unsupported',
]

/** Made at the first request, then kept. */
export function createDescription(publicUrl: string): () => unknown {
  let made: unknown
  return () => {
    made ??= describe(publicUrl)
    return made
  }
}

function describe(publicUrl: string): Json {
  const paths: Record<string, Record<string, unknown>> = {}
  const add = (path: string, method: string, operation: Json): void => {
    const known = paths[path] ?? {}
    paths[path] = { ...known, [method]: operation }
  }
  add(OPERATOR_TOKEN_PATH, 'post', signIn('sign_in_operator', operatorForm, []))
  add(
    PERSON_TOKEN_PATH,
    'post',
    signIn('sign_in_person', personForm, parametersOf(PERSON_TOKEN_PATH)),
  )
  for (const route of ROUTES) add(route.path, route.method.toLowerCase(), operationOf(route))
  return {
    openapi: '3.1.0',
    info: {
      title: 'Actchain management API',
      version: '1',
      description:
        'Tenants, their versions, agents and tasks. Tokens are of a kind of their own: bound to a key by DPoP (RFC 9449), good for five minutes, taken nowhere else; for `{issuer}/manage` under a tenant’s issuer, for `{public}/admin/v1` elsewhere.',
    },
    servers: [{ url: publicUrl }],
    security: [{ dpop: [] }],
    paths,
    components: {
      securitySchemes: {
        dpop: {
          type: 'http',
          scheme: 'dpop',
          description:
            'RFC 9449 §7: `Authorization: DPoP <token>` and a fresh proof in the header `DPoP`, with `ath`.',
        },
      },
      schemas: {
        Problem: schemaOf(problemDocument, 'output'),
        OAuthError: schemaOf(oauthError, 'output'),
      },
    },
  }
}

function operationOf(route: Route): Json {
  const { name, summary, roles, path, query, body, answers, preconditions } = route
  return {
    operationId: name,
    summary,
    description: `Roles: ${roles.join(', ')}.`,
    parameters: [
      ...parametersOf(path),
      ...queryOf(query),
      { name: 'DPoP', in: 'header', required: true, schema: { type: 'string' } },
      ...(preconditions?.split(' or ') ?? []).map((header) => ({
        name: header,
        in: 'header',
        required: false,
        schema: { type: 'string' },
      })),
    ],
    ...(body === undefined ? {} : { requestBody: bodyOf('application/json', body.schema) }),
    responses: {
      ...Object.fromEntries(
        Object.entries(answers).map(([status, { text, schema, type }]) => [
          status,
          status === '204'
            ? { description: text }
            : { description: text, content: contentOf(schemaOf(schema, 'output'), type) },
        ]),
      ),
      ...problemsOf(route),
    },
  }
}

/** One answer a status, whose description lists its reasons. */
function problemsOf({ refusals, body, path }: Route): Json {
  const reasons = new Set([
    ...EVERY_REFUSAL,
    ...refusals,
    ...(path.startsWith('/t/') ? (['rate_limited'] as const) : []),
    ...(body === undefined ? [] : BODY_REFUSALS),
    ...(path.includes('{tenant}') ? (['not_found'] as const) : []),
  ])
  const byStatus = Map.groupBy(reasons, (reason) => MANAGEMENT_REASONS[reason].status)
  return Object.fromEntries(
    [...byStatus].map(([status, named]) => [
      status,
      {
        description: named.map((reason) => `\`${reason}\``).join(', '),
        content: {
          'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } },
        },
      },
    ]),
  )
}

function signIn(operationId: string, form: z.ZodType, parameters: readonly Json[]): Json {
  const error = { $ref: '#/components/schemas/OAuthError' }
  return {
    operationId,
    summary: 'A management token for a proven key',
    security: [],
    parameters: [
      ...parameters,
      { name: 'DPoP', in: 'header', required: true, schema: { type: 'string' } },
    ],
    requestBody: bodyOf('application/x-www-form-urlencoded', form),
    responses: {
      200: { description: 'The token.', content: contentOf(schemaOf(tokenAnswer, 'output')) },
      ...Object.fromEntries(
        [400, 401, 503].map((status) => [
          status,
          { description: 'RFC 6749 §5.2.', content: contentOf(error) },
        ]),
      ),
    },
  }
}

function parametersOf(path: string): readonly Json[] {
  return [...path.matchAll(/\{([a-z]+)\}/g)].map(([, name = '']) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string', pattern: `^(?:${PARAMETERS[name as keyof typeof PARAMETERS]})$` },
  }))
}

function queryOf(query: z.ZodType): readonly Json[] {
  const { properties = {}, required = [] } = schemaOf(query, 'input')
  return Object.entries(properties as Json).map(([name, schema]) => ({
    name,
    in: 'query',
    required: Array.isArray(required) && required.includes(name),
    schema,
  }))
}

function bodyOf(type: string, schema: z.ZodType): Json {
  return { required: true, content: { [type]: { schema: schemaOf(schema, 'input') } } }
}

function contentOf(schema: Json, type = 'application/json'): Json {
  return { [type]: { schema } }
}

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io })
  return rest
}
