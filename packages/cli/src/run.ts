// One command line from words to exit code. Everything a command throws ends here and nowhere else:
// it becomes a text on stderr, or one problem document with --json, and an exit code.

import { failureDocument, failureOf, formatFailure, type Failure } from '@mooring/node/error-text'
import { NodeError } from '@mooring/node/node-error'
import { type Command, CommanderError } from 'commander'
import type { Context } from './context.ts'
import { harmless } from './harmless.ts'
import { withPatience } from './patience.ts'
import { createProgram, type Result } from './program.ts'
import { RemoteError } from './remote-error.ts'
import { isWatched, watch } from './watching.ts'

// The words that lead to the command that was meant, as far as they exist: "record submit ".
function pathOf(program: Command, argv: readonly string[]): string {
  let command = program
  let path = ''
  for (const word of argv) {
    const next = command.commands.find((each) => each.name() === word || each.alias() === word)
    if (next === undefined) continue
    command = next
    path += `${next.name()} `
  }
  return path
}

function usageFailure(error: CommanderError, command: string): Failure {
  const detail = error.message.replace(/^error: /, '').replaceAll('\n', ' ')
  const sentence = detail.charAt(0).toUpperCase() + detail.slice(1)
  const isEnded = /[.?)]$/.test(sentence)
  return failureOf(new NodeError('usage', { detail: isEnded ? sentence : `${sentence}.`, command }))
}

function verbosityOf(argv: readonly string[]): number {
  const short = argv.filter((word) => /^-v+$/.test(word)).map((word) => word.length - 1)
  const long = argv.filter((word) => word === '--verbose').length
  return short.reduce((sum, count) => sum + count, long)
}

function report(context: Context, argv: readonly string[], failure: Failure): number {
  const text = argv.includes('--json')
    ? `${JSON.stringify(failureDocument(failure), null, 2)}\n`
    : harmless(formatFailure(failure, verbosityOf(argv)))
  context.stderr.write(text)
  return failure.entry.exitCode
}

// The command that ran.
async function runOnce(
  argv: readonly string[],
  context: Context,
  result: Result,
): Promise<Command | undefined> {
  const program = await createProgram(context, result, argv)
  let ran: Command | undefined
  program.hook('preAction', (_, command) => {
    ran = command
  })
  await program.parseAsync(argv, { from: 'user' })
  return ran
}

export async function runCli(argv: readonly string[], context: Context): Promise<number> {
  const result = { exitCode: 0 }
  const program = await createProgram(context, result, argv)
  if (argv.length === 0) {
    program.outputHelp()
    return 0
  }
  const isQuiet = argv.some((word) => word === '--quiet' || /^-[a-z]*q[a-z]*$/.test(word))
  const { patienceMs: _, ...impatient } = context
  const path = pathOf(program, argv)
  const patience = withPatience(isQuiet ? impatient : context, `mooring ${path}`.trim())
  try {
    const command = await runOnce(argv, patience.context, result)
    if (isWatched(command)) {
      await watch(context, command, (each) => runOnce(argv, each, result))
    }
    return result.exitCode
  } catch (error) {
    if (error instanceof RemoteError) return report(context, argv, error.failure)
    if (!(error instanceof CommanderError)) return report(context, argv, failureOf(error))
    if (error.exitCode === 0) return 0
    // A noun without its verb has printed its help already.
    if (error.code === 'commander.help') return 2
    return report(context, argv, usageFailure(error, path))
  } finally {
    patience.end()
  }
}
