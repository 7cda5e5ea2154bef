// The probe of a container: asks the node whether it lives, or is ready, and ends with 0 or 1. It
// imports nothing, because it starts every thirty seconds.

export type Health = { ok: boolean; detail: string }

const TIMEOUT_MS = 4_000

// MOORING_METRICS_LISTEN, else the usual port: the probe reads no file.
export function probeBase(env: Readonly<Record<string, string | undefined>>): string {
  const listen = env['MOORING_METRICS_LISTEN']
  return `http://${listen === undefined || listen === '' ? '127.0.0.1:7423' : listen}`
}

export async function checkHealth(base: string, path: 'livez' | 'readyz'): Promise<Health> {
  try {
    const response = await fetch(`${base}/${path}`, { signal: AbortSignal.timeout(TIMEOUT_MS) })
    if (response.ok) return { ok: true, detail: 'ok' }
    const body = await response.text()
    const detail = /"detail":"((?:[^"\\]|\\.)*)"/.exec(body)?.[1]
    return { ok: false, detail: detail ?? `HTTP status ${response.status}` }
  } catch (error) {
    return { ok: false, detail: `no answer from ${base}: ${String(error)}` }
  }
}

if (import.meta.main) {
  const path = process.argv.includes('--ready') ? 'readyz' : 'livez'
  const { ok, detail } = await checkHealth(probeBase(process.env), path)
  if (!ok) process.stderr.write(`${detail}\n`)
  process.exitCode = ok ? 0 : 1
}
