/** The runner by itself: against the server of a profile. */
import { runProgram } from './program.ts'

process.exitCode = await runProgram(process.argv)
