import { homePaths, NodeError, parseHostPort, readConfigFile, resolveOptions } from '@mooring/node'
import type { Command } from 'commander'
import { withHelp } from '../command-help.ts'
import { type Context, configOf, type GlobalOptions, homeOf } from '../context.ts'
import { checkHealth, probeBase } from '../healthcheck.ts'
import { createOutput } from '../output.ts'
import type { Result } from '../program.ts'

type HealthOptions = GlobalOptions & { ready?: boolean }

// --endpoint, else what the home says, else the usual port.
async function baseOf(context: Context, options: HealthOptions): Promise<string> {
  if (options.endpoint !== undefined) return options.endpoint.replace(/\/+$/, '')
  const path = configOf(context, options) ?? homePaths(homeOf(context, options)).configFile
  const file = await readConfigFile(path)
  const { values } = resolveOptions({ flags: {}, env: context.env, file })
  if (values.metrics.listen === '') {
    const detail = '[metrics] listen is empty: nothing answers probes.'
    throw new NodeError('usage', { detail, command: 'healthcheck ' })
  }
  const listen = parseHostPort(values.metrics.listen)
  return 'value' in listen ? `http://${values.metrics.listen}` : probeBase(context.env)
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
    const { ok, detail } = await checkHealth(await baseOf(context, options), path)
    result.exitCode = ok ? 0 : 1
    if (output.isJson) output.json({ schema: 'mooring/health/v1', ok, detail })
    else if (!ok) output.note(detail)
  })
}
