/** Every file of vectors. */
import { bounds } from './bounds.ts'
import { chains } from './chains.ts'
import type { Theme } from './theme.ts'

export function allThemes(): readonly Theme[] {
  return [chains(), bounds()]
}
