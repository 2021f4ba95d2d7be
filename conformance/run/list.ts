/** What there is to ask for: every row of the manifest, and every feature with how a server tells that it has it. */
import { FEATURES, type FeatureShape } from '../features.ts'
import type { Requirement } from '../requirement.ts'
import { REQUIREMENTS } from '../requirements.ts'
import { isAsked } from './read-report.ts'
import type { RunShape } from './result.ts'

interface Listed extends Requirement {
  readonly id: string
}

interface ListedFeature {
  readonly name: string
  readonly title: string
  readonly told_by: 'metadata' | 'profile'
  readonly unchecked?: string
}

export interface Listing {
  readonly rows: readonly Listed[]
  readonly features: readonly ListedFeature[]
}

export function listing(shape: Omit<RunShape, 'mode'>): Listing {
  return {
    rows: Object.entries(REQUIREMENTS)
      .filter(([id]) => isAsked(id, shape))
      .map(([id, requirement]) => ({ id, ...requirement })),
    features: Object.entries(FEATURES).map(([name, feature]: [string, FeatureShape]) => ({
      name,
      title: feature.title,
      told_by: feature.advertised === undefined ? 'profile' : 'metadata',
      ...(feature.unchecked === undefined ? {} : { unchecked: feature.unchecked }),
    })),
  }
}

export function listingText({ rows, features }: Listing): string {
  const lines = rows.map(
    ({ id, spec, section, strength, behaviour }) =>
      `${id.padEnd(16)} ${spec} ${section} ${strength}: ${behaviour}`,
  )
  const told = features.map(
    ({ name, title, told_by: by, unchecked }) =>
      `${name.padEnd(22)} ${title}, told by the ${by}${unchecked === undefined ? '' : `; ${unchecked}`}`,
  )
  return [...lines, '', ...told, ''].join('\n')
}
