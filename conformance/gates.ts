/**
 * What the manifest, the tests of the suite and docs/divergences.md have to agree in. Each gate takes data and returns what
 * breaks it, in order; nothing where all is well.
 */
import { FEATURES, type Feature, type FeatureShape } from './features.ts'
import type { Requirement } from './requirement.ts'

export type Rows = Readonly<Record<string, Requirement>>
type Ids = ReadonlySet<string>

function isUnchecked(feature: Feature | undefined): boolean {
  const shape: FeatureShape | undefined = feature === undefined ? undefined : FEATURES[feature]
  return shape?.unchecked !== undefined
}

function idsWhere(rows: Rows, matches: (row: Requirement, id: string) => boolean): string[] {
  return Object.entries(rows).flatMap(([id, row]) => (matches(row, id) ? [id] : []))
}

/** Rows of a release that no test cites and no gap excuses, of features the suite checks. P2 rows need neither. */
export function unanswered(rows: Rows, cited: Ids): readonly string[] {
  return idsWhere(
    rows,
    ({ priority, gap, feature }, id) =>
      priority !== 'P2' && gap === undefined && !isUnchecked(feature) && !cited.has(id),
  )
}

/** Ids that tests cite and no row has. */
export function unknownCitations(rows: Rows, cited: Ids): readonly string[] {
  return [...cited].filter((id) => !Object.hasOwn(rows, id))
}

/** Rows that still have a gap, though a test cites them. */
export function closedGaps(rows: Rows, cited: Ids): readonly string[] {
  return idsWhere(rows, ({ gap }, id) => gap !== undefined && cited.has(id))
}

/** Rows that a test cites, though their feature is said to have no checks. */
export function checkedAfterAll(rows: Rows, cited: Ids): readonly string[] {
  return idsWhere(rows, ({ feature }, id) => isUnchecked(feature) && cited.has(id))
}

/** Rows with a gap and of a feature that is not checked anyway: one of the two is too much. */
export function gapsOfUnchecked(rows: Rows): readonly string[] {
  return idsWhere(rows, ({ gap, feature }) => gap !== undefined && isUnchecked(feature))
}

/** Rows that do not say what they were held against. */
export function unread(rows: Rows): readonly string[] {
  return idsWhere(rows, ({ source }) => source.trim() === '' || /\bunread\b/i.test(source))
}

const DIVERGENCE = /^\| ([\w.-]+-\d\d) +\|/gm

/** Rows with a gap that docs/divergences.md does not tell of, and ids that it tells of for nothing. `text`: that page. */
export function divergencesApart(rows: Rows, text: string): readonly string[] {
  const told = new Set([...text.matchAll(DIVERGENCE)].map(([, id = '']) => id))
  const gaps = new Set(idsWhere(rows, ({ gap }) => gap !== undefined))
  return [...gaps, ...told].filter((id) => gaps.has(id) !== told.has(id))
}

const LATER = /^Later rows without a check: ([^]*?)\n\n/m

/** Later rows without test and gap that docs/divergences.md does not list, and ids that it lists for nothing. */
export function laterApart(rows: Rows, cited: Ids, text: string): readonly string[] {
  const list = LATER.exec(text)?.[1] ?? ''
  const told = new Set([...list.matchAll(/[\w.-]+-\d\d/g)].map(([id]) => id))
  const open = ({ priority, gap, feature }: Requirement, id: string) =>
    priority === 'P2' && gap === undefined && !isUnchecked(feature) && !cited.has(id)
  const later = new Set(idsWhere(rows, open))
  return [...later, ...told].filter((id) => later.has(id) !== told.has(id))
}

/** Ids that stand in two tables, of which one row would be lost. */
export function idsInTwoTables(tables: readonly Rows[]): readonly string[] {
  const ids = tables.flatMap((rows) => Object.keys(rows))
  return ids.filter((id, at) => ids.indexOf(id) !== at)
}

/** How many rows each specification has. */
export function countsBySpec(rows: Rows): Readonly<Record<string, number>> {
  const groups = Map.groupBy(Object.values(rows), ({ spec }) => spec)
  return Object.fromEntries([...groups].map(([spec, { length }]) => [spec, length]))
}
