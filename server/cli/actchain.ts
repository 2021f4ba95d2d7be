#!/usr/bin/env -S node --conditions=actchain:source
/** The `actchain` command's process. */
import { runProgram } from './program.ts'
import type { StartServer } from './serve.ts'

/** Loaded when needed: other commands do without the server's modules. */
async function loadStart(): Promise<StartServer> {
  const { startServer } = await import('../main.ts')
  return startServer
}

// A reader that closes early (`| head`) is no fault of ours.
process.stdout.on('error', () => process.exit(0))

process.exitCode = await runProgram(process.argv, loadStart)
