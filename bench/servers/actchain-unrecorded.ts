/** Actchain as it is served, but nothing goes on record: what the record costs is the difference. No setting does this. */
import { describeProblems, isProblems, readProcessConfig } from '../../server/config.ts'
import { startServer } from '../../server/main.ts'
import { beMeasured } from './measured.ts'

const config = readProcessConfig()
if (isProblems(config)) throw new Error(describeProblems(config))
const nothing = (): Promise<void> => Promise.resolve()
const server = await startServer(config, {
  audit: { append: nothing, appendRevocation: nothing, isFailing: false },
})
beMeasured(() => server.close())
