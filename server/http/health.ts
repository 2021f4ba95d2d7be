/** Liveness and readiness on the management port, for whoever runs the process. Never on the public port. */
import Koa from 'koa'

/** `isReady` is asked at each look: false while the server drains. */
export function createHealth(isReady: () => boolean): Koa {
  const app = new Koa()
  app.use((ctx) => {
    ctx.set('cache-control', 'no-store')
    if (ctx.path === '/livez') ctx.body = { status: 'alive' }
    else if (ctx.path === '/readyz') {
      const ready = isReady()
      ctx.status = ready ? 200 : 503
      ctx.body = { status: ready ? 'ready' : 'draining' }
    }
  })
  return app
}
