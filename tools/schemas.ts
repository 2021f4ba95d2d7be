/**
 * `npm run schemas`: writes docs/schema/*.schema.json, the JSON Schemas of a tenant's files for editors. A test checks that
 * they are current.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { jsonSchemas } from '../server/tenants/file-schemas.ts'

const FOLDER = fileURLToPath(new URL('../docs/schema', import.meta.url))

/** Text of each schema by the path of its file. */
export function schemaTexts(): ReadonlyMap<string, string> {
  return new Map(
    [...jsonSchemas()].map(([name, schema]) => [
      join(FOLDER, `${name}.schema.json`),
      `${JSON.stringify(schema, undefined, 2)}\n`,
    ]),
  )
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  mkdirSync(FOLDER, { recursive: true })
  for (const [path, text] of schemaTexts()) writeFileSync(path, text)
}
