/**
 * The Cedar engine: WebAssembly that is loaded when it is first needed (50 ms) and begun anew after it broke. Its memory
 * is undefined once a call has trapped (too deep a policy exhausts its stack), so a broken instance is never called again.
 */
import { createRequire } from 'node:module'
import type * as Cedar from '@cedar-policy/cedar-wasm/nodejs'

export type CedarModule = typeof Cedar

const PACKAGE = '@cedar-policy/cedar-wasm/nodejs'

/** The engine itself failed: a fault, never a decision. */
export class EngineFault extends Error {
  override readonly name = 'EngineFault'
  constructor() {
    // Nothing of the cause: the engine's own words may quote a policy or a request.
    super('the policy engine failed')
  }
}

export class CedarInstance {
  readonly #load: () => CedarModule
  #loaded: CedarModule | undefined
  #generation = 0

  constructor(load: () => CedarModule = loadAnew) {
    this.#load = load
  }

  /** Grows whenever an instance was given up: what it had been told is gone. */
  get generation(): number {
    return this.#generation
  }

  /** Throws an `EngineFault` for whatever goes wrong in `work`, and begins anew at the next call. */
  run<Result>(work: (cedar: CedarModule) => Result): Result {
    try {
      this.#loaded ??= this.#load()
      return work(this.#loaded)
    } catch {
      this.#loaded = undefined
      this.#generation += 1
      throw new EngineFault()
    }
  }
}

/** One for the process: an instance takes 15 MB. */
export const processCedar: CedarInstance = new CedarInstance()

// A module is instantiated once for each entry of the cache of modules.
function loadAnew(): CedarModule {
  const require = createRequire(import.meta.url)
  delete require.cache[require.resolve(PACKAGE)]
  return require(PACKAGE) as CedarModule
}
