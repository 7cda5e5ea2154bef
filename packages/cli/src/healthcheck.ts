// The probe of a container: asks the node whether it lives, or is ready, and ends with 0 or 1. It imports
// nothing of the project, because it starts every thirty seconds, and asks over the admin socket of the home,
// which needs no port; where there is none, the port for probes.
//
// An import of `node:http` would load fetch and WebSocket as well, more than half of what the probe takes.

import { existsSync, openSync } from 'node:fs'
import { homedir } from 'node:os'
import { basename, dirname, join } from 'node:path'

export type Health = { ok: boolean; detail: string }

/** Where to ask: the path of a socket, or a base address. */
export type ProbePlace = { socket: string } | { base: string }

type Environment = Readonly<Record<string, string | undefined>>

const { request } = process.getBuiltinModule('node:http')
const TIMEOUT_MS = 4_000
const SOCKET_PATH_MAX = 100

// MOORING_METRICS_LISTEN, else the usual port: the probe reads no file.
export function probeBase(env: Environment): string {
  const listen = env['MOORING_METRICS_LISTEN']
  return `http://${listen === undefined || listen === '' ? '127.0.0.1:7423' : listen}`
}

export function probePlace(env: Environment): ProbePlace {
  const home = env['MOORING_HOME'] ?? join(env['HOME'] ?? homedir(), '.mooring')
  const socket = env['MOORING_ADMIN_SOCKET'] ?? join('run', 'admin.sock')
  const path = socket.startsWith('/') ? socket : join(home, socket)
  return socket !== '' && existsSync(path) ? { socket: path } : { base: probeBase(env) }
}

// Linux names the folder of a long path by a descriptor that is open on it; the process ends soon.
function reachable(path: string): string {
  if (Buffer.byteLength(path) <= SOCKET_PATH_MAX || process.platform !== 'linux') return path
  return join('/proc/self/fd', String(openSync(dirname(path), 'r')), basename(path))
}

async function fetchFrom(
  place: ProbePlace,
  path: string,
): Promise<{ status: number; text: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; text: string }>()
  const url = 'base' in place ? `${place.base}${path}` : `http://localhost${path}`
  const through = 'socket' in place ? { socketPath: reachable(place.socket) } : {}
  const options = { ...through, agent: false, signal: AbortSignal.timeout(TIMEOUT_MS) }
  const asked = request(url, options, (answer) => {
    let text = ''
    answer.setEncoding('utf8')
    answer.on('data', (piece: string) => {
      text += piece
    })
    answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text }))
    answer.on('error', reject)
  })
  asked.on('error', reject)
  asked.end()
  return promise
}

export async function checkHealth(place: ProbePlace, path: 'livez' | 'readyz'): Promise<Health> {
  try {
    const { status, text } = await fetchFrom(place, `/${path}`)
    if (status === 200) return { ok: true, detail: 'ok' }
    const detail = /"detail":"((?:[^"\\]|\\.)*)"/.exec(text)?.[1]
    return { ok: false, detail: detail ?? `HTTP status ${status}` }
  } catch (error) {
    const where = 'socket' in place ? place.socket : place.base
    return { ok: false, detail: `no answer from ${where}: ${String(error)}` }
  }
}

if (import.meta.main) {
  const path = process.argv.includes('--ready') ? 'readyz' : 'livez'
  const { ok, detail } = await checkHealth(probePlace(process.env), path)
  if (!ok) process.stderr.write(`${detail}\n`)
  process.exitCode = ok ? 0 : 1
}
