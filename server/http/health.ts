/**
 * Liveness, readiness and metrics on the management port, for whoever runs the process. Never on the public port.
 * Ready says that requests are answered: where nothing is issued, revocations still have to get through.
 */
import Koa from 'koa'

/** Asked at each look. */
export interface HealthDeps {
  /** False while the server drains. */
  readonly isReady: () => boolean
  /** The record cannot be written, so nothing is issued. */
  readonly isFailing: () => boolean
  /** A log does not fit its last checkpoint. */
  readonly isDamaged: () => boolean
  readonly metrics: () => Promise<{ readonly type: string; readonly text: string }>
}

export function createHealth(deps: HealthDeps): Koa {
  const app = new Koa()
  app.use(async (ctx) => {
    ctx.set('cache-control', 'no-store')
    if (ctx.path === '/livez') ctx.body = { status: 'alive' }
    else if (ctx.path === '/readyz') {
      const isReady = deps.isReady()
      ctx.status = isReady ? 200 : 503
      ctx.body = { status: isReady ? 'ready' : 'draining', ...faultsOf(deps) }
    } else if (ctx.path === '/metrics') {
      const { type, text } = await deps.metrics()
      ctx.type = type
      ctx.body = text
    }
  })
  return app
}

/** What does not work, by what it is. */
function faultsOf({ isFailing, isDamaged }: HealthDeps): Readonly<Record<string, string>> {
  return {
    ...(isFailing() && { issuing: 'failing' }),
    ...(isDamaged() && { audit: 'damaged' }),
  }
}
