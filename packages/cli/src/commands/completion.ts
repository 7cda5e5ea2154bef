// What a shell asks for: its script, and the names that only a node or a home knows. The second is asked
// at every press of a key, so that it is quick, quiet and never an error.

import { setTimeout as pause } from 'node:timers/promises'
import { Argument, type Command } from 'commander'
import { withHelp } from '../command-help.ts'
import { describeTree } from '../command-tree.ts'
import { namesFor } from '../complete-names.ts'
import { completionScript, type Shell, SHELLS } from '../completion-scripts.ts'
import type { Context } from '../context.ts'

const ANSWER_MS = 200

export function addCompletion(program: Command, context: Context): void {
  const command = program
    .command('completion')
    .description('the script with which a shell completes commands, options and names')
    .addArgument(new Argument('<shell>', 'whose').choices(SHELLS))
  withHelp(command, {
    examples: [
      'source <(mooring completion bash)',
      'mooring completion zsh > "${fpath[1]}/_mooring"',
      'mooring completion fish | source',
    ],
    exits: [],
  })
  command.action((shell: Shell) => {
    context.stdout.write(completionScript(shell, describeTree(program)))
  })
}

async function namesInTime(
  program: Command,
  context: Context,
  words: readonly string[],
): Promise<readonly string[]> {
  try {
    const late = pause(ANSWER_MS, [], { ref: false })
    return await Promise.race([namesFor(program, context, words), late])
  } catch {
    // Whoever presses a key has asked nothing of us: no names is an answer.
    return []
  }
}

export function addComplete(program: Command, context: Context): void {
  const command = program
    .command('__complete', { hidden: true })
    .description('names for the last of these words, one a line')
    .argument('[words...]', 'the command line so far')
    .allowUnknownOption()
  withHelp(command, { examples: ['mooring __complete -- config get ""'], exits: [] })
  command.action(async (words: string[]) => {
    const names = await namesInTime(program, context, words)
    context.stdout.write(names.map((name) => `${name}\n`).join(''))
  })
}
