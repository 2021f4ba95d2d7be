/**
 * What a process that is started here has of our environment: where programs are, and where Node keeps what it compiled, if
 * somebody says so (`npm test` does: most of a start is reading our own sources). A setting of the machine's never gets in.
 */
const { PATH, NODE_COMPILE_CACHE } = process.env

export const PROCESS_ENV: Readonly<Record<string, string>> = {
  ...(PATH === undefined ? {} : { PATH }),
  ...(NODE_COMPILE_CACHE === undefined ? {} : { NODE_COMPILE_CACHE }),
}
