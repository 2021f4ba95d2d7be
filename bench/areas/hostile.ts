/**
 * How long hostile inputs are worked on, one after the other: at the verifier by the clock, at the token endpoint by the
 * server's CPU time as well, since a refusal there waits for its audit entry to be on disk.
 */
import { VerificationError } from '../../lib/src/errors.ts'
import { createVerifier } from '../../lib/src/verifier.ts'
import type { Area, Bench, Target } from '../area.ts'
import {
  type Family,
  type HostileForm,
  hostileForms,
  hostilePresentations,
  MOST_MILLISECONDS,
} from '../hostile-cases.ts'
import { inFlight, type PreparedRequest } from '../load.ts'
import { exchangeBatch, type MeasuredActchain, startActchain } from '../measured-server.ts'
import { aPresenter, NEED, VERIFIER_OPTIONS } from '../presentations.ts'
import { exchangeForm } from '../signed-requests.ts'
import { median, rounded } from '../statistics.ts'

interface Scale {
  /** Come first, uncounted: code that never ran is slow whatever it is given. */
  readonly warmUp: number
  readonly honest: number
  /** One after the other, by the clock. */
  readonly alone: number
  /** Under load, for CPU time. */
  readonly loaded: number
}

const FULL: Scale = { warmUp: 20, honest: 1500, alone: 15, loaded: 240 }
const QUICK: Scale = { warmUp: 1, honest: 20, alone: 1, loaded: 2 }

interface Found {
  readonly family: Family
  readonly milliseconds: number
}

export const hostile: Area = {
  name: 'hostile',
  summary: 'milliseconds that hostile inputs take, at the verifier and the token endpoint',
  byDefault: true,
  run: async (bench) => {
    const scale = bench.quick ? QUICK : FULL
    const atVerifier = await measureVerifier(bench, scale)
    const atServer = await measureServer(bench, scale)
    return [
      ...targetsOf('verifier, by the clock', atVerifier),
      ...targetsOf('token endpoint, CPU time', atServer),
    ]
  },
}

function targetsOf(where: string, found: readonly Found[]): readonly Target[] {
  const families = Object.entries(MOST_MILLISECONDS)
  return families.map(([family, most]) => {
    const worst = found.filter((one) => one.family === family).map((one) => one.milliseconds)
    const target = `hostile, ${family}: slowest case at the ${where}, in milliseconds`
    return { target, value: rounded(Math.max(...worst), 3), bound: { most } }
  })
}

async function measureVerifier(
  { emit }: Bench,
  { warmUp, alone }: Scale,
): Promise<readonly Found[]> {
  const presenter = await aPresenter()
  const jwks = { keys: [presenter.issuerKey.publicJwk] }
  const verifier = createVerifier({ ...VERIFIER_OPTIONS, jwks, cacheSize: 0 })
  const found: Found[] = []
  for (const { family, name, shown } of await hostilePresentations(presenter)) {
    const samples: number[] = []
    let reason = ''
    for (let time = -warmUp; time < alone; time++) {
      const start = performance.now()
      reason = await verifier.verify(shown, NEED).then(() => 'accepted', reasonOf)
      if (time >= 0) samples.push(performance.now() - start)
    }
    const milliseconds = median(samples)
    emit({
      name: `hostile.verifier.${family}.${name}`,
      value: rounded(milliseconds, 3),
      unit: 'ms',
      slowest_ms: rounded(Math.max(...samples), 3),
      outcome: reason,
    })
    found.push({ family, milliseconds })
  }
  return found
}

function reasonOf(error: unknown): string {
  if (error instanceof VerificationError) return error.reason
  throw error
}

async function measureServer(bench: Bench, scale: Scale): Promise<readonly Found[]> {
  const ours = await startActchain(bench.cores)
  try {
    const honest = await exchangeBatch(ours, 1, scale.honest)
    await ours.driver.sendAll(honest)
    const forms = hostileForms(ours.keys, ours.signer.idToken())
    const warmUp = { ...scale, alone: 0, loaded: scale.warmUp }
    for (const one of forms) await measureForm(ours, one, warmUp)
    await emitHonest(bench, ours, scale)
    const found: Found[] = []
    for (const one of forms) {
      const cost = await measureForm(ours, one, scale)
      emitCost(bench, `${one.family}.${one.name}`, cost)
      found.push({ family: one.family, milliseconds: cost.cpu })
    }
    return found
  } finally {
    await ours.close()
  }
}

/** What an exchange that is granted takes, one after the other: what the rest is to be compared with. */
async function emitHonest(bench: Bench, ours: MeasuredActchain, scale: Scale): Promise<void> {
  const form = exchangeForm(1, ours.signer.idToken())
  emitCost(bench, 'none.granted', await measureForm(ours, { form }, scale))
}

function emitCost({ emit }: Bench, name: string, { cpu, clock, slowest, status }: FormCost): void {
  emit({
    name: `hostile.token_endpoint.${name}`,
    value: rounded(cpu, 3),
    unit: 'ms',
    by_the_clock_ms: rounded(clock, 3),
    slowest_ms: rounded(slowest, 3),
    outcome: status,
  })
}

interface FormCost {
  /** Milliseconds of the server's CPU for one, all threads. */
  readonly cpu: number
  readonly clock: number
  readonly slowest: number
  readonly status: number
}

/** CPU time under load, as an attacker would have it; the clock one after the other, as it waits. */
async function measureForm(
  { server, driver, signer }: MeasuredActchain,
  { form, headers = {} }: Pick<HostileForm, 'form' | 'headers'>,
  { alone, loaded }: Pick<Scale, 'alone' | 'loaded'>,
): Promise<FormCost> {
  const prepare = (): PreparedRequest => {
    const honest = signer.prepare('a1', form)
    return { ...honest, headers: { ...honest.headers, ...headers } }
  }
  const samples: number[] = []
  let status = 0
  const send = async (request: PreparedRequest): Promise<void> => {
    const start = performance.now()
    // The connection may be gone before everything was sent: that is a refusal as well.
    status = await driver.send(request).then(
      (answer) => answer.status,
      () => 0,
    )
    samples.push(performance.now() - start)
  }
  for (const request of Array.from({ length: alone }, prepare)) await send(request)
  const milliseconds = samples.splice(0)
  const many = Array.from({ length: loaded }, prepare)
  const before = await server.ask({ ask: 'cpu' })
  await inFlight(many, send)
  const after = await server.ask({ ask: 'cpu' })
  const cpu = (after.all - before.all) / 1000 / many.length
  return { cpu, clock: median(milliseconds), slowest: Math.max(...milliseconds), status }
}
