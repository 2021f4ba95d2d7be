/** The demo for programs: one line of JSON for each hop, for what was recorded, and for each refusal. */
import type { HopVerdict, RecordVerdict, TryVerdict } from './verdict.ts'

/** Where something went otherwise, `expected` and `happened` say how. */
export function hopLine({ number, ok, expected, hop, refused }: HopVerdict): string {
  const told = ok ? {} : { expected, happened: refused ?? hop ?? null }
  return JSON.stringify({ kind: 'hop', ok, hop: number, ...hop, ...told })
}

export function recordLine({ ok, expected, happened }: RecordVerdict): string {
  const told = ok ? {} : { expected, happened: happened ?? null }
  return JSON.stringify({ kind: 'record', ok, ...happened, ...told })
}

export function refusalLine({ tried, ok, attempts }: TryVerdict): string {
  const [first, ...others] = attempts
  const also = others.map(({ happened }) => happened ?? null)
  const told = { expected: attempts.map(({ expected }) => expected) }
  return JSON.stringify({
    kind: 'refusal',
    name: tried.name,
    ok,
    ...(first?.happened ?? { error: null, reason: null }),
    ...(also.length > 0 && { also }),
    ...(!ok && told),
  })
}
