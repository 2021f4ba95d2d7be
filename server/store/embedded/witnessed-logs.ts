/**
 * What this server cosigned of other logs: in the environment of versions, because a witness that forgets signs what it should
 * refuse.
 */
import type { WitnessedLog, WitnessedLogs } from '../../use-cases/ports.ts'
import { type Environment, StoreFull } from './environment.ts'
import { witnessedKey } from './keys.ts'

export class EmbeddedWitnessedLogs implements WitnessedLogs {
  readonly #environment: Environment

  constructor(environment: Environment) {
    this.#environment = environment
  }

  find(origin: string): WitnessedLog | undefined {
    this.#environment.refresh()
    return this.#read(origin)
  }

  async advance(
    origin: string,
    {
      expected,
      next,
    }: { readonly expected: WitnessedLog | undefined; readonly next: WitnessedLog },
  ): Promise<boolean> {
    const environment = this.#environment
    if (environment.isFull()) throw new StoreFull()
    return environment.transact(() => {
      if (this.#read(origin)?.note !== expected?.note) return false
      environment.put(witnessedKey(origin), Buffer.from(JSON.stringify(next)))
      return true
    })
  }

  #read(origin: string): WitnessedLog | undefined {
    const value = this.#environment.get(witnessedKey(origin))
    return value === undefined ? undefined : (JSON.parse(value.toString('utf8')) as WitnessedLog)
  }
}
