/**
 * The process's log: JSON lines on stdout in production, short lines for people in development. It takes only the fields
 * of log-fields.ts. What must be on record is the audit log's, not this one's.
 */
import { type DestinationStream, destination, type Logger, pino } from 'pino'
import { allowedFields, type LogFields, type LogLevel } from './log-fields.ts'

export type { LogFields } from './log-fields.ts'
export { faultReason } from './log-fields.ts'

export interface Log {
  /** Nothing is written, and hardly anything paid, where the level is higher. */
  debug(fields: LogFields): void
  info(fields: LogFields): void
  warn(fields: LogFields): void
  error(fields: LogFields): void
  /** A log whose every entry has these fields too. */
  child(fields: Omit<LogFields, 'event'>): Log
}

export interface LogOptions {
  readonly mode: 'production' | 'development'
  /** Lines of this level and above are written; `info` when absent. */
  readonly level?: LogLevel
  /** Where lines go; stdout when absent. */
  readonly to?: DestinationStream
}

export function createLog({ mode, level = 'info', to = destination(1) }: LogOptions): Log {
  const options = {
    level,
    base: null, // pid and host name say nothing the platform does not know.
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
  }
  return asLog(pino(options, mode === 'development' ? readable(to) : to))
}

function asLog(logger: Logger): Log {
  return {
    debug: (fields) => {
      if (logger.isLevelEnabled('debug')) logger.debug(allowedFields(fields))
    },
    info: (fields) => logger.info(allowedFields(fields)),
    warn: (fields) => logger.warn(allowedFields(fields)),
    error: (fields) => logger.error(allowedFields(fields)),
    child: (fields) => asLog(logger.child(allowedFields(fields))),
  }
}

/** Turns pino's JSON lines into `12:00:01 warn  event  name=value …`. */
function readable(to: DestinationStream): DestinationStream {
  return {
    write: (line: string) => to.write(readableLine(JSON.parse(line) as Record<string, unknown>)),
  }
}

function readableLine({ level, time, event, ...rest }: Record<string, unknown>): string {
  const clock = String(time).slice(11, 19)
  const fields = Object.entries(rest).map(([name, value]) => `${name}=${readableValue(value)}`)
  return `${[clock, String(level).padEnd(5), readableValue(event), ...fields].join(' ')}\n`
}

/** Plain where it can be; quoted and escaped otherwise, so that no value can write a line or colour of its own. */
function readableValue(value: unknown): string {
  const text = String(value)
  if (/^[\x21-\x7e]+$/.test(text)) return text
  return JSON.stringify(text).replace(
    /[^\x20-\x7e]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
