/**
 * What a large tenant costs whoever edits it: the time a check takes, and how soon a change holds in another process. By
 * the clock, because people and attackers wait by it.
 */
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { checkTenant } from '../../server/tenants/check-tenant.ts'
import { emptyReport } from '../../server/tenants/report.ts'
import { readSources, type Sources } from '../../server/tenants/sources.ts'
import { parseYaml } from '../../server/tenants/yaml-document.ts'
import type { Area, Bench, Target } from '../area.ts'
import { type CheckRun, runCheck } from '../check-process.ts'
import { copyWithFoldedText, LARGE, type TenantSize, writeLargeTenant } from '../large-tenant.ts'
import { makeScratchFolder, removeScratchFolder } from '../scratch-folder.ts'
import { median, rounded } from '../statistics.ts'
import { type AppliedTenant, applyVersions, startTwoNodes } from '../two-nodes.ts'

interface Scale {
  readonly size: TenantSize
  readonly rounds: number
}

const FULL: Scale = { size: LARGE, rounds: 5 }
const QUICK: Scale = { size: { agents: 300, resources: 50, policies: 30 }, rounds: 1 }

const MOST_CHECK_SECONDS = 5
const MOST_VISIBLE_MS = 1000

const SAMPLE = join(import.meta.dirname, '../../tenants')
const SAMPLE_TENANT: AppliedTenant = {
  id: 'acme',
  case: {
    subject: 'alice',
    actors: ['planner', 'researcher'],
    resource: 'ledger-api',
    scope: ['ledger:read'],
  },
}

export const tenant: Area = {
  name: 'tenant',
  summary: 'a large tenant: time of a check, and until another process knows a change',
  byDefault: true,
  run: async (bench) => {
    const scale = bench.quick ? QUICK : FULL
    const folder = makeScratchFolder()
    try {
      const large = {
        id: 'large',
        case: writeLargeTenant(join(folder, 'tenants'), 'large', scale.size),
      }
      const place = join(folder, 'tenants/large')
      const seconds = await measureCheck(bench, place, scale)
      measureParts(bench, place, scale)
      const visible = await measureApply(bench, folder, {
        prefix: 'tenant.',
        applied: large,
        scale,
      })
      return targets(seconds, visible, await measureSample(bench, scale))
    } finally {
      removeScratchFolder(folder)
    }
  },
}

function targets(seconds: number, large: number, sample: number): readonly Target[] {
  const most = MOST_VISIBLE_MS
  return [
    {
      target: 'check of the large tenant, in seconds',
      value: seconds,
      bound: { most: MOST_CHECK_SECONDS },
    },
    { target: 'its new version holds in another process, in ms', value: large, bound: { most } },
    { target: 'the same for the sample tenant, in ms', value: sample, bound: { most } },
  ]
}

/** Seconds of the check as it is written; as a second line, those where the plain reader of YAML gives up. */
async function measureCheck(bench: Bench, folder: string, scale: Scale): Promise<number> {
  const seconds = await checkLine(bench, { name: 'tenant.check', folder, scale })
  const copy = makeScratchFolder()
  try {
    copyWithFoldedText(folder, join(copy, 'large'))
    const name = 'tenant.check_full_yaml'
    await checkLine(bench, { name, folder: join(copy, 'large'), scale })
  } finally {
    removeScratchFolder(copy)
  }
  return seconds
}

interface Checking {
  readonly name: string
  readonly folder: string
  readonly scale: Scale
}

async function checkLine(
  { cores, emit }: Bench,
  { name, folder, scale: { size, rounds } }: Checking,
): Promise<number> {
  const runs: CheckRun[] = []
  for (let round = 0; round < rounds; round++) runs.push(await runCheck(cores, folder))
  const value = rounded(median(runs.map(({ seconds }) => seconds)))
  emit({
    name,
    value,
    unit: 's',
    cpu_seconds: rounded(median(runs.map(({ cpuSeconds }) => cpuSeconds))),
    max_megabytes: rounded(median(runs.map(({ maxMegabytes }) => maxMegabytes)), 3),
    ...size,
  })
  return value
}

/** The same check in a process that has made it before, and which part of it takes the time. */
function measureParts({ emit }: Bench, folder: string, { rounds }: Scale): void {
  const sources = readSources(emptyReport(), folder)
  if (sources === undefined) throw new TypeError('the folder is gone')
  const facts = new Map([...sources].filter(([path]) => /^[a-z-]+\.yaml$/.test(path)))
  const whole = timesOf(rounds, () => check(sources))
  const withoutRules = timesOf(rounds, () => check(facts))
  const yaml = timesOf(rounds, () => {
    for (const [path, text] of facts) parseYaml(path, text)
  })
  emit({
    name: 'tenant.check_in_process',
    value: rounded(whole),
    unit: 'ms',
    yaml: rounded(yaml),
    facts: rounded(withoutRules - yaml),
    policies: rounded(whole - withoutRules),
  })
}

function check(sources: Sources): void {
  const report = emptyReport()
  const place = { id: 'large', publicUrl: 'https://as.example.com', label: 'large' }
  if (checkTenant(report, place, sources) !== undefined) return
  throw new Error(`the bench's tenant: ${report.problems[0]?.text}`)
}

/** Median of so many times, in milliseconds. */
function timesOf(rounds: number, act: () => void): number {
  const times = Array.from({ length: rounds }, () => {
    const start = performance.now()
    act()
    return performance.now() - start
  })
  return median(times)
}

async function measureSample(bench: Bench, scale: Scale): Promise<number> {
  const folder = makeScratchFolder()
  try {
    cpSync(SAMPLE, join(folder, 'tenants'), { recursive: true })
    return await measureApply(bench, folder, {
      prefix: 'tenant.small_',
      applied: SAMPLE_TENANT,
      scale,
    })
  } finally {
    removeScratchFolder(folder)
  }
}

interface Applying {
  readonly prefix: string
  readonly applied: AppliedTenant
  readonly scale: Scale
}

/** Milliseconds until a version holds in the other process. */
async function measureApply(
  { cores, emit }: Bench,
  folder: string,
  { prefix, applied, scale }: Applying,
): Promise<number> {
  const nodes = await startTwoNodes(cores, folder)
  try {
    const times = await applyVersions(nodes, applied, scale.rounds)
    const [add, activate, visible] = (['add', 'activate', 'visible'] as const).map((name) =>
      rounded(median(times.map((time) => time[name]))),
    )
    emit({ name: `${prefix}add_version`, value: add ?? Number.NaN, unit: 'ms' })
    emit({ name: `${prefix}activate`, value: activate ?? Number.NaN, unit: 'ms' })
    const slowest = rounded(Math.max(...times.map((time) => time.visible)))
    emit({ name: `${prefix}apply_visible`, value: visible ?? Number.NaN, unit: 'ms', slowest })
    return visible ?? Number.NaN
  } finally {
    await nodes.close()
  }
}
