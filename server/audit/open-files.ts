/** The files of the logs that are open: at most so many, opened when they are needed, the one longest idle closed first. */
import type { AppendFile } from './append-file.ts'

/** Processes may have a thousand files open, sockets among them. */
const MOST_OPEN = 256

export interface OpenFilesDeps {
  readonly openFile: (path: string) => Promise<AppendFile>
  readonly mostOpen?: number
}

export class OpenFiles {
  readonly #openFile: OpenFilesDeps['openFile']
  readonly #mostOpen: number
  /** Nobody uses these; in the order they were given back. */
  readonly #idle = new Map<string, AppendFile>()
  /** Whoever waits for a place. */
  readonly #queue: (() => void)[] = []
  #lent = 0

  constructor({ openFile, mostOpen = MOST_OPEN }: OpenFilesDeps) {
    this.#openFile = openFile
    this.#mostOpen = mostOpen
  }

  /** Runs `work` with the file, open. A path is never asked for again before its work is done. One whose work throws is closed. */
  async use(path: string, work: (file: AppendFile) => Promise<void>): Promise<void> {
    while (this.#lent >= this.#mostOpen) {
      await new Promise<void>((resolve) => this.#queue.push(resolve))
    }
    this.#lent += 1
    try {
      const file = await this.#borrow(path)
      try {
        await work(file)
      } catch (fault) {
        // What it wrote may end within a line: opening it again ends that.
        await file.close().catch(ignore)
        throw fault
      }
      this.#idle.set(path, file)
    } finally {
      this.#lent -= 1
      this.#queue.shift()?.()
    }
  }

  async #borrow(path: string): Promise<AppendFile> {
    const idle = this.#idle.get(path)
    if (idle !== undefined) {
      this.#idle.delete(path)
      return idle
    }
    const [oldest] = this.#idle
    if (oldest !== undefined && this.#idle.size + this.#lent > this.#mostOpen) {
      this.#idle.delete(oldest[0])
      await oldest[1].close().catch(ignore)
    }
    return this.#openFile(path)
  }

  /** When nobody uses one any more. */
  async close(): Promise<void> {
    const idle = [...this.#idle.values()]
    this.#idle.clear()
    for (const file of idle) await file.close()
  }
}

/** All that was written to it is on disk, or was told to have failed. */
function ignore(): void {}
