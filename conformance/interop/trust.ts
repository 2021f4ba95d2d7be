/** Setup file of the project `interop`. */
import { trustTarget } from './target.ts'

trustTarget()
