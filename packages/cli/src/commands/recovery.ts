// What a member says of a recovery: its desk has seen the person, or the member itself is a guardian.

import { fromHex, toHex } from '@mooring/codec'
import { NodeError } from '@mooring/node/node-error'
import {
  ATTESTATION,
  GUARDIAN_APPROVAL,
  GUARDIAN_KIT,
  RECOVERY_REQUEST,
  type RecoveryRequest,
} from '@mooring/records'
import type { Command } from 'commander'
import { refuseOther } from '../ask-chain.ts'
import { remote, withHelp } from '../command-help.ts'
import type { Context } from '../context.ts'
import { lineOptions, readDocument, showDocument } from '../documents.ts'
import { type RemoteOptions, withNode } from '../endpoint.ts'
import { refuseUnread } from '../fingerprint.ts'
import { createOutput } from '../output.ts'

type Options = RemoteOptions & { fingerprint: string; output?: string; qr?: boolean }

function signAs(
  context: Context,
  options: Options,
  { as, request }: { as: 'desk' | 'approve'; request: RecoveryRequest },
) {
  const { sequence } = request
  return withNode(context, options, async (client) => {
    await refuseOther(client, request.genesisDigest)
    const { organisation, key, signature } = await client.signRecovery({
      as,
      identity: toHex(request.identity),
      sequence,
      controlKey: toHex(request.controlKey),
      nextKeyDigest: toHex(request.nextKeyDigest),
    })
    return { organisation, key: fromHex(key), signature: fromHex(signature) }
  })
}

function asked(command: Command): Command {
  return lineOptions(command)
    .argument('<request>', 'of the person: the text or its file; - for stdin')
    .requiredOption('--fingerprint <digits>', 'on the screen of the person, twenty of them')
}

function addAttest(group: Command, context: Context): void {
  const command = asked(remote(group.command('attest'))).description(
    'attest that the desk has seen the person, with papers: it shortens the time lock',
  )
  withHelp(command, {
    examples: [
      'mooring recovery attest recovery.txt --fingerprint "12345 67890 12345 67890"',
      'mooring recovery attest - --fingerprint 12345678901234567890 -o seen.txt',
    ],
    exits: [4, 5, 6, 7, 13],
  })
  command.action(async (word: string) => {
    const options = command.optsWithGlobals<Options>()
    const output = createOutput(context, options)
    const request = await readDocument(context, RECOVERY_REQUEST, word)
    refuseUnread(request, options.fingerprint)
    const signed = await signAs(context, options, { as: 'desk', request })
    const { identity, sequence } = request
    const shown = { kind: ATTESTATION, value: { identity, sequence, ...signed }, output }
    const { text, file } = await showDocument(context, options, shown)
    if (output.isJson) output.json({ schema: 'mooring/attestation/v1', file, text })
  })
}

function addApprove(group: Command, context: Context): void {
  const command = asked(remote(group.command('approve')))
    .description('sign a recovery as the guardian that this member is')
    .requiredOption('--kit <text>', 'what the owner gave this member to keep')
  withHelp(command, {
    examples: [
      'mooring recovery approve recovery.txt --kit ada.txt --fingerprint "12345 …"',
      'mooring recovery approve - --kit ada.txt --fingerprint "12345 …" -o yes.txt',
    ],
    exits: [4, 5, 6, 7, 13],
  })
  command.action(async (word: string) => {
    const options = command.optsWithGlobals<Options & { kit: string }>()
    const output = createOutput(context, options)
    const request = await readDocument(context, RECOVERY_REQUEST, word)
    refuseUnread(request, options.fingerprint)
    const kit = await readDocument(context, GUARDIAN_KIT, options.kit)
    const signed = await signAs(context, options, { as: 'approve', request })
    if (kit.organisation !== signed.organisation) throw new NodeError('kit_of_another')
    const { index, salt, path } = kit
    const { identity, sequence } = request
    const value = { identity, sequence, approval: { index, salt, path, ...signed } }
    const { text, file } = await showDocument(context, options, {
      kind: GUARDIAN_APPROVAL,
      value,
      output,
    })
    if (output.isJson) output.json({ schema: 'mooring/approval/v1', file, text })
  })
}

export function addRecovery(program: Command, context: Context): void {
  const group = program
    .command('recovery')
    .description('what this hospital says when a patient recovers an identity')
  addAttest(group, context)
  addApprove(group, context)
  withHelp(group, {
    examples: ['mooring recovery attest recovery.txt --fingerprint "12345 67890 12345 67890"'],
    exits: [4, 5, 6, 7, 13],
  })
}
