/** Actchain as it is served, in a process that is measured. Settings come from the environment, as always. */
import { describeProblems, isProblems, readProcessConfig } from '../../server/config.ts'
import { startServer } from '../../server/main.ts'
import { beMeasured } from './measured.ts'

const config = readProcessConfig()
if (isProblems(config)) throw new Error(describeProblems(config))
const server = await startServer(config)
beMeasured(() => server.close())
