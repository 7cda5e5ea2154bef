// Lasting identities at a node: what their owners and guardians have signed is relayed, within budgets, and
// what this member itself says of a recovery is signed with its anchor key.
//
// Anybody can make identities, so those have one budget for all. Every other event is paid by the identity it
// is about, and only when the final state would take it: whoever floods this node with identities, or with
// vetoes that count for nothing, keeps no owner from the veto that stops a thief.

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
  checkTransaction,
  createTransaction,
  decodeIdentityEvent,
  decodeTransaction,
  handleOfKey,
  type IdentityEvent,
  identityOf,
  type Parameters,
  pendingAt,
  recoveryMessage,
  relayedBy,
  type State,
  type StateReader,
  vetoMessage,
} from '@mooring/ledger'
import { TokenBucket } from '@mooring/network'
import type { Clock } from './clock.ts'
import { RateLimit } from './rate-limit.ts'
import { describeRefusal } from './refusal-text.ts'
import type { Relay } from './relay.ts'

/** Identities that anybody may make: what this node lets through at once, and in the long run. */
const CREATED_AT_ONCE = 60
const CREATED_PER_SECOND = 0.5
/** Of one identity: more than a recovery with its vetoes, and a rotation after it. */
const EVENTS = { burst: 10, everyMs: 5 * 60_000, namesMax: 20_000 }
/** Of one patient. */
const DELEGATIONS = { burst: 30, everyMs: 60_000, namesMax: 20_000 }

export interface IdentityOptions {
  name: string
  genesisDigest: Uint8Array
  anchorKey: KeyPair
}

export interface IdentityModules {
  clock: Pick<Clock, 'monotonic' | 'wall'>
  relay: Relay
  chain: { readonly tip: { readonly height: number; readonly time: number } }
  finalState: () => State
  parameters: () => Parameters
  /** Whether somebody has an account here under this key. */
  isKnownKey: (patientKey: Uint8Array) => boolean
}

export function createIdentityAnswers(
  options: IdentityOptions,
  modules: IdentityModules,
): IdentityHandlers {
  const { clock, relay, chain, finalState } = modules
  const now = () => clock.monotonic()
  const created = new TokenBucket(CREATED_AT_ONCE, CREATED_PER_SECOND, now())
  const events = new RateLimit(EVENTS, now)
  const delegations = new RateLimit(DELEGATIONS, now)
  const isPaid = (event: IdentityEvent): boolean =>
    event.kind === 'identity.create'
      ? created.take(1, now())
      : events.take(toHex(event.body.identity))
  return {
    relay: async (encoded) => {
      const event = readEvent(encoded)
      refuseUseless(event, options, modules)
      if (!isPaid(event)) {
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

/** Before it costs anybody anything: signatures that hold in no state, and what this one does not take. */
function refuseUseless(
  event: IdentityEvent,
  { name, genesisDigest, anchorKey }: IdentityOptions,
  { clock, chain: { tip }, finalState, parameters }: IdentityModules,
) {
  const time = Math.max(clock.wall(), tip.time)
  const words = { ...relayedBy(name, event), expiresAt: time + 1 }
  const bytes = createTransaction({ ...words, genesisDigest, keyPair: anchorKey })
  const transaction = decodeTransaction(bytes, genesisDigest)
  const place = { genesisDigest, time, height: tip.height + 1, parameters: parameters() }
  const refused =
    checkSignatures(transaction, genesisDigest) ??
    checkTransaction(finalState(), place, transaction, { verifySignature: false })
  // The relay waits for the next minute.
  if (refused === undefined || refused.code === 'quota_exceeded') return
  throw new Refusal(refused.code, describeRefusal(refused))
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
