/** Requests that wait for something to happen: so many at a time, one for each name, and all of them sent home at the end. */
const MOST = 256

export interface WaitingPlaces {
  /** A place under this name; undefined where it is taken, or all are. What is returned gives it back. */
  readonly take: (name: string) => (() => void) | undefined
  /** True after so many milliseconds; false as soon as the places are closed. */
  readonly pause: (milliseconds: number) => Promise<boolean>
  readonly close: () => void
}

export function createWaitingPlaces(most = MOST): WaitingPlaces {
  const taken = new Set<string>()
  const waking = new Set<() => void>()
  let isClosed = false
  return {
    take: (name) => {
      if (isClosed || taken.has(name) || taken.size >= most) return undefined
      taken.add(name)
      return () => void taken.delete(name)
    },
    pause: async (milliseconds) => {
      if (isClosed) return false
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          clearTimeout(timer)
          waking.delete(wake)
          resolve()
        }
        const timer = setTimeout(wake, milliseconds)
        waking.add(wake)
      })
      return !isClosed
    },
    close: () => {
      isClosed = true
      for (const wake of waking) wake()
    },
  }
}
