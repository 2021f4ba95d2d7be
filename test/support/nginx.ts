/**
 * nginx as the proxy that ends mutual TLS in front of a server and tells it of the client's certificate (RFC 9440); or why there is
 * none on this machine.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { TestCertificate } from './certificates.ts'
import { freePort } from './child-server.ts'

// Debian keeps it where only the administrator's PATH looks.
const ENVIRONMENT = { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin` }

/** Why tests with nginx are left out here; undefined: they run. */
export const NO_NGINX =
  spawnSync('nginx', ['-v'], { env: ENVIRONMENT }).error === undefined
    ? undefined
    : 'skipped: nginx is not installed'

export interface TlsProxyOptions {
  /** Of the proxy as clients see it. */
  readonly server: TestCertificate
  /** What the proxy shows the server behind it. */
  readonly client: TestCertificate
  /** Origin of the server behind it, which `authority` signed a certificate for. */
  readonly upstream: string
  readonly authority: TestCertificate
  /** Lines of `location /` besides, such as headers of a proxy that is set up badly. */
  readonly lines?: readonly string[]
}

export interface TlsProxy {
  readonly port: number
  close(): Promise<void>
}

/** It asks every client for a certificate and takes any. `Client-Cert` is replaced, whatever a client sent, `Client-Cert-Chain` removed. */
export async function startTlsProxy(options: TlsProxyOptions): Promise<TlsProxy> {
  const folder = mkdtempSync(join(tmpdir(), 'actchain-nginx-'))
  const port = await freePort()
  const file = join(folder, 'nginx.conf')
  writeFileSync(file, configuration(folder, port, options))
  const child = spawn('nginx', ['-p', folder, '-c', file, '-e', 'stderr'], {
    env: ENVIRONMENT,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let told = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    told += text
  })
  const ended = once(child, 'exit')
  const close = async (): Promise<void> => {
    child.kill('SIGQUIT')
    await ended
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    await untilOpen(child, port)
  } catch (fault) {
    await close()
    throw new Error(`nginx did not start: ${told}`, { cause: fault })
  }
  return { port, close }
}

async function untilOpen(child: ChildProcess, port: number): Promise<void> {
  for (let tries = 0; tries < 200 && child.exitCode === null; tries += 1) {
    const socket = connect(port, '127.0.0.1')
    const isOpen = await Promise.race([
      once(socket, 'connect').then(() => true),
      once(socket, 'error').then(() => false),
    ]).catch(() => false)
    socket.destroy()
    if (isOpen) return
    await pause(25)
  }
  throw new Error('it does not listen')
}

/** What docs/mutual-tls.md tells operators to write, with this run's paths and ports. */
function configuration(folder: string, port: number, options: TlsProxyOptions): string {
  const { server, client, upstream, authority, lines = [] } = options
  const write = (name: string, text: string): string => {
    const path = join(folder, name)
    writeFileSync(path, text, { mode: 0o600 })
    return path
  }
  const page = readFileSync(join(import.meta.dirname, '../../docs/mutual-tls.md'), 'utf8')
  const [, documented = ''] = /```nginx\n([^`]+)```/.exec(page) ?? []
  const { host, hostname } = new URL(upstream)
  const here: Readonly<Record<string, string>> = {
    '127.0.0.1:8460': host,
    'listen 443 ssl': `listen 127.0.0.1:${port} ssl`,
    '/etc/nginx/tls/site.pem': write('site.pem', server.pem),
    '/etc/nginx/tls/site.key': write('site.key', server.keyPem),
    '/etc/nginx/tls/proxy.pem': write('proxy.pem', client.pem),
    '/etc/nginx/tls/proxy.key': write('proxy.key', client.keyPem),
    '/etc/nginx/tls/actchain-ca.pem': write('authority.pem', authority.pem),
    'proxy_ssl_name actchain.internal': `proxy_ssl_name ${hostname}`,
    'location / {': ['location / {', ...lines].join('\n    '),
  }
  const own = Object.entries(here).reduce((text, [there, value]) => {
    if (text.split(there).length !== 2) throw new Error(`the page has no single ${there}`)
    return text.replace(there, () => value)
  }, documented)
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  return `
daemon off;
worker_processes 1;
pid ${join(folder, 'nginx.pid')};
events { worker_connections 256; }
http {
  access_log off;
  ${temporary.map((name) => `${name}_temp_path ${join(folder, name)};`).join('\n  ')}
${own}
}
`
}
