/** The profile of this run, for tests. The global setup reads it later, when there is one. */
import { readProfile } from './profile.ts'

export const profile = readProfile()
