/** Live tokens that nobody shows: recorded through the store, as many exchanges would have left them. */
import { randomBytes } from 'node:crypto'
import type { HopRecord, TaskRecord } from '../server/use-cases/ports.ts'
import { openEmbeddedStore } from '../test/support/embedded-store.ts'
import { epoch } from '../test/support/signing.ts'
import { AGENTS } from './tenant.ts'

const TENANT = 'bench'
const TOKENS_PER_TASK = 40
const TASKS_AT_ONCE = 250
const LIFETIME_SECONDS = 3600
const LIMITS = { tokensPerPlace: 4096, tokensPerTask: 65_536 }

const newId = (): string => randomBytes(16).toString('base64url')

type Store = Awaited<ReturnType<typeof openEmbeddedStore>>

/** At least `count`, in tasks of forty. The folder is a server's that is not running, or one that is. */
export async function recordTokens(dataFolder: string, count: number): Promise<number> {
  const store = await openEmbeddedStore({ dataFolder, clock: { now: epoch } })
  try {
    const tasks = Math.ceil(count / TOKENS_PER_TASK)
    for (let made = 0; made < tasks; made += TASKS_AT_ONCE) {
      const some = Math.min(TASKS_AT_ONCE, tasks - made)
      await Promise.all(Array.from({ length: some }, () => recordTask(store)))
    }
    return tasks * TOKENS_PER_TASK
  } finally {
    await store.close()
  }
}

async function recordTask({ tasks, statusIndexes }: Store): Promise<void> {
  const now = epoch()
  const list = statusIndexes.listAt(TENANT, now)
  const index = (): Promise<number> => statusIndexes.allocate(TENANT, list)
  const task = aTask(list, now, await index())
  const first = aHop({ idx: await index(), parent: task.rootJti, place: 'a1', holder: 'a1' }, now)
  await tasks.openTask(TENANT, task, first)
  await tasks.settleHop(TENANT, task.txn, first.jti)
  const others = Array.from({ length: TOKENS_PER_TASK - 1 }, async (_, at) => {
    const holder = AGENTS[1 + (at % 7)] ?? 'a2'
    const hop = aHop({ idx: await index(), parent: first.jti, place: `a1/${holder}`, holder }, now)
    const outcome = await tasks.recordHop(TENANT, task.txn, hop, { now, ...LIMITS })
    if (outcome !== 'recorded') throw new Error(`a token was not recorded: ${outcome}`)
    await tasks.settleHop(TENANT, task.txn, hop.jti)
  })
  await Promise.all(others)
}

function aTask(list: string, now: number, rootIdx: number): TaskRecord {
  return {
    txn: newId(),
    type: 'bench-work',
    subject: 'alice',
    subjectFrom: { issuer: 'idp', claims: {} },
    subjectToken: { id: ['idp', newId()], expiresAt: now + LIFETIME_SECONDS },
    opener: 'a1',
    purpose: undefined,
    rootJti: newId(),
    rootIdx,
    scope: ['docs:read', 'ledger:read', 'ledger:propose'],
    reach: [...AGENTS.slice(1).map(uriOf), 'https://ledger.example.com/api'],
    maxDepth: 8,
    list,
    openedAt: now,
    deadline: now + LIFETIME_SECONDS,
    state: 'open',
    ending: undefined,
  }
}

function aHop(
  parts: Pick<HopRecord, 'idx' | 'parent' | 'place' | 'holder'>,
  now: number,
): HopRecord {
  return {
    jti: newId(),
    audience: 'https://ledger.example.com/api',
    owner: undefined,
    scope: 7,
    reach: 511,
    issuedAt: now,
    expiresAt: now + LIFETIME_SECONDS,
    revoked: false,
    ...parts,
  }
}

function uriOf(agent: string): string {
  return `https://${agent}.example.com/a2a`
}
