// A node with the real rules of the ledger and nothing around them: every transaction that it is given is
// a block at once. Its homes are those of a devnet, with the keys of all hospitals.

import { join } from 'node:path'
import { Refusal, type TransactionOutcome } from '@mooring/api'
import { toHex } from '@mooring/codec'
import { formatPeerId, type KeyPair } from '@mooring/crypto'
import {
  applyTransactions,
  authoritySet,
  createTransaction,
  type DecodedTransaction,
  decodeTransaction,
  encodeAuthoritySet,
  epochOf,
  type Genesis,
  genesisDigest,
  genesisState,
  networkId,
  openChanges,
  organisationOf,
  organisations,
  parametersOf,
  previewChange,
  tallyOf,
  type State,
  type StateDiff,
} from '@mooring/ledger'
import { type Devnet, readKeyFile } from '@mooring/node'
import { MemoryNode } from '../../api/test/memory-node.ts'
import { AuthoritySets } from '../../node/src/authority-sets.ts'
import { createIdentityAnswers } from '../../node/src/identity-answers.ts'
import {
  createMembershipAnswers,
  type MembershipAnswers,
  type MembershipParts,
} from '../../node/src/membership-answers.ts'
import type { Relay } from '../../node/src/relay.ts'

const NOW = Date.parse('2026-11-20T09:30:00Z')

type Ended = { epoch: number; height: number; authoritySet: Uint8Array }

class MapState implements State {
  readonly #values = new Map<string, Uint8Array>()
  readonly #included = new Set<string>()

  get(key: Uint8Array): Uint8Array | undefined {
    return this.#values.get(toHex(key))
  }

  wasIncluded(id: Uint8Array): boolean {
    return this.#included.has(toHex(id))
  }

  write(diff: StateDiff): void {
    for (const [name, { value }] of diff) {
      if (value === null) this.#values.delete(name)
      else this.#values.set(name, value)
    }
  }

  include(id: Uint8Array): void {
    this.#included.add(toHex(id))
  }
}

export class LedgerNode extends MemoryNode {
  readonly founding: Genesis
  readonly state = new MapState()
  readonly proposed = new Map<string, DecodedTransaction>()
  /** Authorities that this node does not hear, by name. */
  missing: string[] = []
  /** Final heights that others told, by name; who is not here is not connected. */
  heights = new Map<string, number>()
  height = 0
  /** How far the clock of the chain was put forward. */
  forwardMs = 0
  readonly #digest: Uint8Array
  readonly #ended: Ended[] = []
  readonly #answers: MembershipAnswers

  constructor(genesis: Genesis) {
    super()
    this.founding = genesis
    this.#digest = genesisDigest(genesis)
    this.state.write(genesisState(genesis))
    this.#answers = createMembershipAnswers(this.#parts(), (id) => this.proposed.get(id))
  }

  override network() {
    return this.#answers.network()
  }

  override members() {
    return this.#answers.members()
  }

  override epochs() {
    return this.#answers.epochs()
  }

  override changes() {
    return this.#answers.changes()
  }

  override change(id: string) {
    return this.#answers.change(id)
  }

  override previewChange(transaction: Uint8Array) {
    return this.#answers.previewChange(transaction)
  }

  override status() {
    const status = super.status()
    const chain = {
      ...status.chain,
      height: this.height,
      time: new Date(this.#time()).toISOString(),
    }
    return { ...status, chain, consensus: { ...status.consensus, missing: this.missing } }
  }

  override submitTransactions(transactions: Uint8Array[]): TransactionOutcome[] {
    return transactions.map((bytes) => this.#take(decodeTransaction(bytes, this.#digest)))
  }

  /** Every authority of the next set says that it is ready, as their nodes would. */
  async sayReady({ nodes }: Devnet): Promise<void> {
    for (const record of openChanges(this.state)) {
      const place = { height: this.height + 1, time: this.#time() + 1 }
      const tally = tallyOf(this.state, record, place)
      const context = { genesisDigest: this.#digest, height: place.height }
      const plan = previewChange(this.state, record.change, context)
      if ('code' in tally || 'code' in plan || tally.ready === null) continue
      for (const organisation of plan.authorities.organisations) {
        const home = nodes.find(({ name }) => name === organisation)?.home ?? ''
        const path = join(home, 'keys', 'consensus.json')
        const keyPair = await readKeyFile(path, 'consensus')
        const transaction = createTransaction({
          kind: 'change.ready',
          expiresAt: place.time + 60_000,
          body: { organisation, change: record.id },
          genesisDigest: this.#digest,
          keyPair,
        })
        this.submitTransactions([transaction])
      }
    }
  }

  /** What members relay with the anchor key of this one, and what its operator signs. */
  relayIdentities({ name, anchorKey }: { name: string; anchorKey: KeyPair }): void {
    const digest = this.#digest
    const tip = () => ({ height: this.height, time: this.#time() })
    const relay: Relay = {
      submit: (words) => {
        const expiresAt = this.#time() + 60_000
        const bytes = createTransaction({
          ...words,
          expiresAt,
          genesisDigest: digest,
          keyPair: anchorKey,
        })
        const transaction = decodeTransaction(bytes, digest)
        const outcome = this.#take(transaction)
        if (outcome.status === 'rejected') throw new Refusal(outcome.code, outcome.detail)
        return Promise.resolve({ id: transaction.id, height: this.height, time: this.#time() })
      },
    }
    this.identities = createIdentityAnswers(
      { name, genesisDigest: digest, anchorKey },
      {
        clock: { monotonic: () => this.#time(), wall: () => this.#time() },
        relay,
        chain: {
          get tip() {
            return tip()
          },
        },
        finalState: () => this.state,
        parameters: () => parametersOf(this.state),
        isKnownKey: () => true,
      },
    )
  }

  #take(transaction: DecodedTransaction): TransactionOutcome {
    const height = this.height + 1
    const time = this.#time() + 1
    const parameters = parametersOf(this.state)
    const context = { genesisDigest: this.#digest, time, height, parameters }
    const epoch = epochOf(this.state)
    const applied = applyTransactions(this.state, context, [transaction])
    const id = toHex(transaction.id)
    const [refused] = applied.rejected
    if (refused !== undefined) {
      const { code } = refused.reason
      return { status: 'rejected', id, code, detail: `the ledger says ${code}` }
    }
    this.height = height
    this.state.write(applied.diff)
    this.state.include(transaction.id)
    if (transaction.payload.kind === 'change.propose') this.proposed.set(id, transaction)
    if (applied.next !== null) {
      this.#ended.push({ epoch, height, authoritySet: encodeAuthoritySet(applied.next) })
    }
    return { status: 'final', id, height }
  }

  #time(): number {
    return NOW + this.forwardMs + this.height
  }

  #parts(): MembershipParts {
    const { founding: genesis, state, heights } = this
    const ended = this.#ended
    const tip = () => ({ height: this.height, time: this.#time() })
    const nameOf = (peerId: string) =>
      organisations(state).find(({ keys }) => formatPeerId(keys.transport) === peerId)?.id ?? ''
    return {
      options: {
        name: 'hospital-0',
        genesis,
        genesisDigest: this.#digest,
        networkId: networkId(this.#digest),
      },
      clock: { wall: () => this.#time() },
      sets: new AuthoritySets(genesis, { epochs: () => ended }),
      execution: {
        finalState: () => state,
        get authorities() {
          return authoritySet(state)
        },
        get parameters() {
          return parametersOf(state)
        },
      },
      chain: {
        get tip() {
          return tip()
        },
        epochs: () => ended,
      },
      network: {
        peerId: peerIdOf(state, 'hospital-0'),
        peers: () =>
          [...heights.keys()].map((name) => ({ peerId: peerIdOf(state, name), connected: true })),
      },
      heightOfPeer: (peerId) => heights.get(nameOf(peerId)) ?? null,
    }
  }
}

function peerIdOf(state: State, name: string): string {
  const organisation = organisationOf(state, name)
  return organisation === undefined ? name : formatPeerId(organisation.keys.transport)
}
