/** The pages of the management API list the routes there are; the first says of roles what the routes say. */
import { describe, expect, test } from 'vitest'
import { ROLES } from '../../server/core/tenant.ts'
import { ROUTES } from '../../server/http/management/routes.ts'
import { OPERATOR_TOKEN_PATH, PERSON_TOKEN_PATH } from '../../server/http/management/sign-in.ts'
import { OPERATOR } from '../../server/use-cases/author.ts'
import { readPage, readRows } from './pages.ts'

const rows = readRows(readPage('docs/admin.md'))
/** Paths of receivers and of resource servers have pages of their own. */
const PAGES = ['docs/security-events.md', 'docs/records.md', 'docs/audit.md']
const allRows = [...rows, ...PAGES.flatMap((page) => readRows(readPage(page)))]
const below = (path: string): string => path.replace('/admin/v1/', '')

describe('the page of the admin API', () => {
  test('has a row for each path, and no other', () => {
    const there = [
      `POST ${below(OPERATOR_TOKEN_PATH)}`,
      `POST ${below(PERSON_TOKEN_PATH)}`,
      ...ROUTES.map(({ method, path }) => `${method} ${below(path)}`),
    ].map((line) => `\`${line}\``)
    const listed = allRows
      .map(([first = '']) => first)
      .filter((cell) => /^`(GET|POST|PUT|PATCH|DELETE) /.test(cell))
    expect(listed.toSorted()).toEqual(there.toSorted())
  })

  test('says who may do what', () => {
    const mayCall = (name: string): readonly string[] =>
      ROUTES.find((route) => route.name === name)?.roles ?? []
    for (const role of [OPERATOR, ...ROLES]) {
      const [, reads, versions, agents] = rows.find(([first]) => first === `\`${role}\``) ?? []
      const isYes = (cell = ''): boolean => cell.startsWith('yes')
      expect({
        role,
        reads: isYes(reads),
        versions: isYes(versions),
        agents: isYes(agents),
      }).toEqual({
        role,
        reads: mayCall('read_tenant').includes(role) && mayCall('explain').includes(role),
        versions:
          mayCall('add_version').includes(role) && mayCall('activate_version').includes(role),
        agents: mayCall('set_agent_disabled').includes(role),
      })
    }
  })
})
