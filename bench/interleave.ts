/**
 * CPU time of competing pieces of work, taken in turns: A B C, A B C. Whatever else the machine does, it does to all of
 * them, and a ratio is one of neighbours.
 */

export interface Competitor {
  readonly name: string
  /** How often `run` does it in one turn. */
  readonly times: number
  /** Does it `times` times; `turn` counts from 0. May prepare nothing: all of it counts. */
  readonly run: (times: number, turn: number) => void | Promise<void>
}

/** Microseconds of CPU, all threads, for doing it once; one sample for each round. */
export type Samples = ReadonlyMap<string, readonly number[]>

/** `warmUp` rounds come first and are forgotten. */
export async function interleave(
  competitors: readonly Competitor[],
  { rounds, warmUp }: { readonly rounds: number; readonly warmUp: number },
): Promise<Samples> {
  const samples = new Map(competitors.map(({ name }) => [name, [] as number[]]))
  for (let turn = 0; turn < warmUp + rounds; turn++) {
    for (const { name, times, run } of competitors) {
      const start = process.cpuUsage()
      await run(times, turn)
      const { user, system } = process.cpuUsage(start)
      if (turn >= warmUp) samples.get(name)?.push((user + system) / times)
    }
  }
  return samples
}

/** How many times faster `name` is than `other`, round by round. */
export function ratios(samples: Samples, name: string, other: string): readonly number[] {
  const others = samples.get(other) ?? []
  return (samples.get(name) ?? []).map((sample, round) => (others[round] ?? Number.NaN) / sample)
}
