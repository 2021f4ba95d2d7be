/** Every file of vectors. */
import { bounds } from './bounds.ts'
import { certificates } from './certificates.ts'
import { chains } from './chains.ts'
import { clock } from './clock.ts'
import { dpop } from './dpop.ts'
import { jose } from './jose.ts'
import { joseFaults } from './jose-faults.ts'
import { pairs } from './pairs.ts'
import { spelling } from './spelling.ts'
import { status } from './status.ts'
import type { Theme } from './theme.ts'
import { types } from './types.ts'

export function allThemes(): readonly Theme[] {
  return [
    chains(),
    bounds(),
    pairs(),
    types(),
    spelling(),
    jose(),
    joseFaults(),
    dpop(),
    certificates(),
    status(),
    clock(),
  ]
}
