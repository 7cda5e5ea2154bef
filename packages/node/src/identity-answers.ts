// Lasting identities at a node: what their owners and guardians have signed is relayed, within a budget, and
// what this member itself says of a recovery is signed with its anchor key.

import {
  type HandleOpening,
  type IdentityAnswer,
  type IdentityHandlers,
  type RecoveryStatement,
  Refusal,
  type RelayedHandle,
} from '@mooring/api'
import { CodecError, fromHex, toHex } from '@mooring/codec'
import { type KeyPair, sign } from '@mooring/crypto'
import {
  attestRecovery,
  checkSignatures,
  createTransaction,
  decodeIdentityEvent,
  decodeTransaction,
  handleOfKey,
  type IdentityEvent,
  identityOf,
  pendingAt,
  recoveryMessage,
  relayedBy,
  type StateReader,
  vetoMessage,
} from '@mooring/ledger'
import { TokenBucket } from '@mooring/network'
import type { Clock } from './clock.ts'
import { RateLimit } from './rate-limit.ts'
import { describeRefusal } from './refusal-text.ts'
import type { Relay } from './relay.ts'

/** Events that anybody may bring: what this node lets through at once, and in the long run. */
const EVENTS_AT_ONCE = 60
const EVENTS_PER_SECOND = 0.5
/** Of one patient. */
const DELEGATIONS = { burst: 30, everyMs: 60_000, namesMax: 20_000 }

export interface IdentityOptions {
  name: string
  genesisDigest: Uint8Array
  anchorKey: KeyPair
}

export interface IdentityModules {
  clock: Pick<Clock, 'monotonic'>
  relay: Relay
  chain: { readonly tip: { readonly time: number } }
  finalState: () => StateReader
  /** Whether somebody has an account here under this key. */
  isKnownKey: (patientKey: Uint8Array) => boolean
}

export function createIdentityAnswers(
  options: IdentityOptions,
  modules: IdentityModules,
): IdentityHandlers {
  const { clock, relay, chain, finalState } = modules
  const budget = new TokenBucket(EVENTS_AT_ONCE, EVENTS_PER_SECOND, clock.monotonic())
  const delegations = new RateLimit(DELEGATIONS, () => clock.monotonic())
  return {
    relay: async (encoded) => {
      const event = readEvent(encoded)
      refuseForged(event, options)
      if (!budget.take(1, clock.monotonic())) {
        throw new Refusal('too_many_events', 'This node relays a bounded number of them a minute.')
      }
      const { id, height } = await relay.submit(relayedBy(options.name, event))
      return { transactionId: toHex(id), height }
    },
    find: (id) => answerOf(finalState(), id, chain.tip.time),
    sign: (statement) => signStatement(options, statement),
    openDelegation: async ({ patientKey }, open) => {
      // Anybody can make a key and sign with it; only a patient of this hospital has its chain.
      if (!modules.isKnownKey(patientKey))
        throw new Refusal('unknown_patient_key', 'No patient here has enrolled with this key.')
      if (!delegations.take(toHex(patientKey)))
        throw new Refusal('patient_too_often', 'So many delegations were opened a moment ago.')
      return await openHandle(options.name, relay, open)
    },
  }
}

function readEvent(encoded: Uint8Array): IdentityEvent {
  try {
    return decodeIdentityEvent(encoded)
  } catch (error) {
    if (!(error instanceof CodecError)) throw error
    throw new Refusal('event_malformed', error.message)
  }
}

/** Before it costs anybody anything: signatures that hold in no state. */
function refuseForged(event: IdentityEvent, { name, genesisDigest, anchorKey }: IdentityOptions) {
  const words = { ...relayedBy(name, event), expiresAt: 0 }
  const bytes = createTransaction({ ...words, genesisDigest, keyPair: anchorKey })
  const forged = checkSignatures(decodeTransaction(bytes, genesisDigest), genesisDigest)
  if (forged !== undefined) throw new Refusal(forged.code, describeRefusal(forged))
}

async function openHandle(
  organisation: string,
  relay: Relay,
  { publicKey, expiresAt, kind, signature }: HandleOpening,
): Promise<RelayedHandle> {
  const body = { organisation, publicKey, expiresAt, kind, signature }
  const { id, height } = await relay.submit({ kind: 'grant.open', body })
  return { handle: toHex(handleOfKey(publicKey)), transactionId: toHex(id), height }
}

function signStatement(
  { name, genesisDigest, anchorKey }: IdentityOptions,
  { as, identity, sequence, controlKey, nextKeyDigest }: RecoveryStatement,
) {
  const content = { identity, sequence, controlKey, nextKeyDigest }
  const signature =
    as === 'desk'
      ? attestRecovery(genesisDigest, content, { organisation: name, anchorKey }).signature
      : sign(
          anchorKey,
          as === 'approve'
            ? recoveryMessage(content, genesisDigest)
            : vetoMessage(genesisDigest, content),
        )
  return { organisation: name, key: toHex(anchorKey.publicKey), signature: toHex(signature) }
}

function answerOf(state: StateReader, id: string, time: number): IdentityAnswer | undefined {
  const identity = identityOf(state, fromHex(id))
  if (identity === undefined) return undefined
  const { sequence, recovery } = identity
  const pending = pendingAt(identity, time)
  return {
    id,
    sequence,
    controlKey: toHex(identity.controlKey),
    nextKeyDigest: toHex(identity.nextKeyDigest),
    recovery: recovery && { ...recovery, guardians: toHex(recovery.guardians) },
    devices: identity.devices.map((digest) => toHex(digest)),
    pending:
      pending === undefined
        ? null
        : {
            controlKey: toHex(pending.controlKey),
            openedAt: textOf(pending.openedAt),
            unlocksAt: textOf(pending.unlocksAt),
            isAttested: pending.isAttested,
          },
    time: textOf(time),
  }
}

function textOf(time: number): string {
  return new Date(time).toISOString()
}
