/** Faults of a server, each of which one row of the manifest forbids. */
import type { Fault } from '../support/faulty-proxy.ts'

const at = (path: string, ending: string): boolean => path.endsWith(ending)

export const FAULTS: readonly Fault[] = [
  {
    what: 'another error code for a bad subject token',
    row: '8693-2.2.2-01',
    isExcused: true,
    answer: ({ json }) => {
      if (json?.['error'] === 'invalid_request') json['error'] = 'invalid_grant'
    },
  },
  {
    what: 'introspection loses the newest actor',
    row: '8693-4.1-06',
    answer: ({ json }, path) => {
      const act = json?.['act'] as Readonly<Record<string, unknown>> | undefined
      if (at(path, '/introspect') && json !== undefined && act !== undefined)
        json['act'] = act['act']
    },
  },
  {
    what: 'more scope is told than was granted',
    row: '8693-2.2.1-06',
    answer: ({ json }, path) => {
      if (at(path, '/token') && typeof json?.['scope'] === 'string') json['scope'] += ' admin'
    },
  },
  {
    what: 'answers may be kept by caches',
    row: '6749-5.1-01',
    answer: ({ headers }) => {
      delete headers['cache-control']
    },
  },
  {
    what: 'the type of the token is not told',
    row: '8693-2.2.1-02',
    answer: ({ json }) => {
      delete json?.['issued_token_type']
    },
  },
  {
    what: 'an inactive token is explained',
    row: '7662-2.2-02',
    answer: ({ json }) => {
      if (json?.['active'] === false) json['error_description'] = 'it was revoked'
    },
  },
  {
    what: 'an unknown target is taken for none',
    row: '8693-2.2.2-04',
    ask: (form) => {
      if (form.get('resource') === 'https://unknown.example') form.delete('resource')
    },
  },
]

/** Rows that none of them touches. */
export const SOUND = ['8693-4.1-03', '8707-2-07', '9068-2.2-03'] as const
