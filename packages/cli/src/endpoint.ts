// Which node a command asks: the one named by --endpoint or MOORING_ENDPOINT, else the one of the home,
// else the first living node of the devnet in this folder, else the usual port of this computer. A node of
// this computer is asked over its admin socket where that is there, for whoever can open it owns the node.

import { stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { homePaths } from '@mooring/node/home'
import { readConfigFile } from '@mooring/node/load-options'
import { NodeError } from '@mooring/node/node-error'
import { parseHostPort } from '@mooring/node/option-values'
import { resolveOptions } from '@mooring/node/resolve-options'
import type { Client } from '@mooring/api/client'
import { connectClient } from '@mooring/api/node-client'
import { type Context, configOf, type GlobalOptions, homeOf } from './context.ts'
import { credentialsOf } from './credentials.ts'
import { devnetFolder, isRunning, readDevnetState } from './devnet/state.ts'
import { asking } from './remote-error.ts'

export type Endpoint = {
  // `http://…`, `https://…`, or `unix:` and the path of an admin socket.
  url: string
  // Where others reach the same node; null where that is not known.
  web: string | null
  // Where the address came from, in words.
  origin: string
}

const USUAL = 'http://127.0.0.1:7421'

export function urlOf(text: string): string {
  const url = /^(https?:\/\/|unix:)/.test(text) ? text.replace(/\/+$/, '') : `http://${text}`
  if (url.startsWith('unix:') || URL.canParse(url)) return url
  const detail = `"${text}" is no address of a node: a URL, host:port or unix:<path>.`
  throw new NodeError('usage', { detail, command: '' })
}

function named(text: string, origin: string): Endpoint {
  const url = urlOf(text)
  return { url, web: url.startsWith('unix:') ? null : url, origin }
}

async function hasSocket(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isSocket()
  } catch (error) {
    // Not there, or of somebody else: then it is not for us.
    if (error instanceof Error && 'code' in error) return false
    throw error
  }
}

async function ofHome(context: Context, options: GlobalOptions): Promise<Endpoint | undefined> {
  const home = homeOf(context, options)
  const file = await readConfigFile(configOf(context, options) ?? homePaths(home).configFile)
  if (file === null) return undefined
  const { values } = resolveOptions({ flags: {}, env: context.env, file })
  const listen = parseHostPort(values.http.listen)
  const isKnown = 'value' in listen && listen.value.port !== 0
  const web = isKnown ? urlOf(values.http.listen) : null
  const socket = resolve(home, values.admin.socket)
  if (values.admin.socket !== '' && (await hasSocket(socket)))
    return { url: `unix:${socket}`, web, origin: `[admin] socket of ${home}` }
  return web === null ? undefined : { url: web, web, origin: `[http] listen of ${home}` }
}

async function ofDevnet(context: Context): Promise<Endpoint | undefined> {
  const state = await readDevnetState(devnetFolder(context, { name: 'default' }))
  if (state === null) return undefined
  for (const node of state.nodes) {
    if (!(await isRunning(node))) continue
    const socket = join(node.home, 'run', 'admin.sock')
    const url = (await hasSocket(socket)) ? `unix:${socket}` : node.api
    return { url, web: node.api, origin: `${node.name} of the devnet "${state.name}"` }
  }
  return undefined
}

export async function resolveEndpoint(context: Context, options: GlobalOptions): Promise<Endpoint> {
  if (options.endpoint !== undefined) return named(options.endpoint, '--endpoint')
  const variable = context.env['MOORING_ENDPOINT']
  if (variable !== undefined && variable !== '') return named(variable, 'MOORING_ENDPOINT')
  return (
    (await ofHome(context, options)) ??
    (await ofDevnet(context)) ?? { url: USUAL, web: USUAL, origin: 'the default' }
  )
}

export type RemoteOptions = GlobalOptions & { timeout: number }

export async function withNode<T>(
  context: Context,
  options: RemoteOptions,
  work: (client: Client, endpoint: Endpoint) => Promise<T>,
): Promise<T> {
  const endpoint = await resolveEndpoint(context, options)
  context.waitsFor?.(`the node at ${endpoint.url}`)
  const credentials = await credentialsOf(context, options)
  const client = connectClient(endpoint.url, { timeoutMs: options.timeout, ...credentials })
  return asking(endpoint, options.timeout, work(client, endpoint))
}
