// One verb for each thing that can be proposed. All of them are signed by the governance key of an
// organisation, and say first what they would do to the quorum.

import type { Change } from '@mooring/ledger'
import { NodeError } from '@mooring/node/node-error'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { formatWaiting, shortId } from '../change-text.ts'
import { countArgument, durationArgument, remote, withHelp } from '../command-help.ts'
import { type Context, waitingFor } from '../context.ts'
import { withNode } from '../endpoint.ts'
import { type Governance, type GovernanceOptions, openGovernance } from '../governance.ts'
import { checkJoinNetwork, parseJoinLine, peerAddresses } from '../join-line.ts'
import { createOutput, formatBytes, type Output } from '../output.ts'
import { parametersWith } from '../parameter-settings.ts'
import { propose, type Proposed, type ProposeOptions, waitUntilPassed } from '../propose.ts'
import { readInput } from '../read-input.ts'

type Options = GovernanceOptions & ProposeOptions & { wait?: number | true }

type MakeChange<O> = (
  world: { context: Context; options: O; governance: Governance; output: Output },
  argument: string,
) => Promise<Change> | Change

const WAIT_MS = 60_000
const EVIDENCE_BYTES_MAX = 4 * 1024
const EVIDENCE_MAX = 8
const EXITS = [3, 4, 5, 6, 7, 9, 13]

/** `--governance-key` and, unless it comes anyway, `--wait`. */
export function governance(command: Command): Command {
  return remote(command)
    .option('--governance-key <file>', 'key file to sign with (keys/governance.json of the home)')
    .option('--governance-passphrase-file <file>', 'what opens it (that of the home)')
    .addOption(
      new Option('--wait [duration]', 'until the change has passed, 60s unless said').argParser(
        durationArgument,
      ),
    )
}

function proposal(command: Command): Command {
  return governance(command)
    .requiredOption('--reason <text>', 'why, for those who approve; it stays on the chain')
    .addOption(
      new Option('--expires <duration>', 'how long it waits for approvals, 30d at most')
        .argParser(durationArgument)
        .default(7 * 86_400_000, '7d'),
    )
    .option('--dry-run', 'say what it would do, and propose nothing')
    .option('--force', 'also when it could leave the network without a quorum')
}

/** The time that `--wait` asks for; undefined when it is not there. */
export function waitMsOf({ wait }: { wait?: number | true }): number | undefined {
  return wait === true ? WAIT_MS : wait
}

export async function waitForPass(
  { client }: Pick<Governance, 'client'>,
  id: string,
  { timeoutMs, output }: { timeoutMs: number; output: Output },
) {
  const passed = await waitingFor(
    output.note,
    'the change to pass',
    waitUntilPassed({ client }, id, timeoutMs),
  )
  output.note(`it passed in block ${passed.height ?? 0}`)
  return passed
}

async function report(
  { client }: Governance,
  proposed: Proposed,
  { output, waitMs }: { output: Output; waitMs: number | undefined },
): Promise<void> {
  const { id, preview, warnings, isSubmitted } = proposed
  const { kind, organisation, summary, effect } = preview
  const document = {
    schema: 'mooring/change-proposal/v1' as const,
    id,
    kind,
    organisation,
    summary,
    effect,
    warnings,
    submitted: isSubmitted,
  }
  if (!isSubmitted) {
    if (output.isJson) output.json(document)
    else output.text(`nothing was proposed; it would be change ${shortId(id)}`)
    return
  }
  const change =
    waitMs === undefined
      ? await client.change(id)
      : await waitForPass({ client }, id, { timeoutMs: waitMs, output })
  if (output.isJson) {
    output.json({ ...document, status: change.status, height: change.height })
    return
  }
  output.text(`change ${id}`)
  if (change.status === 'passed') output.text(output.good(`passed in block ${change.height ?? 0}`))
  else {
    output.text(`it waits for ${formatWaiting(change)}`)
    output.note(`the others approve it:   mooring change approve ${shortId(id)}`)
  }
}

function act<O extends Options>(command: Command, context: Context, make: MakeChange<O>): void {
  command.action(async (argument: unknown) => {
    const options = command.optsWithGlobals<O>()
    const output = createOutput(context, options)
    await withNode(context, options, async (client, endpoint) => {
      const opened = await openGovernance(context, options, { client, endpoint })
      const word = typeof argument === 'string' ? argument : ''
      const change = await make({ context, options, governance: opened, output }, word)
      const proposed = await propose(opened, change, options, { output, now: context.now() })
      await report(opened, proposed, { output, waitMs: waitMsOf(options) })
    })
  })
}

function addAdmit(group: Command, context: Context): void {
  const command = proposal(group.command('admit'))
    .description('admit an organisation, as an observer, by the join line that it sent')
    .argument('<join-line>', 'the line itself, or @file; @- for stdin')
  withHelp(command, {
    examples: [
      'mooring change propose admit @riverside.txt --reason "contract of 3 May"',
      'mooring change propose admit mooring-join-2.… --reason trial --dry-run',
    ],
    exits: EXITS,
  })
  act<Options>(command, context, async ({ governance: { genesisDigest }, output }, argument) => {
    const line = argument.startsWith('@')
      ? new TextDecoder().decode(await readInput(context, argument.slice(1)))
      : argument
    const join = parseJoinLine(line)
    checkJoinNetwork(join, genesisDigest)
    for (const address of peerAddresses(join)) {
      output.note(`its address, for [p2p] peers of the others: ${address}`)
    }
    return { kind: 'admit', body: join.admission }
  })
}

function addRole(group: Command, context: Context, role: 'authority' | 'observer'): void {
  const isUp = role === 'authority'
  const command = proposal(group.command(isUp ? 'promote' : 'demote'))
    .description(isUp ? 'let an observer vote' : 'make an authority an observer')
    .argument('<organisation>', 'its id')
  withHelp(command, {
    examples: [
      isUp
        ? 'mooring change propose promote riverside --reason "a month without a fault"'
        : 'mooring change propose demote riverside --reason "moves its data centre"',
    ],
    exits: EXITS,
  })
  act<Options>(command, context, (_, organisation) => ({
    kind: 'role',
    body: { organisation, role },
  }))
}

async function readEvidence(context: Context, paths: readonly string[]): Promise<Uint8Array[]> {
  const pieces: Uint8Array[] = []
  for (const path of paths) {
    const bytes = await readInput(context, path)
    const isTooMuch = bytes.length > EVIDENCE_BYTES_MAX || pieces.length >= EVIDENCE_MAX
    if (isTooMuch) {
      const size = formatBytes(bytes.length)
      const limit = formatBytes(EVIDENCE_BYTES_MAX)
      throw new NodeError('evidence_too_large', { path, size, limit })
    }
    pieces.push(bytes)
  }
  return pieces
}

const repeated = (word: string, previous: string[] | undefined) => [...(previous ?? []), word]

function addRemove(group: Command, context: Context): void {
  type RemoveOptions = Options & { evidence?: string[] }
  const command = proposal(group.command('remove'))
    .description('take an organisation out of the network, for good')
    .argument('<organisation>', 'its id')
    .addOption(
      new Option('--evidence <file>', 'what convinces, up to 4 KiB; several: repeat').argParser(
        repeated,
      ),
    )
  withHelp(command, {
    examples: [
      'mooring change propose remove riverside --reason "leaves the trial"',
      'mooring change propose remove riverside --reason "voted twice" --evidence votes.cbor',
    ],
    exits: EXITS,
  })
  act<RemoveOptions>(command, context, async ({ options }, organisation) => {
    const evidence = await readEvidence(context, options.evidence ?? [])
    return { kind: 'remove', body: { organisation, evidence } }
  })
}

function addParameters(group: Command, context: Context): void {
  type ParameterOptions = Options & { set: string[] }
  const command = proposal(group.command('parameters'))
    .description('set parameters of the chain')
    .addOption(
      new Option('--set <name=value>', 'a parameter; several: repeat')
        .argParser(repeated)
        .makeOptionMandatory(),
    )
  withHelp(command, {
    examples: [
      'mooring change propose parameters --set deltaMs=200 --reason "slower lines"',
      'mooring change propose parameters --set quotaPerMinute=9000 --reason growth --dry-run',
    ],
    exits: EXITS,
  })
  act<ParameterOptions>(command, context, ({ options, governance: { network } }) => ({
    kind: 'parameters',
    body: parametersWith(network.parameters, options.set),
  }))
}

function heightArgument(text: string): number {
  const height = countArgument(text)
  if (height > 0) return height
  throw new InvalidArgumentError('expected a height from 1.')
}

/** Also `mooring upgrade propose`. */
export function addProtocol(group: Command, name: string, context: Context): void {
  type ProtocolOptions = Options & { height: number }
  const command = proposal(group.command(name))
    .description('schedule a protocol version; the one in force takes a schedule back')
    .argument('<version>', 'protocol version')
    .addOption(
      new Option('--height <height>', 'the first block that follows it')
        .argParser(heightArgument)
        .makeOptionMandatory(),
    )
  const path = `mooring ${group.parent?.name() === 'change' ? 'change ' : ''}${group.name()} ${name}`
  withHelp(command, {
    examples: [
      `${path} 2 --height 50000 --reason "release 1.4"`,
      `${path} 2 --height 50000 --reason test --dry-run`,
    ],
    exits: EXITS,
  })
  act<ProtocolOptions>(command, context, ({ options: { height } }, version) => ({
    kind: 'protocol',
    body: { version: countArgument(version), height },
  }))
}

export function addPropose(parent: Command, context: Context): void {
  const group = parent.command('propose').description('propose a change of the network')
  addAdmit(group, context)
  addRole(group, context, 'authority')
  addRole(group, context, 'observer')
  addRemove(group, context)
  addParameters(group, context)
  addProtocol(group, 'protocol', context)
  withHelp(group, {
    examples: [
      'mooring change propose admit @riverside.txt --reason "contract of 3 May"',
      'mooring change propose promote riverside --reason "follows well" --dry-run',
    ],
    exits: EXITS,
  })
}
