/** oauth4webapi: discovery, private_key_jwt, DPoP, and its call of the API. */
import * as oauth from 'oauth4webapi'
import { expect, test } from 'vitest'
import {
  ENTRIES,
  EXCHANGE,
  entriesFor,
  expectChain,
  type Hop,
  hopsOf,
  idToken,
  target,
} from '../given.ts'
import { privateKeyOf } from '../keys.ts'

const { ledger } = target.apis

async function discover(): Promise<oauth.AuthorizationServer> {
  const issuer = new URL(target.issuer)
  const reply = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2' })
  return oauth.processDiscoveryResponse(issuer, reply)
}

/** An agent with keys of its own, as the library sees one. */
async function clientOf({ agent }: Hop) {
  const client: oauth.Client = { client_id: agent.client_id }
  const auth = oauth.PrivateKeyJwt({ key: await privateKeyOf(agent), kid: `${agent.client_id}-1` })
  return { client, auth, DPoP: oauth.DPoP(client, await oauth.generateKeyPair('ES256')) }
}

async function exchange(
  server: oauth.AuthorizationServer,
  { client, auth, DPoP }: Awaited<ReturnType<typeof clientOf>>,
  parameters: Readonly<Record<string, string>>,
): Promise<oauth.TokenEndpointResponse> {
  const reply = await oauth.genericTokenEndpointRequest(
    server,
    client,
    auth,
    EXCHANGE,
    { ...parameters },
    { DPoP },
  )
  return oauth.processGenericTokenEndpointResponse(server, client, reply)
}

test('oauth4webapi: three hops, a call of the API, and a refusal it can read', async () => {
  const server = await discover()
  const tokens: string[] = []
  for (const hop of hopsOf('bound', ledger)) {
    const subject_token = tokens.at(-1) ?? idToken('bound')
    const by = await clientOf(hop)
    const answer = await exchange(server, by, { ...hop.parameters, subject_token })
    tokens.push(answer.access_token)
    if (tokens.length < 3) continue
    const { access_token, token_type } = answer
    expect(token_type).toBe('dpop')
    const { DPoP } = by
    const url = new URL(ENTRIES)
    const reply = await oauth.protectedResourceRequest(access_token, 'GET', url, undefined, null, {
      DPoP,
    })
    expect(await reply.json()).toEqual(entriesFor('bound'))
  }
  expectChain(tokens, 'bound', ledger)
  const [, , last] = hopsOf('bound', ledger)
  const wider = { ...last.parameters, scope: `${ledger.read} ${ledger.write}` }
  const refused = exchange(server, await clientOf(last), {
    ...wider,
    subject_token: String(tokens[1]),
  })
  await expect(refused).rejects.toMatchObject({
    constructor: oauth.ResponseBodyError,
    status: 400,
    error: 'invalid_scope',
    cause: { reason: 'scope_not_permitted' },
  })
})
