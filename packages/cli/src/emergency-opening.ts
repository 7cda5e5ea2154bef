// A practitioner opens an emergency set: the card and the request's one-time secret are here, and nowhere else.

import { randomBytes } from 'node:crypto'
import type { EmergencyOpened } from '@mooring/api'
import type { Client } from '@mooring/api/client'
import { decode, equalBytes, toHex } from '@mooring/codec'
import { decodeBase64url, type KeyPair, x25519PublicKey } from '@mooring/crypto'
import { genesisDigest, networkId, parseGenesisJson } from '@mooring/ledger'
import { NodeError } from '@mooring/node/node-error'
import {
  type EmergencyCard,
  emergencyAudience,
  emergencyHeaderSchema,
  emergencyNonce,
  genesisPrefixOf,
  locatorIdOf,
  offlineQuestion,
  openEmergencySet,
  parseCard,
  presentCredential,
  RecordsError,
} from '@mooring/records'
import type { Context } from './context.ts'
import { readLine } from './documents.ts'

const CARD_BYTES_MAX = 1_024

/** Who shows a credential, with the key that it names. */
export interface Presenter {
  readonly organisation: string
  readonly credential: string
  readonly keyPair: KeyPair
}

export interface OpenedSet {
  readonly opened: EmergencyOpened
  /** The Bundle. */
  readonly bundle: Uint8Array
  readonly liars: readonly string[]
  readonly madeAt: number
}

// As typed or scanned, from a file, or from stdin.
export async function readCard(context: Context, word: string): Promise<EmergencyCard> {
  const line = await readLine(context, word, CARD_BYTES_MAX)
  try {
    return parseCard(line)
  } catch (error) {
    if (!(error instanceof RecordsError)) throw error
    throw new NodeError('card_unreadable', { detail: error.message }, { cause: error })
  }
}

// The network that the node is in; a card of another one opens nothing there.
export async function networkOf(client: Client, url: string, card?: EmergencyCard) {
  const digest = genesisDigest(parseGenesisJson(await client.genesis()))
  if (card !== undefined && !equalBytes(card.genesisPrefix, genesisPrefixOf(digest))) {
    const other = `moor-${toHex(card.genesisPrefix).slice(0, 8)}`
    throw new NodeError('card_other_network', { other, own: networkId(digest), url })
  }
  return digest
}

export async function openWithCard(
  client: Client,
  {
    card,
    presenter,
    reason,
    network,
    now,
  }: {
    card: EmergencyCard
    presenter: Presenter
    reason: string
    network: Uint8Array
    now: number
  },
): Promise<OpenedSet> {
  const { locator } = card
  const readerSecret = new Uint8Array(randomBytes(32))
  const question = {
    requestId: new Uint8Array(randomBytes(32)),
    organisation: presenter.organisation,
    locatorId: locatorIdOf(locator),
    reason,
    readerKey: x25519PublicKey(readerSecret),
  }
  const presentation = presentCredential(presenter.credential, {
    keyPair: presenter.keyPair,
    audience: emergencyAudience(network),
    nonce: emergencyNonce(question),
    now,
  })
  const opened = await client.openEmergency({
    requestId: toHex(question.requestId),
    locatorId: toHex(question.locatorId),
    reason,
    readerKey: toHex(question.readerKey),
    presentation,
  })
  const answers = opened.shares.map(({ organisation, header, ciphertext, share }) => ({
    organisation,
    header: decode(emergencyHeaderSchema, decodeBase64url(header)),
    ciphertext: decodeBase64url(ciphertext),
    share: decodeBase64url(share),
  }))
  const { requestId } = question
  const result = openEmergencySet(answers, { locator, requestId, readerSecret })
  if (!result.ok) {
    const liars = result.liars.join(', ') || 'nobody'
    throw new NodeError('emergency_set_unopened', { detail: DETAILS[result.code], liars })
  }
  const { content: bundle, header, liars } = result
  return { opened, bundle, liars, madeAt: header.madeAt }
}

// Without the network: two practitioners of the hospital, one of its patients.
export function presentOffline(
  presenters: readonly Presenter[],
  asked: { requestId: Uint8Array; patient: string; reason: string },
  { network, now }: { network: Uint8Array; now: number },
): string[] {
  const audience = emergencyAudience(network)
  return presenters.map(({ organisation, credential, keyPair }) => {
    const nonce = emergencyNonce(offlineQuestion({ ...asked, organisation }))
    return presentCredential(credential, { keyPair, audience, nonce, now })
  })
}

const DETAILS = {
  too_few_shares: 'Too few of the shares are what the header of the set says',
  another_set: 'The set is not that of the card',
  not_the_content: 'The shares do not give the key of the set',
}
