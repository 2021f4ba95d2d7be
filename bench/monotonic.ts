/** Milliseconds of the machine's own clock, which every process of it reads alike and nobody sets. */
export function monotonic(): number {
  return Number(process.hrtime.bigint()) / 1e6
}
