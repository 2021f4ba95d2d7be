/** Settings of a server as it runs in production, but for TLS: durable store, audit log, sealed keys. */
import { join } from 'node:path'
import { BENCH_ORIGIN } from './tenant.ts'

/** `folder` holds its tenants and its data. */
export function productionEnvironment(
  folder: string,
  { port, management }: { readonly port: number; readonly management: number },
): Readonly<Record<string, string>> {
  return {
    ACTCHAIN_MODE: 'production',
    ACTCHAIN_PORT: String(port),
    ACTCHAIN_MANAGEMENT_PORT: String(management),
    ACTCHAIN_PUBLIC_URL: BENCH_ORIGIN,
    ACTCHAIN_DATA: join(folder, 'data'),
    ACTCHAIN_TENANTS: join(folder, 'tenants'),
    ACTCHAIN_KEY_SECRET: 'a secret of this run and of no other one',
  }
}
