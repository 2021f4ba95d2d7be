/**
 * oidc-provider's storage in memory: sign-ins and codes last as long as the process, which is all development needs.
 * Clients are not stored: they are made up from the list of agents.
 */
import type { Adapter, AdapterFactory, AdapterPayload } from 'oidc-provider'

/** RFC 8252 §7.3: loopback redirects, any port. */
const REDIRECT_URIS = ['127.0.0.1', '[::1]', 'localhost'].map((host) => `http://${host}/callback`)

const AGENT_ID = /^[a-z][a-z0-9-]{0,62}$/
/** Oldest records go first: a page that opens sign-ins in a loop cannot fill the memory. */
const MOST_RECORDS = 10_000

interface Stored {
  readonly payload: AdapterPayload
  readonly expiresAt: number
}

/** One store for all models. `clients` undefined: every well-formed agent id is a client. */
export function memoryAdapter(clients: ReadonlySet<string> | undefined): AdapterFactory {
  const records = new Map<string, Stored>()
  return (model) => (model === 'Client' ? clientAdapter(clients) : recordAdapter(model, records))
}

function recordAdapter(model: string, records: Map<string, Stored>): Adapter {
  const nameOf = (id: string) => `${model}:${id}`
  const find = async (id: string): Promise<AdapterPayload | undefined> => {
    const stored = records.get(nameOf(id))
    return stored && stored.expiresAt > Date.now() ? stored.payload : undefined
  }
  return {
    find,
    findByUid: async (uid) =>
      [...records].find(
        ([name, { payload }]) => name.startsWith(`${model}:`) && payload.uid === uid,
      )?.[1].payload,
    findByUserCode: async () => undefined,
    upsert: async (id, payload, expiresIn = 3600) => {
      records.delete(nameOf(id))
      records.set(nameOf(id), { payload, expiresAt: Date.now() + expiresIn * 1000 })
      const oldest = records.keys().next()
      if (records.size > MOST_RECORDS && !oldest.done) records.delete(oldest.value)
    },
    consume: async (id) => {
      const payload = await find(id)
      if (payload) payload.consumed = Math.floor(Date.now() / 1000)
    },
    destroy: async (id) => void records.delete(nameOf(id)),
    revokeByGrantId: async (grantId) => {
      for (const [name, { payload }] of records) {
        if (name.startsWith(`${model}:`) && payload.grantId === grantId) records.delete(name)
      }
    },
  }
}

function clientAdapter(clients: ReadonlySet<string> | undefined): Adapter {
  const nothing = async () => undefined
  return {
    find: async (id) =>
      AGENT_ID.test(id) && (clients === undefined || clients.has(id))
        ? publicClient(id)
        : undefined,
    findByUid: nothing,
    findByUserCode: nothing,
    upsert: nothing,
    consume: nothing,
    destroy: nothing,
    revokeByGrantId: nothing,
  }
}

/** An agent as a public client with PKCE (RFC 8252, RFC 7636). */
function publicClient(id: string): AdapterPayload {
  return {
    client_id: id,
    application_type: 'native',
    token_endpoint_auth_method: 'none',
    redirect_uris: REDIRECT_URIS,
    response_types: ['code'],
    grant_types: ['authorization_code'],
    id_token_signed_response_alg: 'ES256',
    require_auth_time: true,
  }
}
