/** One log that this process has open: its tree, its part of the search index, its checkpoints. One thing is done at a time. */
import { setImmediate } from 'node:timers/promises'
import { type Draft, draftText, type LogKey, nameLogKey, readText } from './checkpoint-file.ts'
import { parseLine } from './entry-line.ts'
import { type GrowingTree, LogChanged } from './growing-tree.ts'
import { checkpointPath, keyPath, logFolder } from './log-paths.ts'
import type { LogTree, LogTreesDeps } from './log-trees.ts'
import {
  FOREIGN_CHECKPOINT,
  fits,
  type OpenedTree,
  openTree,
  type SignedTree,
  verified,
} from './open-tree.ts'

/** Entries handed to the index at once, before requests have their turn: what many of them have in common costs once. */
const INDEXED_AT_ONCE = 512
/** Entries that may wait for the index until somebody reads: a search takes them in first, in some milliseconds. */
const MOST_UNINDEXED = 2048

const OTHER_ENTRIES = 'its entries are not those that were signed'

/** What is on disk does not fit what was signed: nothing more is. */
export class LogDamaged extends Error {
  constructor() {
    super('the log does not fit its checkpoint')
  }
}

export class OpenLog {
  readonly #log: string
  readonly #deps: LogTreesDeps
  readonly #folder: string
  readonly #key: Promise<LogKey>
  #opened: OpenedTree | undefined
  /** What has begun, and what begins after it: whoever asks meanwhile is served by that. */
  #running: Promise<unknown> = Promise.resolve()
  #waiting: Promise<GrowingTree> | undefined

  constructor(log: string, deps: LogTreesDeps) {
    this.#log = log
    this.#deps = deps
    this.#folder = logFolder(deps.dataFolder, log)
    this.#key = nameLogKey(deps.originOf(log), deps.key)
    this.#key.catch(ignore) // whoever awaits it is told
  }

  async vkey(): Promise<string> {
    return (await this.#key).vkey
  }

  async catchUp(): Promise<LogTree> {
    const tree = await this.#takeIn()
    await this.#inOrder(() => this.#feedIndex(tree))
    return snapshot(tree)
  }

  /** Every entry there is when it begins, into the tree. */
  #takeIn(): Promise<GrowingTree> {
    this.#waiting ??= this.#inOrder(async () => {
      this.#waiting = undefined
      const { tree } = await this.#grow()
      return tree
    })
    return this.#waiting
  }

  #inOrder<Result>(work: () => Promise<Result>): Promise<Result> {
    const done = this.#running.then(work)
    this.#running = done.catch(ignore)
    return done
  }

  async #grow(): Promise<OpenedTree> {
    try {
      const opened = this.#opened ?? (await this.#open([]))
      await opened.tree.grow()
      return opened
    } catch (fault) {
      // What this process has met has to be there still, signed or not.
      const before = this.#opened
      // Part of it may not have been kept, on a full disk say: it is begun again where all is.
      this.#opened = undefined
      if (!(fault instanceof LogChanged)) throw fault
      const seen = before === undefined || before.damage !== undefined ? [] : [rootOf(before.tree)]
      const opened = await this.#open(seen)
      await opened.tree.grow()
      return opened
    }
  }

  async #open(seen: readonly SignedTree[]): Promise<OpenedTree> {
    this.#opened = undefined
    const opened = await openTree(this.#folder, await this.#key, seen)
    const { index, onDamage } = this.#deps
    if (opened.isOther || seen.length > 0) index.transact(() => index.forget(this.#log))
    if (opened.damage !== undefined) onDamage(this.#log, opened.damage)
    this.#opened = opened
    return opened
  }

  /** The index may be behind, having been removed, or of another log that was here. */
  async #feedIndex(tree: GrowingTree): Promise<void> {
    const { index } = this.#deps
    const isForeign = (): boolean => index.known(this.#log) > tree.size && tree.isCaughtUp
    if (isForeign()) {
      index.transact(() => {
        if (isForeign()) index.forget(this.#log)
      })
    }
    for (let known = index.known(this.#log); known < tree.size; known = index.known(this.#log)) {
      await this.#feed(tree, known)
      await setImmediate()
    }
  }

  async #feed(tree: GrowingTree, from: number): Promise<void> {
    const { index } = this.#deps
    const lines = await tree.readLines(from, Math.min(from + INDEXED_AT_ONCE, tree.size))
    const entries = lines.map((line) => parseLine(line.toString()))
    index.transact(() => {
      const known = index.known(this.#log) // another process may have added some, or have begun anew
      if (known < from) return
      for (const [at, entry] of entries.entries()) {
        if (from + at >= known) index.add(this.#log, from + at, entry)
      }
    })
  }

  async checkpoint(): Promise<string | undefined> {
    const taken = await this.#takeIn()
    const { size } = taken
    if (size === 0) return undefined
    if (size - this.#deps.index.known(this.#log) > MOST_UNINDEXED) {
      await this.#inOrder(() => this.#feedIndex(taken))
    }
    for (;;) {
      const opened = this.#expectSound()
      const current = readText(checkpointPath(this.#folder))
      const signed = await this.#check(opened.tree, current)
      if (current !== undefined && signed !== undefined && signed.size >= size) return current
      const note = await this.#replace(opened.tree, current)
      if (note !== undefined) return note
    }
  }

  #expectSound(): OpenedTree {
    const opened = this.#opened
    if (opened === undefined) throw new LogChanged('the log was closed')
    if (opened.damage !== undefined) throw new LogDamaged()
    return opened
  }

  /** The checkpoint on disk, which another process may have signed. Throws where the tree does not go on from it. */
  async #check(tree: GrowingTree, note: string | undefined): Promise<SignedTree | undefined> {
    if (note === undefined) return undefined
    const signed = await verified(await this.#key, note)
    // A larger one was signed by a process that is ahead; it is looked at when this one gets there.
    if (signed !== undefined && (signed.size > tree.size || fits(tree, signed))) return signed
    const damage = signed === undefined ? FOREIGN_CHECKPOINT : OTHER_ENTRIES
    this.#opened = { tree, damage, isOther: false }
    this.#deps.onDamage(this.#log, damage)
    throw new LogDamaged()
  }

  /** Signs the tree. Undefined where `current` was replaced in the meantime. */
  async #replace(tree: GrowingTree, current: string | undefined): Promise<string | undefined> {
    const path = checkpointPath(this.#folder)
    const signing = rootOf(tree)
    await tree.sync()
    const key = await this.#key
    const note = await key.sign(signing)
    const draft = await draftText(path, note)
    if (!this.#placeAfter(current, draft)) return undefined
    await this.#showKey(key)
    this.#deps.onCheckpoint(this.#log, note)
    return note
  }

  #placeAfter(current: string | undefined, draft: Draft): boolean {
    const isPlaced = this.#deps.index.transact(() => {
      const isCurrent = readText(checkpointPath(this.#folder)) === current
      if (isCurrent) draft.place()
      return isCurrent
    })
    if (!isPlaced) draft.drop()
    return isPlaced
  }

  /** After the checkpoint: where there is a key, there was one. */
  async #showKey({ vkey }: LogKey): Promise<void> {
    const path = keyPath(this.#folder)
    if (readText(path) === `${vkey}\n`) return
    const draft = await draftText(path, `${vkey}\n`)
    draft.place()
  }
}

const rootOf = (tree: GrowingTree): SignedTree => ({ size: tree.size, root: tree.root() })

/** As far as the tree reaches now: it may have grown when it is asked. */
function snapshot(tree: GrowingTree): LogTree {
  const { size } = tree
  return { size, ...tree.tree(), readLines: (from, to) => tree.readLines(from, to) }
}

/** Whoever awaits the promise is told. */
function ignore(): void {}
