/** A tenant folder on disk for one test file, and what the reader says about it. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach } from 'vitest'
import { formatProblem } from '../../server/core/problem.ts'
import type { Tenant } from '../../server/core/tenant.ts'
import { loadTenants } from '../../server/tenants/load-tenants.ts'
import {
  type TenantChanges,
  type TenantDocuments,
  writeTenantFolder,
} from '../support/tenant-folder.ts'

export const publicUrl = 'https://as.example.com'

export type Members = Record<string, unknown>
export type Change = (documents: TenantDocuments) => void

export interface FolderFixture {
  readonly root: string
  /** What is wrong with the folder, one line each, paths below the root. */
  problems(): readonly string[]
  /** The same for tenant `acme` after a change, without line and column. */
  problemsAfter(change: Change): readonly string[]
  load(changes?: TenantChanges): Tenant
}

/** A new folder before each test, gone after it. */
export function useFolder(): FolderFixture {
  let root = ''
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'actchain-tenants-'))
  })
  afterEach(() => {
    rmSync(root, { recursive: true })
  })
  const problems = (): readonly string[] => {
    const result = loadTenants({ folder: root, publicUrl })
    if (result.kind === 'loaded') return []
    return result.problems.map((problem) => formatProblem(problem).replaceAll(`${root}/`, ''))
  }
  return {
    get root() {
      return root
    },
    problems,
    problemsAfter: (change) => {
      writeTenantFolder(root, 'acme', { change })
      return problems().map((line) => line.replace(/:\d+:\d+:/, ':'))
    },
    load: (changes = {}) => {
      writeTenantFolder(root, 'acme', changes)
      const result = loadTenants({ folder: root, publicUrl })
      if (result.kind === 'refused') {
        throw new Error(result.problems.map(formatProblem).join('\n'))
      }
      return result.tenants.get('acme')!.tenant
    },
  }
}

export function agentOf(documents: TenantDocuments, id: string): Members {
  return documents.agents.agents.find((agent) => agent['id'] === id)!
}

export function resourceOf(documents: TenantDocuments, id: string): Members {
  return documents.resources.resources.find((resource) => resource['id'] === id)!
}

export function issuersOf(documents: TenantDocuments): Members[] {
  return documents.tenant['trusted_issuers'] as Members[]
}

export function taskTypeOf(documents: TenantDocuments): Members {
  return documents.taskTypes.task_types[0]!
}
