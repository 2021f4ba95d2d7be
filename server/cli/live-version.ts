/** What is live at the server, and making another version live where nobody has meanwhile. */
import { isJsonObject } from '../../lib/src/strict-json.ts'
import { type JsonAnswer, textOf, textsOf } from './admin-answer.ts'
import type { AdminClient } from './admin-client.ts'
import { Failure } from './failure.ts'

export interface LiveVersion {
  readonly version: string
  readonly author: string | undefined
  readonly createdAt: string | undefined
  readonly note: string | undefined
  /** Text of each file by its path in the folder. */
  readonly files: ReadonlyMap<string, string>
}

export interface Activated {
  readonly version: string
  /** What differs from what was live, entry by entry. */
  readonly changes: readonly string[]
}

/** Undefined where the server has no such tenant. */
export async function findLive(
  client: AdminClient,
  tenant: string,
): Promise<LiveVersion | undefined> {
  const answer = await client.request({
    method: 'GET',
    path: [tenant, 'versions', 'live'],
    expected: [200, 404],
  })
  return answer.status === 404 ? undefined : readVersion(answer)
}

/**
 * Makes `version` live if `seen` still is (undefined: if the tenant is still unknown). Throws a `Failure` that names what
 * became live meanwhile.
 */
export async function activate(
  client: AdminClient,
  tenant: string,
  { version, seen }: { readonly version: string; readonly seen: string | undefined },
): Promise<Activated> {
  const condition = seen === undefined ? { 'if-none-match': '*' } : { 'if-match': `"${seen}"` }
  const answer = await client.request({
    method: 'POST',
    path: [tenant, 'versions', version, 'activate'],
    headers: condition,
    expected: [200, 412],
  })
  if (answer.status === 412) throw await overtaken(client, tenant)
  return {
    version: textOf(answer.body, 'version') ?? version,
    changes: textsOf(answer.body, 'changes'),
  }
}

async function overtaken(client: AdminClient, tenant: string): Promise<Failure> {
  const { version, author, note } = (await findLive(client, tenant)) ?? { version: 'none' }
  const who = author === undefined ? '' : ` by ${author}`
  const why = note === undefined ? '' : ` (${note})`
  return new Failure(
    `${tenant} was changed meanwhile: version ${shortVersion(version)}${who}${why} is live now. ` +
      'Nothing was made live; run actchain diff again.',
  )
}

function readVersion({ body }: JsonAnswer): LiveVersion {
  const version = textOf(body, 'version')
  const files = body?.['files']
  if (version === undefined || !isJsonObject(files)) {
    throw new Failure('The answer of the server is no version; check --server.')
  }
  return {
    version,
    author: textOf(body, 'author'),
    createdAt: textOf(body, 'created_at'),
    note: textOf(body, 'note'),
    files: new Map(
      Object.entries(files).flatMap(([name, text]) =>
        typeof text === 'string' ? [[name, text] as const] : [],
      ),
    ),
  }
}

/** Of a version, in text for people. */
export function shortVersion(version: string): string {
  return version.slice(0, 12)
}
