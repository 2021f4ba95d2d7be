/** A timer that keeps no process alive, where the runtime knows of that. */

interface Denoted {
  readonly Deno?: { readonly unrefTimer?: (timer: unknown) => void }
}

/** Returns what calls it off. */
export function startTimer(run: () => void, seconds: number): () => void {
  // A number, or in Node and Bun an object.
  const timer: unknown = setTimeout(run, seconds * 1000)
  if (typeof timer === 'object') (timer as { unref?: () => void }).unref?.()
  else (globalThis as Denoted).Deno?.unrefTimer?.(timer)
  return () => clearTimeout(timer as number)
}
