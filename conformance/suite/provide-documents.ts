/** Vitest's global setup: the metadata of the servers under test is read once, for all tests. */
import type { TestProject } from 'vitest/node'
import { readProfile } from './profile.ts'
import { readDocuments } from './read-documents.ts'

export async function setup(project: TestProject): Promise<void> {
  const profile = readProfile()
  project.provide('documents', profile.documents ?? (await readDocuments(profile)))
}
