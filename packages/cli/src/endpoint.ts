// Which node a command asks: the one named by --endpoint or MOORING_ENDPOINT, else the one of the home,
// else the first living node of the devnet in this folder, else the usual port of this computer.

import { parseHostPort, readConfigFile, homePaths, resolveOptions } from '@mooring/node'
import { type Client, createClient } from '@mooring/api/client'
import { type Context, configOf, type GlobalOptions, homeOf } from './context.ts'
import { devnetFolder, isRunning, readDevnetState } from './devnet/state.ts'
import { asking } from './remote-error.ts'

export type Endpoint = {
  url: string
  // Where the address came from, in words.
  origin: string
}

const USUAL = 'http://127.0.0.1:7421'

function urlOf(text: string): string {
  return /^https?:\/\//.test(text) ? text.replace(/\/+$/, '') : `http://${text}`
}

async function ofHome(context: Context, options: GlobalOptions): Promise<Endpoint | undefined> {
  const home = homeOf(context, options)
  const file = await readConfigFile(configOf(context, options) ?? homePaths(home).configFile)
  if (file === null) return undefined
  const { values } = resolveOptions({ flags: {}, env: context.env, file })
  const listen = parseHostPort(values.http.listen)
  if (!('value' in listen) || listen.value.port === 0) return undefined
  return { url: urlOf(values.http.listen), origin: `[http] listen of ${home}` }
}

async function ofDevnet(context: Context): Promise<Endpoint | undefined> {
  const state = await readDevnetState(devnetFolder(context, { name: 'default' }))
  if (state === null) return undefined
  for (const node of state.nodes) {
    if (await isRunning(node)) {
      return { url: node.api, origin: `${node.name} of the devnet "${state.name}"` }
    }
  }
  return undefined
}

export async function resolveEndpoint(context: Context, options: GlobalOptions): Promise<Endpoint> {
  if (options.endpoint !== undefined) {
    return { url: urlOf(options.endpoint), origin: '--endpoint' }
  }
  const variable = context.env['MOORING_ENDPOINT']
  if (variable !== undefined && variable !== '') {
    return { url: urlOf(variable), origin: 'MOORING_ENDPOINT' }
  }
  return (
    (await ofHome(context, options)) ??
    (await ofDevnet(context)) ?? { url: USUAL, origin: 'the default' }
  )
}

export type RemoteOptions = GlobalOptions & { timeout: number }

export async function withNode<T>(
  context: Context,
  options: RemoteOptions,
  work: (client: Client, endpoint: Endpoint) => Promise<T>,
): Promise<T> {
  const endpoint = await resolveEndpoint(context, options)
  const client = createClient(endpoint.url, { timeoutMs: options.timeout })
  return asking(endpoint, options.timeout, work(client, endpoint))
}
