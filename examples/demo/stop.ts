/** The demo's end before its time: a signal to the process, or a reader of its output that is gone. */

export class Stopped extends Error {
  readonly exitCode: number

  constructor(exitCode: number) {
    super('The demo was stopped.')
    this.exitCode = exitCode
  }
}

/** Aborted by Ctrl-C, a kill or a closed terminal; npm passes on what the terminal sends, so it may come twice. */
export function stopSignal(): AbortSignal {
  const controller = new AbortController()
  process.on('SIGINT', () => controller.abort(new Stopped(130)))
  process.on('SIGTERM', () => controller.abort(new Stopped(143)))
  process.on('SIGHUP', () => controller.abort(new Stopped(129)))
  // A reader that closes early (`| head`) ends the demo in order, too.
  process.stdout.on('error', () => controller.abort(new Stopped(1)))
  return controller.signal
}

/** Never resolves. */
export function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
  })
}
