/**
 * A policy that passed every check, as plain data: kept with its version, so that a node that loads the version parses
 * nothing but what a request needs.
 */
import type { Obligations } from '../core/rules.ts'

/** An entity as a head names it: `Agent::"planner"` is `{ type: 'Agent', id: 'planner' }`. */
export interface EntityName {
  readonly type: string
  readonly id: string
}

export interface CompiledPolicy {
  /** Its `@id`, unique in the tenant. */
  readonly id: string
  readonly effect: 'permit' | 'forbid'
  /** Path in the tenant's folder, and the line it begins at, from 1. */
  readonly file: string
  readonly line: number
  /** One policy in Cedar's own syntax. */
  readonly text: string
  readonly obligations: Obligations
  /** The entity the head ties the principal or the resource to (`==` or `in`); undefined: any. For slicing. */
  readonly principal: EntityName | undefined
  readonly resource: EntityName | undefined
  /** Undefined: every action. */
  readonly actions: readonly string[] | undefined
  /** What its conditions can read; whatever is not among it need not be given to the engine. */
  readonly reads: {
    /** Attribute names, wherever they stand; undefined: take it that everything is read. */
    readonly names: readonly string[] | undefined
    readonly tags: boolean
    readonly hierarchy: boolean
    /** Entities it names in its conditions. */
    readonly entities: readonly EntityName[]
  }
}
