/**
 * Random sequences of opens, exchanges and revocations at a live server. Whatever it grants is a token that the verifier and the
 * independent reader accept, and no more than the token it was made from; what was revoked is over, with all beneath.
 */
import { payloadOf } from '../../suite/jwt.ts'
import type { Case } from '../../vectors/vector.ts'
import { bytesOf, keepInput, readCorpus } from '../corpus.ts'
import { Random } from '../random.ts'
import { type AreaResult, type FoundFault, ranked, rounded } from '../run.ts'
import { errorOf } from './judge-answer.ts'
import { ChainJudge, type Held, type Report } from './judge-chain.ts'
import {
  ACCESS_TOKEN,
  EXCHANGE,
  FuzzClient,
  formOf,
  ID_TOKEN,
  idTokenFor,
  type Parameters,
} from './party.ts'
import type { ServerSettings } from './run-requests.ts'
import { Vigil } from './vigil.ts'
import { type Answer, Wire } from './wire.ts'

const AREA = 'chains'
const MOST_FAULTS = 10
const STEPS = 12

/** One thing that is done. Numbers choose among whatever there is by then. */
export interface Step {
  readonly kind: 'open' | 'exchange' | 'revoke'
  readonly of: number
  readonly caller: number
  readonly target: number
  readonly scope: number
}

/** The steps of one sequence. */
export function sequenceOf(random: Random): readonly Step[] {
  const kinds = [
    'exchange',
    'exchange',
    'exchange',
    'exchange',
    'exchange',
    'open',
    'revoke',
  ] as const
  return Array.from({ length: STEPS }, (_, at) => ({
    // A sequence begins with something to work on.
    kind: at === 0 ? 'open' : random.pick(kinds),
    of: random.below(1_000),
    caller: random.below(1_000),
    target: random.below(1_000),
    scope: random.below(1_000),
  }))
}

/** Resolves to what it did, however it ended. */
export async function runChains(settings: ServerSettings): Promise<AreaResult> {
  const begun = performance.now()
  const { ca, issuer } = settings.target
  const wire = new Wire(ca)
  const judge = new ChainJudge(issuer, await publishedKeys(wire, issuer))
  const run = new ChainRun(settings, wire, judge)
  await run.replay()
  await run.fuzz(begun)
  return run.result((performance.now() - begun) / 1000)
}

class ChainRun {
  readonly #settings: ServerSettings
  readonly #wire: Wire
  readonly #judge: ChainJudge
  readonly #vigil: Vigil
  readonly #clients: readonly FuzzClient[]
  readonly #outcomes: Record<string, number> = {}
  readonly #faults: FoundFault[] = []
  readonly #known = new Set<string>()
  readonly #added: string[] = []
  #runs = 0
  #replayed = 0
  #granted = 0
  #deepest = 0
  #revoked = 0

  constructor(settings: ServerSettings, wire: Wire, judge: ChainJudge) {
    this.#settings = settings
    this.#wire = wire
    this.#judge = judge
    const { agents, issuer } = settings.target
    this.#vigil = new Vigil(settings.watch)
    this.#clients = [agents.first, agents.second, agents.third].map(
      (party) => new FuzzClient(issuer, party),
    )
  }

  async replay(): Promise<void> {
    for (const { input, outcome } of readCorpus<readonly Step[]>(this.#settings.corpus, AREA)) {
      this.#known.add(outcome)
      this.#replayed++
      await this.#sequence(input, -1)
    }
  }

  async fuzz(begun: number): Promise<void> {
    const { seconds, runs = Number.POSITIVE_INFINITY, signal, progress, seed } = this.#settings
    const end = seconds === undefined ? Number.POSITIVE_INFINITY : begun + seconds * 1000
    let toldAt = begun
    for (let number = 0; number < runs; number++) {
      if (performance.now() > end || signal.aborted || this.#faults.length > MOST_FAULTS) break
      this.#runs++
      await this.#sequence(sequenceOf(new Random(seed, number)), number)
      const fault = await this.#vigil.look()
      if (fault !== undefined) this.#fault('server', fault, { number, steps: [] })
      if (performance.now() - toldAt < 3_000) continue
      toldAt = performance.now()
      progress(
        `chains: ${this.#runs} sequences in ${Math.round((toldAt - begun) / 1000)} s, ${this.#granted} tokens, ${this.#revoked} revocations, ${this.#faults.length} faults`,
      )
    }
    const fault = await this.#vigil.end()
    if (fault !== undefined) this.#fault('server', fault, { number: -1, steps: [] })
    this.#wire.close()
  }

  async #sequence(steps: readonly Step[], number: number): Promise<void> {
    const held: Held[] = []
    const seen: string[] = []
    const report = (kind: string, detail: string): void =>
      this.#fault(kind, detail, { number, steps })
    for (const step of steps) {
      const outcome = await this.#step(step, held, report)
      this.#outcomes[outcome] = (this.#outcomes[outcome] ?? 0) + 1
      seen.push(outcome)
    }
    if (held.some(({ isRevoked }) => isRevoked))
      await this.#judge.checkRevoked(held, (uri) => textAt(this.#wire, uri), report)
    const fresh = seen.find((outcome) => !this.#known.has(outcome))
    if (fresh === undefined || !this.#settings.keep) return
    for (const outcome of seen) this.#known.add(outcome)
    const kept = { name: fresh, outcome: fresh, input: steps }
    const file = keepInput(this.#settings.corpus, AREA, kept)
    if (file !== undefined) this.#added.push(file)
  }

  async #step(step: Step, held: Held[], report: Report): Promise<string> {
    const { target } = this.#settings
    const { agents, api } = target
    // An API's token is nobody's subject token: sometimes that, too, has to be tried.
    const handed = held.filter(({ claims }) => claims['aud'] !== api.uri)
    const among = handed.length > 0 && step.of % 7 !== 0 ? handed : held
    // The newest more often: chains grow.
    const at = step.of % 2 === 0 ? among.length - 1 : step.of % Math.max(1, among.length)
    const parent = step.kind === 'open' ? undefined : among[at]
    // Mostly somebody who might: the holder, or the one it was handed to.
    const anyone = this.#clients[step.caller % this.#clients.length] as FuzzClient
    const caller =
      parent === undefined ? (this.#clients[0] as FuzzClient) : this.#callerOf(parent, step, anyone)
    if (step.kind === 'revoke')
      return parent === undefined ? 'nothing' : this.#revoke(caller, parent)
    if (step.kind === 'exchange' && parent === undefined) return 'nothing'
    const { second, third } = agents
    const places = [second.endpoint, third.endpoint, third.endpoint, api.uri, undefined]
    const isHandover = step.kind === 'open' && step.target % 4 !== 0
    const resource = isHandover ? second.endpoint : places[step.target % places.length]
    const scopes = [api.read, `${api.read} ${api.write}`, undefined, api.write, 'mail:send']
    const scope = scopes[step.scope % scopes.length]
    const answer = await this.#post(caller, 'token', [
      ['grant_type', EXCHANGE],
      ['subject_token', parent?.token ?? idTokenFor(target, caller.id)],
      ['subject_token_type', parent === undefined ? ID_TOKEN : ACCESS_TOKEN],
      ...(resource === undefined ? [] : ([['resource', resource]] as const)),
      ...(scope === undefined ? [] : ([['scope', scope]] as const)),
    ])
    const reason = /"reason":"(\w+)"/.exec(answer.text)?.[1]
    if (answer.status !== 200) {
      const isKnown =
        answer.status === 400 && reason !== undefined && errorOf(answer.text) !== undefined
      if (!isKnown) report('unknown_refusal', `${answer.status} ${answer.text.slice(0, 200)}`)
      return `refused ${reason ?? answer.status}`
    }
    if (parent?.isRevoked === true) report('revoked_and_exchanged', '')
    const { access_token: token } = JSON.parse(answer.text) as { readonly access_token: string }
    const claims = payloadOf(token)
    const made: Held = { token, claims, parent, holder: caller, isRevoked: false }
    held.push(made)
    this.#granted++
    await this.#judge.checkToken(made, report)
    const depth = (claims['act_bounds'] as { readonly hops: readonly unknown[] }).hops.length
    this.#deepest = Math.max(this.#deepest, depth)
    return `granted at depth ${depth}`
  }

  #callerOf(parent: Held, step: Step, anyone: FuzzClient): FuzzClient {
    const { agents } = this.#settings.target
    const parties = [agents.first, agents.second, agents.third]
    const at = parties.findIndex(({ endpoint }) => endpoint === parent.claims['aud'])
    if (step.kind === 'revoke' || step.caller % 5 === 0) return parent.holder
    return step.caller % 5 === 1 ? anyone : (this.#clients[at] ?? parent.holder)
  }

  async #revoke(caller: FuzzClient, held: Held): Promise<string> {
    const answer = await this.#post(caller, 'revoke', [['token', held.token]])
    if (answer.status !== 200) return `revoke ${answer.status}`
    this.#revoked++
    held.isRevoked = true
    return 'revoked'
  }

  async #post(client: FuzzClient, endpoint: string, parameters: Parameters): Promise<Answer> {
    const url = `${this.#settings.target.issuer}/${endpoint}`
    const answer = await this.#wire.send({
      method: 'POST',
      url,
      headers: [
        ['content-type', 'application/x-www-form-urlencoded'],
        ['dpop', client.proof('POST', url)],
      ],
      body: formOf([...client.credentials(), ...parameters]),
    })
    return answer.status === 0 ? noAnswer() : (answer as Answer)
  }

  #fault(
    kind: string,
    detail: string,
    { number, steps }: { readonly number: number; readonly steps: readonly Step[] },
  ): void {
    const outcome = `fault: ${kind}`
    const file = keepInput(this.#settings.corpus, AREA, { name: outcome, outcome, input: steps })
    this.#faults.push({ kind, detail, number, by: 'sequence', file })
  }

  result(seconds: number): AreaResult {
    const { seed, corpus } = this.#settings
    return {
      area: AREA,
      seed,
      runs: this.#runs,
      seconds: rounded(seconds),
      figures: {
        tokens: this.#granted,
        deepest: this.#deepest,
        revocations: this.#revoked,
        ...this.#vigil.figures(),
      },
      outcomes: ranked(this.#outcomes),
      faults: this.#faults,
      corpus: { replayed: this.#replayed, added: this.#added, bytes: bytesOf(corpus) },
    }
  }
}

function noAnswer(): Answer {
  return { status: 0, headers: {}, text: '', milliseconds: 0 }
}

async function publishedKeys(wire: Wire, issuer: string): Promise<Case['jwks']> {
  const { origin, pathname } = new URL(issuer)
  const metadata = `${origin}/.well-known/oauth-authorization-server${pathname}`
  const { jwks_uri: uri } = JSON.parse(await textAt(wire, metadata)) as {
    readonly jwks_uri: string
  }
  return JSON.parse(await textAt(wire, uri)) as Case['jwks']
}

async function textAt(wire: Wire, url: string): Promise<string> {
  const answer = await wire.send({ method: 'GET', url, headers: [], body: undefined })
  if (answer.status !== 200) throw new Error(`${url} answers ${answer.status}`)
  return (answer as Answer).text
}
