/** Tells what happens, as it happens: to people or to programs. */
import { hopLine, recordLine, refusalLine } from './json-lines.ts'
import { type Closing, createPicture } from './picture.ts'
import type { HopVerdict, RecordVerdict, TryVerdict } from './verdict.ts'

export interface Teller {
  gathering(): void
  opening(issuer: string): void
  hop(verdict: HopVerdict): void
  record(verdict: RecordVerdict): void
  between(): void
  refusal(verdict: TryVerdict): void
  closing(facts: Closing): void
}

export function jsonTeller(): Teller {
  return {
    gathering: () => {},
    opening: () => {},
    hop: (verdict) => print(hopLine(verdict)),
    record: (verdict) => print(recordLine(verdict)),
    between: () => {},
    refusal: (verdict) => print(refusalLine(verdict)),
    closing: () => {},
  }
}

export function pictureTeller(): Teller {
  const isPlain = process.env['NO_COLOR'] !== undefined && process.env['NO_COLOR'] !== ''
  const picture = createPicture({ colours: process.stdout.isTTY && !isPlain })
  return {
    gathering: () => print(picture.gathering()),
    opening: (issuer) => print(picture.opening(issuer)),
    hop: (verdict) => print(picture.hop(verdict)),
    record: (verdict) => print(picture.record(verdict)),
    between: () => print(picture.between()),
    refusal: (verdict) => print(picture.refusal(verdict)),
    closing: (facts) => print(picture.closing(facts)),
  }
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}
