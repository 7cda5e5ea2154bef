// At the recipient: an offer that was scanned or pasted, or a grant file, becomes a file to read with.

import { toHex } from '@mooring/codec'
import { NodeError } from '@mooring/node/node-error'
import {
  formatGrant,
  type Grant,
  OFFER_CHARACTERS_MAX,
  parseGrant,
  parseOffer,
  readGrant,
  RecordsError,
  verifyGrant,
} from '@mooring/records'
import type { Command } from 'commander'
import { remote, withHelp } from '../command-help.ts'
import type { Context } from '../context.ts'
import { type RemoteOptions, withNode } from '../endpoint.ts'
import { writeNew } from '../grant-file.ts'
import { formatGrantWords } from '../grant-words.ts'
import { createOutput, formatTime } from '../output.ts'
import { readInput } from '../read-input.ts'

type AcceptOptions = RemoteOptions & { output?: string; offline?: boolean }

const OFFER = /^\s*mooring-offer:/

// An offer, or what is in the file of this name.
async function readOffered(context: Context, word: string): Promise<Grant> {
  const isOffer = OFFER.test(word)
  const bytes = isOffer ? undefined : await readInput(context, word, 2 * OFFER_CHARACTERS_MAX)
  const text = bytes === undefined ? word : new TextDecoder().decode(bytes)
  try {
    return OFFER.test(text) ? parseOffer(text) : readGrant(parseGrant(text))
  } catch (error) {
    if (!(error instanceof RecordsError)) throw error
    const detail = error.message
    if (OFFER.test(text)) throw new NodeError('offer_unreadable', { detail }, { cause: error })
    throw new NodeError('grant_unreadable', { path: word, detail }, { cause: error })
  }
}

async function checkOffered(
  context: Context,
  options: AcceptOptions,
  { grant, word }: { grant: Grant; word: string },
): Promise<void> {
  if (!verifyGrant(grant)) {
    const path = OFFER.test(word) ? 'the offer' : word
    throw new NodeError('grant_not_signed', { path }, { rows: formatGrantWords(grant).split('\n') })
  }
  if (grant.expiresAt <= context.now().getTime()) {
    throw new NodeError('grant_over', { expiresAt: formatTime(grant.expiresAt) })
  }
  if (options.offline === true) return
  const { node } = await withNode(context, options, (client) => client.status())
  if (node.name !== grant.recipient) {
    throw new NodeError('grant_for_another', { recipient: grant.recipient, own: node.name })
  }
}

export function addGrantAccept(group: Command, context: Context): void {
  const command = remote(group.command('accept'))
    .description('take a grant that a patient offers, and keep it as a file')
    .argument('<offer>', 'the line of the offer, or a grant file; - for stdin')
    .option('-o, --output <file>', 'where to write it (grant-<id>.json)')
    .option('--offline', 'do not ask the node whether the grant is for it')
  withHelp(command, {
    examples: [
      'mooring grant accept mooring-offer:1:…',
      'mooring grant accept - -o allergies.json < offer.txt',
      'mooring record get <id> --grant allergies.json',
    ],
    exits: [4, 5, 6, 7, 8],
  })
  command.action(async (word: string) => {
    const options = command.optsWithGlobals<AcceptOptions>()
    const output = createOutput(context, options)
    const grant = await readOffered(context, word)
    await checkOffered(context, options, { grant, word })
    const id = toHex(grant.id)
    const file = options.output ?? `grant-${id.slice(0, 8)}.json`
    await writeNew(context, file, formatGrant(grant.signed))
    const { custodian, recipient } = grant
    const expiresAt = formatTime(grant.expiresAt)
    if (output.isJson) {
      output.json({ schema: 'mooring/grant-file/v1', id, file, custodian, recipient, expiresAt })
      return
    }
    output.text(formatGrantWords(grant))
    const reading = grant.fields.length > 0 ? 'fields' : 'list'
    output.note(
      `written to ${file}\nSee what it opens:   mooring record ${reading} --grant ${file}`,
    )
  })
}
