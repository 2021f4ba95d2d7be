/** Reads a printed curl line the way a shell does. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** What curl would be given: the line is run by a shell in which `curl` prints its arguments. */
export async function argumentsOf(
  line: string,
): Promise<{ url: string; dpop: string; form: Map<string, string> }> {
  const script = `curl() { for word in "$@"; do printf '%s\\0' "$word"; done; }; ${line}`
  const words = (await run('/bin/sh', ['-c', script])).stdout.split('\0').slice(0, -1)
  const after = (flag: string) =>
    words.flatMap((word, at) => (words[at - 1] === flag ? [word] : []))
  const form = new Map(
    after('--data-urlencode').map((pair) => pair.split(/=(.*)/s).slice(0, 2) as [string, string]),
  )
  return { url: words[1]!, dpop: after('-H')[0]!.replace('DPoP: ', ''), form }
}
