// A patient with guardians on the network of the fixture: four persons, and two members of one legal
// group unless told otherwise. Every event is signed as its author signs it.

import assert from 'node:assert/strict'
import { type KeyPair, sign } from '@mooring/crypto'
import {
  applyBlock,
  attestRecovery,
  checkTransaction,
  controlKeyDigest,
  createTransaction,
  decodeTransaction,
  deviceKeyDigest,
  type Guardian,
  GUARDIAN_LEAVES,
  type GuardianApproval,
  guardianPath,
  guardiansRoot,
  identityIdOf,
  identityOf,
  type IdentitySettings,
  type InvalidTransaction,
  type Payload,
  type RecoveryContent,
  recoveryMessage,
  signIdentityCreate,
  signIdentityFinalize,
  signIdentityRotate,
  signObjection,
  vetoMessage,
} from '../src/index.ts'
import { blockOn, contextOf, keyOf, MINUTE, placeOf, seedOf, START, type World } from './fixture.ts'

export const HOUR = 60 * MINUTE
export const PERSONS = ['ann', 'ben', 'cem', 'dora']

export const controlKey = (n: number): KeyPair => keyOf('patient', `root ${n}`)
export const deviceKey = (n: number): KeyPair => keyOf('patient', `device ${n}`)
export const personKey = (name: string): KeyPair => keyOf(name, 'guardian')
export const identity = identityIdOf(controlKey(0).publicKey)

export class GuardianSet {
  readonly guardians: Guardian[]
  readonly names: string[]
  readonly #padding: Uint8Array[]

  constructor(persons = PERSONS, members = ['county', 'lakeview']) {
    this.names = [...persons, ...members]
    this.guardians = [
      ...persons.map((name) => ({
        salt: seedOf(`salt ${name}`),
        organisation: null,
        key: personKey(name).publicKey,
      })),
      ...members.map((id) => ({ salt: seedOf(`salt ${id}`), organisation: id, key: null })),
    ]
    const others = GUARDIAN_LEAVES - this.guardians.length
    this.#padding = Array.from({ length: others }, (_, index) => seedOf(`nobody ${index}`))
  }

  get root(): Uint8Array {
    return guardiansRoot(this.guardians, this.#padding)
  }

  approve(name: string, message: Uint8Array, key?: KeyPair): GuardianApproval {
    const index = this.names.indexOf(name)
    const guardian = this.guardians[index]
    assert.ok(guardian !== undefined, name)
    const { salt, organisation } = guardian
    const signer = key ?? (organisation === null ? personKey(name) : keyOf(organisation, 'anchor'))
    return {
      index,
      salt,
      organisation,
      key: signer.publicKey,
      path: guardianPath(this.guardians, this.#padding, index),
      signature: sign(signer, message),
    }
  }
}

export const guardians = new GuardianSet()

export function settings(next: number, changes: Partial<IdentitySettings> = {}): IdentitySettings {
  return {
    controlKey: controlKey(next - 1).publicKey,
    nextKeyDigest: controlKeyDigest(controlKey(next).publicKey),
    recovery: {
      guardians: guardians.root,
      threshold: 2,
      vetoes: 1,
      lockMs: 72 * HOUR,
      deskLockMs: 24 * HOUR,
    },
    devices: [deviceKeyDigest(deviceKey(1).publicKey)],
    ...changes,
  }
}

type IdentityPayload = Extract<Payload, { kind: `identity.${string}` }>
type Bodied<T> = T extends { kind: infer K; body: infer B } ? { kind: K; body: B } : never
export type Event = Bodied<IdentityPayload>

/** What tests give of a recovery; the rest is that of an honest one. */
export type RecoveryInput = {
  sequence?: number
  key?: number
  by?: string[]
  set?: GuardianSet
  desk?: string
}

export class IdentityWorld {
  at: World
  time = START

  constructor(at: World) {
    this.at = at
  }

  get found() {
    return identityOf(this.at.state, identity)
  }

  create(changes: Partial<IdentitySettings> = {}): Event {
    const body = signIdentityCreate(this.at.digest, settings(1, changes), controlKey(0))
    return { kind: 'identity.create', body: { organisation: 'st-mary', ...body } }
  }

  rotate(sequence: number, key = 1, changes: Partial<IdentitySettings> = {}): Event {
    const place = { identity, sequence, settings: settings(key + 1, changes) }
    const body = signIdentityRotate(this.at.digest, place, controlKey(key))
    return { kind: 'identity.rotate', body: { organisation: 'st-mary', ...body } }
  }

  content({ sequence = 2, key = 7 }: RecoveryInput = {}): RecoveryContent {
    return {
      identity,
      sequence,
      controlKey: controlKey(key).publicKey,
      nextKeyDigest: controlKeyDigest(controlKey(key + 1).publicKey),
    }
  }

  recover(input: RecoveryInput = {}): Event & { kind: 'identity.recover' } {
    const { by = ['ann', 'ben'], set = guardians, desk } = input
    const content = this.content(input)
    const message = recoveryMessage(content, this.at.digest)
    return {
      kind: 'identity.recover',
      body: {
        organisation: 'riverside',
        ...content,
        approvals: by.map((name) => set.approve(name, message)),
        desk:
          desk === undefined
            ? null
            : attestRecovery(this.at.digest, content, {
                organisation: desk,
                anchorKey: keyOf(desk, 'anchor'),
              }),
      },
    }
  }

  object(sequence: number, kind: 'control' | 'device', keyPair: KeyPair): Event {
    const place = { identity, sequence }
    const by = signObjection(this.at.digest, place, { kind, keyPair })
    return { kind: 'identity.veto', body: { organisation: 'county', ...place, by } }
  }

  objectAll(sequence: number, names: string[], set = guardians): Event {
    const place = { identity, sequence }
    const message = vetoMessage(this.at.digest, place)
    const body = names.map((name) => set.approve(name, message))
    const by = { kind: 'guardians', body } as const
    return { kind: 'identity.veto', body: { organisation: 'county', ...place, by } }
  }

  finalize(sequence: number, key = 7): Event {
    const place = { identity, sequence }
    const body = signIdentityFinalize(this.at.digest, place, controlKey(key))
    return { kind: 'identity.finalize', body: { organisation: 'st-mary', ...body } }
  }

  encode(event: Event, signer?: KeyPair): Uint8Array {
    return createTransaction({
      genesisDigest: this.at.digest,
      keyPair: signer ?? keyOf(event.body.organisation, 'anchor'),
      expiresAt: this.time + MINUTE,
      ...event,
    })
  }

  refusal(event: Event, signer?: KeyPair): InvalidTransaction | undefined {
    const transaction = decodeTransaction(this.encode(event, signer), this.at.digest)
    return checkTransaction(this.at.state, placeOf(this.at, this.time), transaction)
  }

  take(event: Event): void {
    const encoded = this.encode(event)
    const block = blockOn(this.at, [encoded], { time: this.time })
    const applied = applyBlock(this.at.state, this.at.parent, block, contextOf(this.at))
    if ('code' in applied) assert.fail(`${event.kind}: ${JSON.stringify(applied)}`)
    this.at = { ...this.at, state: this.at.state.after(applied.diff) }
  }
}
