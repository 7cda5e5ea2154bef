// The tree of commands. Global options are understood anywhere on the line; help is grouped by what a
// person is doing, and every command ends its help with examples and exit codes.

import { Command } from 'commander'
import { readVersion } from './commands/version.ts'
import { withHelp } from './command-help.ts'
import { type Context, widthOf } from './context.ts'
import { loadCommands } from './commands.ts'
import { applyContext } from './contexts.ts'

// What a command found when it is no error: `status` of a stalled network, for example.
export type Result = { exitCode: number }

function addGlobalOptions(program: Command): Command {
  return program
    .option('--home <dir>', 'home of the node (MOORING_HOME, ~/.mooring)')
    .option('--config <file>', 'configuration file (MOORING_CONFIG, <home>/config/mooring.toml)')
    .option('--context <name>', 'one of ~/.config/mooring/contexts.toml (MOORING_CONTEXT)')
    .option('--endpoint <url>', 'a URL or unix:path (MOORING_ENDPOINT)')
    .option('--token-file <file>', 'token to show (MOORING_TOKEN_FILE)')
    .option('--cacert <file>', 'authorities to trust (MOORING_CACERT)')
    .option('--cert <file>', 'certificate to show (MOORING_CERT)')
    .option('--cert-key <file>', 'its key (MOORING_CERT_KEY)')
    .option('--log-level <spec>', 'level of the log: info,p2p=debug (MOORING_LOG_LEVEL)')
    .option('--log-format <form>', 'auto, pretty or json (MOORING_LOG_FORMAT)')
    .option('--json', 'print one JSON document; errors as problem+json on stderr')
    .option('--no-color', 'no colour (NO_COLOR)')
    .option('-q, --quiet', 'no remarks and no progress')
    .option('-v, --verbose', 'say more; twice: stack traces', (_, count: number) => count + 1, 0)
}

/** @param words what was typed: only the commands that they need are there; none, all of them */
export async function createProgram(
  context: Context,
  result: Result,
  words: readonly string[] = [],
): Promise<Command> {
  const program = new Command('mooring')
  program
    .description('A ledger that hospitals run together.')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => context.stdout.write(text),
      writeErr: (text) => context.stderr.write(text),
      // Errors are reported by their catalogue text, once, where everything else is.
      outputError: () => undefined,
      getOutHelpWidth: () => widthOf(context.stdout, context.env),
      getErrHelpWidth: () => widthOf(context.stderr, context.env),
    })
    .configureHelp({ showGlobalOptions: true, minWidthToWrap: 20 })
    .helpCommand(false)
    .version(readVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
  addGlobalOptions(program)
  program.hook('preAction', () => applyContext(program, context))

  const { operands } = addGlobalOptions(new Command()).parseOptions([...words])
  for (const { heading, add } of await loadCommands(operands[0], words)) {
    program.commandsGroup(heading)
    add(program, context, result)
  }

  return withHelp(program, {
    examples: [
      'mooring devnet up                     four hospitals on this computer',
      'mooring record submit patient.json    anchor a record',
      'mooring explain MOR-1010              what an error means',
    ],
    exits: [3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 130],
  })
}
