/** One process's worth of verifications at one depth: samples by competitor, as JSON. Arguments: group, depth and scale. */
import { interleave } from './interleave.ts'
import { aPresenter } from './presentations.ts'
import { competitors, type Group, type VerifyScale } from './verify-competitors.ts'

const [group = '', depth = '', scaleText = ''] = process.argv.slice(2)
const scale = JSON.parse(scaleText) as VerifyScale
const taken = await competitors(group as Group, await aPresenter(), Number(depth), scale)
const samples = await interleave(taken, scale)
process.stdout.write(JSON.stringify([...samples]))
