/**
 * One token of a PKCS#11 device: found by its label, logged in to once. What was lost is opened again, and the work that met
 * it is done once more.
 */
import {
  CKU_USER,
  DeviceRefused,
  leaveModule,
  type Pkcs11Module,
  resultOf,
  useModule,
} from './pkcs11-module.ts'
import { Sessions } from './pkcs11-sessions.ts'

export interface Pkcs11Place {
  /** Absolute path of the device's library. */
  readonly module: string
  /** Label of the token. */
  readonly token: string
  readonly pin: { reveal(): string }
}

/** A session for one piece of work. */
export interface Session {
  readonly module: Pkcs11Module
  readonly slot: Buffer
  readonly handle: Buffer
  /** Handles of private keys, by algorithm and name: good in every session of this connection. */
  readonly keys: Map<string, Buffer>
}

/** Milliseconds one piece of work may take, its wait for a session included. */
const LONGEST = 5000
/** Milliseconds without another try after the token could not be reached: each may hold up the whole process. */
const PAUSE = 1000

/** After these nothing of the connection is worth keeping. */
const LOST: ReadonlySet<string | undefined> = new Set([
  'CKR_SESSION_HANDLE_INVALID',
  'CKR_SESSION_CLOSED',
  'CKR_USER_NOT_LOGGED_IN',
  'CKR_KEY_HANDLE_INVALID',
  'CKR_OBJECT_HANDLE_INVALID',
  'CKR_DEVICE_ERROR',
  'CKR_DEVICE_REMOVED',
  'CKR_TOKEN_NOT_PRESENT',
])

export class Pkcs11Device {
  readonly #place: Pkcs11Place
  readonly #working = new Set<Promise<unknown>>()
  #module: Promise<Pkcs11Module> | undefined
  #sessions: Sessions | undefined
  /** Why nothing is tried any more. A PIN that was refused is not sent again: the token would lock itself. */
  #ended: Error | undefined
  #pausedUntil = 0

  constructor(place: Pkcs11Place) {
    this.#place = place
  }

  /** Throws DeviceRefused where the operator has to change something, else what the device said. */
  async connect(): Promise<void> {
    await this.#connect()
  }

  /** Does `work`; once more where the connection was lost meanwhile, so it looks before it makes anything. */
  use<T>(work: (session: Session) => Promise<T>): Promise<T> {
    const working = this.#once(work).catch((fault: unknown) => {
      if (!LOST.has(resultOf(fault))) throw fault
      return this.#once(work)
    })
    this.#working.add(working)
    void this.#forgetEnded(working)
    return within(LONGEST, working)
  }

  /** Begins nothing more, and lets go of the token when all that was begun has ended. */
  async close(): Promise<void> {
    const held = this.#module
    this.#ended = new Error('the PKCS#11 device was closed')
    this.#module = undefined
    // A library that is finalized beneath a call may take the process with it: one that hangs is left alone.
    const isQuiet = await within(LONGEST, Promise.allSettled(this.#working)).catch(() => false)
    this.#sessions?.drop()
    const isLoaded = await held?.then(
      () => true,
      () => false,
    )
    if (isLoaded === true && isQuiet !== false) await leaveModule(this.#place.module)
  }

  async #forgetEnded(working: Promise<unknown>): Promise<void> {
    await Promise.allSettled([working])
    this.#working.delete(working)
  }

  async #once<T>(work: (session: Session) => Promise<T>): Promise<T> {
    const sessions = await this.#connect()
    const { module, slot, keys } = sessions
    const handle = await sessions.borrow()
    try {
      const done = await work({ module, slot, keys, handle })
      sessions.giveBack(handle)
      return done
    } catch (fault) {
      sessions.discard(handle)
      if (LOST.has(resultOf(fault))) {
        sessions.drop()
        if (this.#sessions === sessions) this.#sessions = undefined
      }
      throw fault
    }
  }

  async #connect(): Promise<Sessions> {
    if (this.#ended !== undefined) throw this.#ended
    this.#module ??= useModule(this.#place.module)
    const module = await this.#module
    if (this.#sessions !== undefined) return this.#sessions
    if (performance.now() < this.#pausedUntil) throw new Error('the PKCS#11 device is out of reach')
    try {
      this.#sessions = this.#logIn(module)
      return this.#sessions
    } catch (fault) {
      this.#pausedUntil = performance.now() + PAUSE
      throw fault
    }
  }

  #logIn(module: Pkcs11Module): Sessions {
    const { token, pin } = this.#place
    const sessions = new Sessions(module, findSlot(module, token))
    try {
      sessions.logIn(CKU_USER, pin.reveal())
      return sessions
    } catch (fault) {
      const result = resultOf(fault)
      if (result === 'CKR_USER_ALREADY_LOGGED_IN') return sessions
      sessions.drop()
      if (result === undefined || !/_PIN_/.test(result)) throw fault
      this.#ended = new DeviceRefused(
        `ACTCHAIN_PKCS11_PIN does not log in to the token ${JSON.stringify(token)}: ${result}.`,
      )
      throw this.#ended
    }
  }
}

function findSlot(module: Pkcs11Module, token: string): Buffer {
  const slots = module
    .C_GetSlotList(true)
    // Padded with spaces to 32 characters.
    .filter((slot) => module.C_GetTokenInfo(slot).label.trimEnd() === token)
  const [slot] = slots
  if (slot !== undefined && slots.length === 1) return slot
  const found = slot === undefined ? 'no token' : 'more than one token'
  throw new DeviceRefused(
    `ACTCHAIN_PKCS11_TOKEN is ${JSON.stringify(token)}, and ${found} of the device has that label.`,
  )
}

/** Throws after `limit` milliseconds; what was begun goes on, for nobody. */
async function within<T>(limit: number, working: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('the PKCS#11 device did not answer')), limit)
  })
  try {
    return await Promise.race([working, late])
  } finally {
    clearTimeout(timer)
  }
}
