/**
 * Events of a text/event-stream as it arrives (HTML Living Standard §9.2.6), bounded. Lines end with LF or CRLF; `id` and
 * `retry` are not read: what counts is signed and inside the data.
 */

export interface ServerEvent {
  readonly event: string
  readonly data: string
}

/** Characters of one event that is not complete yet. */
export const MAX_EVENT_LENGTH = 262_144

export class EventStream {
  #pending = ''
  #event = ''
  #data: string[] = []
  #length = 0

  /** The events this piece completes. Throws where one grows too large. */
  push(piece: string): readonly ServerEvent[] {
    const lines = (this.#pending + piece).split('\n')
    this.#pending = lines.pop() ?? ''
    const events = lines.flatMap((line) => this.#read(line.replace(/\r$/, '')))
    if (this.#length + this.#pending.length > MAX_EVENT_LENGTH)
      throw new Error('an event is too large')
    return events
  }

  #read(line: string): readonly ServerEvent[] {
    if (line === '') return this.#complete()
    const [, name, value = ''] = /^([^:]*)(?:: ?(.*))?$/.exec(line) ?? []
    if (name === 'event') this.#event = value
    if (name !== 'data') return []
    this.#data.push(value)
    this.#length += value.length + 1
    return []
  }

  #complete(): readonly ServerEvent[] {
    const [event, data] = [this.#event, this.#data]
    this.#event = ''
    this.#data = []
    this.#length = 0
    return data.length === 0 ? [] : [{ event, data: data.join('\n') }]
  }
}
