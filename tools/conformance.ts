/** `npm run conformance`: the suite against any server, or against this project's own, which it starts. */
import { runProgram } from '../conformance/run/program.ts'
import { setup } from '../test/support/conformance-target.ts'
import { conformancePage } from './conformance-report.ts'

process.exitCode = await runProgram(process.argv, {
  start: async () => {
    const stop = await setup()
    return { profile: process.env['CONFORMANCE_PROFILE'] ?? '', stop }
  },
  page: conformancePage,
})
