/** The check of a tenant's version, as the management API asks for it: in a thread, a few at a time, judged for this server. */
import type { Config } from './config.ts'
import { developmentDefaults } from './core/development-defaults.ts'
import type { Problem } from './core/problem.ts'
import { buildTenant } from './tenants/build-tenant.ts'
import { describeChanges } from './tenants/changes.ts'
import { checkInWorker } from './tenants/check-in-worker.ts'
import { type CheckedTenant, readCompiled } from './tenants/check-tenant.ts'
import type { LoadedTenant } from './tenants/load-tenants.ts'
import type { Sources } from './tenants/sources.ts'
import type {
  CheckedVersion,
  SourceTexts,
  TenantFolders,
  VersionChecks,
  VersionContent,
} from './use-cases/version-content.ts'

export function createTenantChecks(config: Pick<Config, 'mode' | 'publicUrl'>): VersionChecks {
  const { publicUrl } = config

  async function check(id: string, sources: SourceTexts): Promise<CheckedVersion> {
    const place = { id, publicUrl, label: id }
    const texts: Sources = new Map(Object.entries(sources))
    // A throw is 503: the client asks again.
    const { problems, warnings, checked } = await checkInWorker(place, texts)
    const content =
      checked === undefined
        ? undefined
        : { version: checked.version, sources, compiled: JSON.stringify(checked) }
    return { problems, warnings, content }
  }

  /** What another release stored in another form is checked again. */
  async function checkedOf(id: string, content: VersionContent): Promise<CheckedTenant> {
    const stored = readCompiled(content.compiled)
    if (stored !== undefined) return stored
    const { content: again } = await check(id, content.sources)
    const checked = again === undefined ? undefined : readCompiled(again.compiled)
    if (checked === undefined) throw new Error('a stored version does not pass the check any more')
    return checked
  }

  return {
    check,
    read: async (id, content) => {
      const checked = await checkedOf(id, content)
      return {
        agents: checked.entries.agents.map((agent) => agent.id),
        signingAlgorithm: checked.entries.tenant.signing_alg,
        problems: config.mode === 'production' ? findDefaults(config, id, checked) : [],
      }
    },
    replacedAgents: async (id, content) => {
      const checked = await ifReadable(checkedOf(id, content))
      return checked === undefined
        ? namesIn(content.sources['agents.yaml'])
        : checked.entries.agents.map((agent) => agent.id)
    },
    changes: async (id, before, after) => {
      if (before === undefined) return ['new tenant']
      const now = await checkedOf(id, after)
      const then = await ifReadable(checkedOf(id, before))
      return then === undefined ? ['the version before cannot be read'] : describeChanges(then, now)
    },
  }
}

async function ifReadable(checked: Promise<CheckedTenant>): Promise<CheckedTenant | undefined> {
  return checked.catch(() => undefined)
}

/** Whatever could be an id: too many do no harm, one too few would (attack case E10). */
function namesIn(text = ''): Iterable<string> {
  return new Set(text.match(/[a-z][a-z0-9-]{0,62}/g))
}

/** Content of the folder as it was read at the start, made when it is first asked for. */
export function createTenantFolders(loaded: ReadonlyMap<string, LoadedTenant>): TenantFolders {
  const made = new Map<string, VersionContent>()
  return {
    ids: () => [...loaded.keys()],
    find: (id) => {
      const folder = loaded.get(id)
      if (folder === undefined) return undefined
      const { checked, sources } = folder
      const content = made.get(id) ?? {
        version: checked.version,
        sources: Object.fromEntries(sources),
        compiled: JSON.stringify(checked),
      }
      made.set(id, content)
      return content
    },
  }
}

/** Attack case L06: what a start in production refuses does not become live on another path. */
function findDefaults(
  config: Pick<Config, 'publicUrl'>,
  id: string,
  checked: CheckedTenant,
): readonly Problem[] {
  const tenant = buildTenant({ id, publicUrl: config.publicUrl }, checked)
  // The server's own settings were judged at its start: only the tenant's are left to be found.
  const settings = { publicUrl: config.publicUrl, keySecret: true }
  return developmentDefaults(settings, [tenant]).map((text) => {
    const [file = id, ...rest] = text.split(': ')
    return { file, line: 1, column: 1, text: rest.join(': ') }
  })
}
