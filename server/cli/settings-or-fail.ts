/** The process's configuration, or the one failure that lists every problem with it. */
import {
  type Config,
  type ConfigProblem,
  describeProblems,
  type Flags,
  isProblems,
  readCommandConfig,
  readDevelopmentConfig,
  readProcessConfig,
} from '../config.ts'
import { Failure } from './failure.ts'

export function configOrFail(flags: Flags): Config {
  return orFail(readProcessConfig(flags))
}

/** For commands that only development has. */
export function developmentConfigOrFail(flags: Flags): Config {
  return orFail(readDevelopmentConfig(flags))
}

/** For commands that read tenant folders or talk to a running server, wherever they are run. */
export function commandConfigOrFail(flags: Parameters<typeof readCommandConfig>[0]): Config {
  return orFail(readCommandConfig(flags))
}

function orFail(outcome: Config | readonly ConfigProblem[]): Config {
  if (!isProblems(outcome)) return outcome
  const misused = outcome.every(({ setting }) => setting.startsWith('--'))
  throw new Failure(describeProblems(outcome), misused ? 2 : 1)
}
