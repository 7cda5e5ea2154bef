// Practitioners: a key on their device, and the credential of their organisation that says what they may.

import { toHex } from '@mooring/codec'
import { CryptoError, formatDidKey, parseDidKey } from '@mooring/crypto'
import { NodeError } from '@mooring/node/node-error'
import { type Practitioner, readCredential, RecordsError } from '@mooring/records'
import type { Command } from 'commander'
import { countArgument, remote, withHelp } from '../command-help.ts'
import type { Context } from '../context.ts'
import { type RemoteOptions, withNode } from '../endpoint.ts'
import { createOutput, formatFields, formatTime } from '../output.ts'
import {
  isPractitionerFile,
  makePractitionerFile,
  readCredentialFile,
  readPractitionerFile,
  unreadable,
  writePrivate,
} from '../practitioner-file.ts'
import { Option } from 'commander'

interface IssueOptions extends RemoteOptions {
  role: string
  name: string
  licence: string
  btg?: boolean
  days: number
  output?: string
}

const DAY_MS = 86_400_000

export function addPractitioner(program: Command, context: Context): void {
  const group = program
    .command('practitioner')
    .description('keys of practitioners, and credentials that say what they may')
  withHelp(group, {
    examples: [
      'mooring practitioner new ada.key',
      'mooring practitioner issue did:key:z6Mk… --role physician --name Ada --licence MD-4711 --btg',
      'mooring practitioner show ada.credential',
    ],
    exits: [4, 6, 7],
  })
  addNew(group, context)
  addIssue(group, context)
  addShow(group, context)
  addRevoke(group, context)
}

function addNew(group: Command, context: Context): void {
  const command = group
    .command('new')
    .description('make the key of a practitioner, in a file of its own')
    .argument('<file>', 'where to; it must not exist')
  withHelp(command, {
    examples: ['mooring practitioner new ada.key', 'mooring practitioner new ada.key --json'],
    exits: [7],
  })
  command.action(async (path: string) => {
    const output = createOutput(context, command.optsWithGlobals())
    const { publicKey } = await makePractitionerFile(context, path)
    const key = formatDidKey(publicKey)
    if (output.isJson) output.json({ schema: 'mooring/practitioner-key/v1', key, path })
    else output.text(key)
    output.note(`the file ${path} signs for this key: whoever has it is this practitioner`)
  })
}

function addIssue(group: Command, context: Context): void {
  const command = remote(group.command('issue'))
    .description('at the hospital: a credential for the key of a practitioner')
    .argument('<did>', 'the key: did:key:z6Mk…')
    .requiredOption('--role <text>', 'for example physician')
    .requiredOption('--name <text>', 'shown only where the practitioner shows it')
    .requiredOption('--licence <number>', 'shown only where the practitioner shows it')
    .option('--btg', 'with the right to emergency access')
    .addOption(
      new Option('--days <count>', 'how long it lives, 7 at most')
        .argParser(countArgument)
        .default(1, '1'),
    )
    .option('--output <file>', 'write the credential there instead of to stdout')
  withHelp(command, {
    examples: [
      'mooring practitioner issue did:key:z6Mk… --role nurse --name Bo --licence RN-1',
      'mooring practitioner issue did:key:z6Mk… --role physician --name Ada --licence MD-1 --btg --days 7',
    ],
    exits: [4, 7],
  })
  command.action(async (did: string) => {
    const options = command.optsWithGlobals<IssueOptions>()
    const output = createOutput(context, options)
    const { role, name, licence, btg = false, days } = options
    const expiresAt = context.now().getTime() + days * DAY_MS - 1_000
    const terms = { key: toHex(keyOf(did)), role, name, licence, btg, expiresAt }
    const issued = await withNode(context, options, (client) => client.issueCredential(terms))
    const { credential, index } = issued
    if (options.output !== undefined) {
      await writePrivate(context, options.output, `${credential}\n`)
    }
    if (output.isJson) output.json({ schema: 'mooring/practitioner-credential/v1', ...issued })
    else if (options.output === undefined) output.text(credential)
    else output.text(`written to ${options.output}`)
    output.note(`credential ${index}; take it back with: mooring practitioner revoke ${index}`)
  })
}

function addShow(group: Command, context: Context): void {
  const command = group
    .command('show')
    .description('what a credential says, or which key a file has')
    .argument('<file>', 'a credential, or a key file')
  withHelp(command, {
    examples: ['mooring practitioner show ada.credential', 'mooring practitioner show ada.key'],
    exits: [6],
  })
  command.action(async (path: string) => {
    const output = createOutput(context, command.optsWithGlobals())
    if (await isPractitionerFile(context, path)) {
      const key = formatDidKey((await readPractitionerFile(context, path)).publicKey)
      if (output.isJson) output.json({ schema: 'mooring/practitioner-key/v1', key, path })
      else output.text(key)
      return
    }
    const found = credentialIn(path, await readCredentialFile(context, path))
    const { key, issuedAt, expiresAt, btg, ...rest } = found
    if (output.isJson) {
      const times = { issuedAt: formatTime(issuedAt), expiresAt: formatTime(expiresAt) }
      const shown = { ...rest, btg, key: formatDidKey(key), ...times }
      output.json({ schema: 'mooring/practitioner/v1', ...shown })
      return
    }
    output.text(
      formatFields([
        ['organisation', found.organisation],
        ['role', found.role],
        ['name', found.name ?? '–'],
        ['licence', found.licence ?? '–'],
        ['emergency access', btg ? 'yes' : 'no'],
        ['key', formatDidKey(key)],
        ['expires', formatTime(expiresAt)],
        ['number', String(found.statusIndex)],
      ]),
    )
  })
}

function addRevoke(group: Command, context: Context): void {
  const command = remote(group.command('revoke'))
    .description('at the hospital: take a credential back')
    .argument('<number>', 'as it was issued', countArgument)
  withHelp(command, {
    examples: ['mooring practitioner revoke 3', 'mooring practitioner revoke 3 --json'],
    exits: [4, 6],
  })
  command.action(async (index: number) => {
    const options = command.optsWithGlobals<RemoteOptions>()
    const output = createOutput(context, options)
    await withNode(context, options, (client) => client.revokeCredential(index))
    if (output.isJson) output.json({ schema: 'mooring/credential-revoked/v1', index })
    else output.text(`credential ${index} opens nothing any more`)
  })
}

export function credentialIn(path: string, text: string): Practitioner {
  try {
    return readCredential(text)
  } catch (error) {
    if (!(error instanceof RecordsError)) throw error
    throw unreadable(path, error.message, error)
  }
}

function keyOf(did: string): Uint8Array {
  try {
    return parseDidKey(did)
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error
    const detail = `"${did}" is no did:key of Ed25519.`
    throw new NodeError('usage', { detail, command: 'practitioner issue ' }, { cause: error })
  }
}
