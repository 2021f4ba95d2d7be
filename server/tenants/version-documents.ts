/** What each file of a version says, which is what the version's id is a hash of: for evidence, so that whoever has it can hash it again. */
import type { Sources } from './sources.ts'
import { parseYaml } from './yaml-document.ts'

/** By path: of YAML the data, of a policy the text. Throws for YAML that never passed the check of a version. */
export function readDocuments(sources: Sources): Readonly<Record<string, unknown>> {
  return Object.fromEntries([...sources].map(([path, text]) => [path, readDocument(path, text)]))
}

function readDocument(path: string, text: string): unknown {
  if (!path.endsWith('.yaml')) return text
  const result = parseYaml(path, text)
  if (result.kind === 'refused') throw new Error(`${path} is not YAML`)
  return result.document.value
}
