import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { homePaths } from '@mooring/node/home'
import { readConfigFile } from '@mooring/node/load-options'
import { NodeError } from '@mooring/node/node-error'
import { parseHostPort } from '@mooring/node/option-values'
import { resolveOptions } from '@mooring/node/resolve-options'
import type { Command } from 'commander'
import { withHelp } from '../command-help.ts'
import { type Context, configOf, type GlobalOptions, homeOf } from '../context.ts'
import { checkHealth, probeBase, type ProbePlace } from '../healthcheck.ts'
import { createOutput } from '../output.ts'
import type { Result } from '../program.ts'

const UNIX = 'unix:'

type HealthOptions = GlobalOptions & { ready?: boolean }

// --endpoint, else the admin socket of the home, else what the home says, else the usual port.
async function placeOf(context: Context, options: HealthOptions): Promise<ProbePlace> {
  if (options.endpoint !== undefined) return named(options.endpoint.replace(/\/+$/, ''))
  const home = homeOf(context, options)
  const path = configOf(context, options) ?? homePaths(home).configFile
  const file = await readConfigFile(path)
  const { values } = resolveOptions({ flags: {}, env: context.env, file })
  const socket = resolve(home, values.admin.socket)
  if (values.admin.socket !== '' && existsSync(socket)) return { socket }
  if (values.metrics.listen === '') {
    const detail = '[metrics] listen is empty and there is no admin socket: nothing answers probes.'
    throw new NodeError('usage', { detail, command: 'healthcheck ' })
  }
  const listen = parseHostPort(values.metrics.listen)
  return { base: 'value' in listen ? `http://${values.metrics.listen}` : probeBase(context.env) }
}

function named(endpoint: string): ProbePlace {
  return endpoint.startsWith(UNIX) ? { socket: endpoint.slice(UNIX.length) } : { base: endpoint }
}

export function addHealthcheck(program: Command, context: Context, result: Result): void {
  const command = program
    .command('healthcheck')
    .description('the probe of a container: ends with 0 when the node of this home lives, else 1')
    .option('--ready', 'whether it is ready, not merely alive')
  withHelp(command, {
    examples: ['mooring healthcheck', 'mooring --home /srv/mooring healthcheck --ready'],
    exits: [],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<HealthOptions>()
    const output = createOutput(context, options)
    const path = options.ready === true ? 'readyz' : 'livez'
    const { ok, detail } = await checkHealth(await placeOf(context, options), path)
    result.exitCode = ok ? 0 : 1
    if (output.isJson) output.json({ schema: 'mooring/health/v1', ok, detail })
    else if (!ok) output.note(detail)
  })
}
