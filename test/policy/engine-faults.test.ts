/** Nothing that goes wrong permits: a rule that fails refuses, an engine that fails is a fault. */
import { describe, expect, test } from 'vitest'
import { CedarInstance, EngineFault } from '../../server/policy/cedar.ts'
import { CedarEngine } from '../../server/policy/engine.ts'
import { aQuestion, FACTS, policiesOf, rulesFor, rulesOf } from './fixture.ts'

const ALL = '@id("all") permit (principal, action, resource);'

describe('L02 a rule that cannot be evaluated refuses, whatever the others say', () => {
  test.each([
    ['overflow', 'context.depth + 9223372036854775807 > 0'],
    ['an entity nobody knows', 'Task::"gone".opener == principal'],
    ['facts of a user who is not the subject', 'User::"someone".issuer == "idp"'],
  ])('%s', (_, condition) => {
    for (const effect of ['permit', 'forbid']) {
      const { answer } = rulesOf(`${ALL}
        @id("fails") ${effect} (principal, action == Action::"call", resource) when { ${condition} };`)
      expect(answer(aQuestion())).toEqual({
        decision: 'refuse',
        policies: [],
        obligations: {},
        failed: ['fails'],
      })
      expect(answer(aQuestion({ target: 'finder' })).decision).toBe('permit')
    }
  })

  test('the forbids that hold are named beside the ones that failed', () => {
    const { answer } = rulesOf(`${ALL}
      @id("no") forbid (principal, action, resource == Resource::"mail");
      @id("fails-b") forbid (principal, action, resource) when { User::"b".issuer == "idp" };
      @id("fails-a") permit (principal, action, resource) when { User::"a".issuer == "idp" };`)
    expect(answer(aQuestion())).toMatchObject({
      decision: 'refuse',
      policies: ['no'],
      failed: ['fails-a', 'fails-b'],
    })
  })

  test('facts that have lost an entity a rule reads refuse', () => {
    const policies = policiesOf(`${ALL}
      @id("peer") forbid (principal, action, resource) when { Agent::"finder".owner == "legal" };`)
    expect(rulesFor(FACTS, policies).answer(aQuestion()).decision).toBe('permit')
    const agents = new Map([...FACTS.agents].filter(([id]) => id !== 'finder'))
    const { answer } = rulesFor({ ...FACTS, agents }, policies)
    expect(answer(aQuestion())).toMatchObject({ decision: 'refuse', failed: ['peer'] })
  })
})

describe('L02 an engine that fails is a fault, and begins anew', () => {
  const SLOTS = { slots: 8, text: 10_000 }
  const secret = 'sentinel-of-a-request'
  const asked = (now: number) =>
    aQuestion({ now, request: { scope: [secret], purpose: undefined } })
  const reads = `${ALL} @id("time") permit (principal, action, resource) when { context has now && context has request };`

  test.each(['statefulIsAuthorized', 'preparsePolicySet'] as const)('%s throws', (call) => {
    const cedar = new FlakyInstance(call, 'throws')
    const { answer } = rulesFor(FACTS, policiesOf(reads), new CedarEngine(cedar, SLOTS))
    expect(answer(asked(1)).decision).toBe('permit')
    cedar.failNext()
    expect(() =>
      call === 'statefulIsAuthorized' ? answer(asked(2)) : answer(aQuestion({ action: 'open' })),
    ).toThrow(EngineFault)
    expect(cedar.generation).toBe(1)
    // A new instance knows no slice: it is told again.
    expect(answer(asked(2)).decision).toBe('permit')
    expect(answer(asked(3)).decision).toBe('permit')
    expect(cedar.generation).toBe(1)
  })

  test.each(['statefulIsAuthorized', 'preparsePolicySet'] as const)('%s says it failed', (call) => {
    const cedar = new FlakyInstance(call, 'fails')
    const { answer } = rulesFor(FACTS, policiesOf(reads), new CedarEngine(cedar, SLOTS))
    cedar.failNext()
    expect(() => answer(asked(1))).toThrow(EngineFault)
    expect(answer(asked(1)).decision).toBe('permit')
  })

  test('the fault tells nothing of policy or request, and its answer is not remembered', () => {
    const cedar = new FlakyInstance('statefulIsAuthorized', 'throws')
    const { answer } = rulesFor(FACTS, policiesOf(reads), new CedarEngine(cedar, SLOTS))
    cedar.failNext()
    const fault = (() => {
      try {
        return answer(asked(1))
      } catch (error) {
        return error
      }
    })()
    expect(fault).toBeInstanceOf(Error)
    const { message, cause } = fault as Error
    expect({ message, cause }).toEqual({ message: 'the policy engine failed', cause: undefined })
    expect(answer(asked(1)).decision).toBe('permit')
  })

  test('an engine that cannot be loaded is a fault each time', () => {
    const cedar = new CedarInstance(() => {
      throw new Error(`no such file: ${secret}`)
    })
    const { answer } = rulesFor(FACTS, policiesOf(ALL), new CedarEngine(cedar, SLOTS))
    for (let time = 0; time < 2; time++) {
      expect(() => answer(aQuestion())).toThrow(new EngineFault())
    }
  })

  test("one tenant more than there are slots: every answer is its own tenant's", () => {
    const engine = new CedarEngine(new CedarInstance(), { slots: 2, text: 10_000 })
    const tenants = ['mail', 'payments', 'finder'].map((id) =>
      rulesFor(
        FACTS,
        policiesOf(`@id("only-${id}") permit (principal, action, resource == Resource::"${id}");`),
        engine,
      ),
    )
    const ask = (round: number) =>
      tenants.map(({ answer }) =>
        ['mail', 'payments', 'finder'].map(
          (target) => answer(aQuestion({ target, now: round })).policies,
        ),
      )
    for (let round = 1; round < 4; round++) {
      expect(ask(round)).toEqual([
        [['only-mail'], [], []],
        [[], ['only-payments'], []],
        [[], [], ['only-finder']],
      ])
    }
  })

  test('policies too large to be kept are told each time they are asked, under one name', () => {
    const names = new Set<string>()
    const cedar = new CedarInstance(() => {
      const real = new CedarInstance().run((loaded) => loaded)
      const preparsePolicySet: typeof real.preparsePolicySet = (name, policies) => {
        names.add(name)
        return real.preparsePolicySet(name, policies)
      }
      return { ...real, preparsePolicySet }
    })
    const { answer } = rulesFor(
      FACTS,
      policiesOf(reads),
      new CedarEngine(cedar, { slots: 2, text: 10 }),
    )
    for (let now = 1; now < 6; now++) expect(answer(asked(now)).decision).toBe('permit')
    expect(names.size).toBe(1)
  })
})

/** Cedar, one call of which can be told to go wrong. */
class FlakyInstance extends CedarInstance {
  readonly #state: { fails: boolean }

  constructor(call: 'statefulIsAuthorized' | 'preparsePolicySet', how: 'throws' | 'fails') {
    const state = { fails: false }
    super(() => {
      const real = new CedarInstance().run((cedar) => cedar)
      const flaky = (...asked: readonly unknown[]) => {
        if (!state.fails) return (real[call] as (...all: readonly unknown[]) => unknown)(...asked)
        state.fails = false
        if (how === 'throws') throw new WebAssembly.RuntimeError(`memory: ${JSON.stringify(asked)}`)
        return { type: 'failure', errors: [{ message: JSON.stringify(asked) }], warnings: [] }
      }
      return { ...real, [call]: flaky }
    })
    this.#state = state
  }

  failNext(): void {
    this.#state.fails = true
  }
}
