// What is wrong with a node, and what to do about it. Offline, the home of a stopped node and the computer
// it is on; online, what the node that runs finds when it looks at itself and asks its members.

import type { Check } from '@mooring/api'
import { runChecks } from '@mooring/node/checks'
import { homeChecks } from '@mooring/node/home-checks'
import { hostChecks } from '@mooring/node/host-checks'
import { readConfiguration } from '@mooring/node/load-options'
import type { Command } from 'commander'
import { countsOf, formatChecks } from '../check-text.ts'
import { remote, withHelp } from '../command-help.ts'
import { type Context, configOf, homeOf, waitingFor } from '../context.ts'
import { type RemoteOptions, withNode } from '../endpoint.ts'
import { createOutput } from '../output.ts'
import type { Result } from '../program.ts'

type DoctorOptions = RemoteOptions & { offline?: boolean; fix?: boolean; skip?: string }

const FAILED = 7

async function offlineChecks(
  context: Context,
  options: DoctorOptions,
  skip: ReadonlySet<string>,
): Promise<Check[]> {
  const home = homeOf(context, options)
  const sources = { home, configPath: configOf(context, options), flags: {}, env: context.env }
  const configuration = await readConfiguration({ ...sources, configPath: undefined })
  const { values } = configuration
  const ground = { sources, now: () => context.now().getTime(), isMending: options.fix === true }
  const place = { dataDir: home, minFreeBytes: values.storage.min_free }
  return runChecks([...hostChecks(place), ...homeChecks(ground)], skip)
}

export function addDoctor(program: Command, context: Context, result: Result): void {
  const command = remote(program.command('doctor'))
    .description('look for what is wrong, and say what to do about it')
    .option('--offline', 'the home of a stopped node, and this computer')
    .option(
      '--fix',
      'mend what can be mended without asking: permissions of files (with --offline)',
    )
    .option('--skip <names>', 'checks or areas to leave out, separated by commas')
  withHelp(command, {
    examples: [
      'mooring doctor',
      'mooring doctor --offline',
      'mooring doctor --offline --fix',
      'mooring doctor --skip ports,members --json',
    ],
    exits: [4, 5, 7],
  })
  command.action(async () => {
    const options = command.optsWithGlobals<DoctorOptions>()
    const output = createOutput(context, options)
    const skip = (options.skip ?? '').split(',').filter((name) => name !== '')
    const looking =
      options.offline === true
        ? offlineChecks(context, options, new Set(skip))
        : withNode(context, options, async ({ admin }) => (await admin.seeing.checks(skip)).items)
    const checks = await waitingFor(output.note, 'the checks', looking)
    const isFine = checks.every((check) => check.result !== 'fail')
    result.exitCode = isFine ? 0 : FAILED
    if (output.isJson) {
      output.json({ schema: 'mooring/doctor/v1', ok: isFine, items: checks })
      return
    }
    output.text(formatChecks(checks, output))
    output.text(isFine ? output.good(countsOf(checks)) : output.bad(countsOf(checks)))
  })
}
