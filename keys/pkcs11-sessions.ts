/**
 * The sessions of one connection to a token. A session has one operation at a time, so each piece of work has one to itself, and
 * others wait for it. Objects and logins last as long as the connection.
 */
import { type Pkcs11Module, quietly, SESSION_FLAGS } from './pkcs11-module.ts'

/** One less than the threads Node has for such work: a device that is slow leaves one to the disk. */
const MOST_SESSIONS = 3

interface Waiting {
  readonly resolve: (session: Buffer) => void
  readonly reject: (fault: unknown) => void
}

export class Sessions {
  readonly module: Pkcs11Module
  readonly slot: Buffer
  /** Handles of private keys, by algorithm and name. */
  readonly keys = new Map<string, Buffer>()
  /** Lent to nobody: were no session open for a moment, the token would log us out. */
  readonly #login: Buffer
  readonly #idle: Buffer[] = []
  readonly #waiting: Waiting[] = []
  #open = 0
  #isLost = false

  constructor(module: Pkcs11Module, slot: Buffer) {
    this.module = module
    this.slot = slot
    this.#login = module.C_OpenSession(slot, SESSION_FLAGS)
  }

  logIn(user: number, pin: string): void {
    this.module.C_Login(this.#login, user, pin)
  }

  borrow(): Promise<Buffer> {
    if (this.#isLost) return Promise.reject(lost())
    const idle = this.#idle.pop()
    if (idle !== undefined) return Promise.resolve(idle)
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      this.#serve()
    })
  }

  giveBack(session: Buffer): void {
    if (this.#isLost) return quietly(() => this.module.C_CloseSession(session))
    const next = this.#waiting.shift()
    if (next === undefined) this.#idle.push(session)
    else next.resolve(session)
  }

  /** Instead of giving it back: an operation may have been begun in it that nobody ends. */
  discard(session: Buffer): void {
    quietly(() => this.module.C_CloseSession(session))
    this.#open -= 1
    this.#serve()
  }

  /** Closes what is idle; what is lent is closed when it comes back. Who waits is told. */
  drop(): void {
    if (this.#isLost) return
    this.#isLost = true
    for (const { reject } of this.#waiting.splice(0)) reject(lost())
    for (const session of [...this.#idle.splice(0), this.#login]) {
      quietly(() => this.module.C_CloseSession(session))
    }
  }

  /** Opens a session for whoever waits first, if there may be one more. */
  #serve(): void {
    if (this.#isLost || this.#open >= MOST_SESSIONS) return
    const next = this.#waiting.shift()
    if (next === undefined) return
    try {
      const session = this.module.C_OpenSession(this.slot, SESSION_FLAGS)
      this.#open += 1
      next.resolve(session)
    } catch (fault) {
      // A token may have fewer to give than we would take: then one of those there are will do.
      if (this.#open > 0) this.#waiting.unshift(next)
      else next.reject(fault)
    }
  }
}

function lost(): Error {
  return new Error('CKR_SESSION_CLOSED')
}
