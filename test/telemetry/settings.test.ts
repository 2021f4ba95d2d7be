/** What the process tells of itself, and to whom: settings that cannot be understood stop the start. */
import { describe, expect, test } from 'vitest'
import { type Config, isProblems, readConfig } from '../../server/config.ts'

function read(settings: Readonly<Record<string, string>>): Config | string {
  const config = readConfig({ ACTCHAIN_MODE: 'development', ...settings })
  return isProblems(config)
    ? config.map(({ setting, text }) => `${setting} ${text}`).join('\n')
    : config
}

describe('the level of the log', () => {
  test.each(['error', 'warn', 'info', 'debug'])('is %s', (level) => {
    expect(read({ ACTCHAIN_LOG_LEVEL: level })).toMatchObject({ logLevel: level })
  })

  test.each(['trace', 'INFO', ''.padEnd(3)])('is not "%s"', (level) => {
    expect(read({ ACTCHAIN_LOG_LEVEL: level })).toContain('set it to error, warn, info, debug.')
  })
})

describe('the collector of traces', () => {
  test('is nobody where none is named', () => {
    expect(read({})).not.toHaveProperty('otlpUrl')
  })

  test.each([
    ['https://otlp.example', 'https://otlp.example/v1/traces'],
    ['https://otlp.example/of/us/', 'https://otlp.example/of/us/v1/traces'],
    ['http://127.0.0.1:4318', 'http://127.0.0.1:4318/v1/traces'],
    ['http://[::1]:4318', 'http://[::1]:4318/v1/traces'],
    ['http://localhost:4318', 'http://localhost:4318/v1/traces'],
    ['http://10.1.2.3:4318', 'http://10.1.2.3:4318/v1/traces'],
    ['http://collector:4318', 'http://collector:4318/v1/traces'],
    ['http://collector.watch.svc:4318', 'http://collector.watch.svc:4318/v1/traces'],
  ])('is %s', (stated, url) => {
    expect(read({ ACTCHAIN_OTLP_URL: stated })).toMatchObject({ otlpUrl: url })
  })

  test.each([
    'http://otlp.example',
    'http://203.0.113.9:4318',
    'http://169.254.169.254',
    'http://100.100.100.200',
  ])('is asked for by https where others listen: %s', (stated) => {
    expect(read({ ACTCHAIN_OTLP_URL: stated })).toContain('use https')
  })

  test.each([
    'https://sentinel-user@otlp.example',
    'https://u:sentinel-password@otlp.example',
    'https://otlp.example/?key=sentinel',
    'https://otlp.example/#sentinel',
    'ftp://sentinel.example',
    'sentinel',
  ])('N05 has no password in its address, and no problem repeats one: %s', (stated) => {
    const told = read({ ACTCHAIN_OTLP_URL: stated })
    expect(told).toContain('ACTCHAIN_OTLP_URL is not an address of a collector')
    expect(told).not.toContain('sentinel')
  })
})
