// The hospital of desk-node.ts with grants: it opens handles, keeps what was deposited, and revokes, by the
// signatures that the chain asks for.

import { type KnownGrantAnswer, Refusal } from '@mooring/api'
import { toHex } from '@mooring/codec'
import { genesisDigest, handleOfKey, isGrantOpenSigned, isGrantRevokeSigned } from '@mooring/ledger'
import { formatGrant, type Grant, parseGrant, readGrant, verifyGrant } from '@mooring/records'
import { genesisWith } from '../../node/test/chain-members.ts'
import { Desk, DeskNode } from './desk-node.ts'

const DIGEST = genesisDigest(genesisWith({}))

type Deposit = Parameters<Desk['depositGrant']>[1]

export class GrantDesk extends Desk {
  readonly opened: { grant: Grant; open: Deposit['open'] }[] = []
  readonly revoked = new Set<string>()
  refusal: string | null = null

  override depositGrant(_caller: unknown, { grant: document, open }: Deposit) {
    if (this.refusal !== null) throw new Refusal(this.refusal, 'Not now.')
    const grant = readGrant(parseGrant(document))
    const handle = toHex(grant.handle)
    if (toHex(handleOfKey(open.publicKey)) !== handle) throw new Refusal('handle_differs', 'no')
    if (!isGrantOpenSigned(DIGEST, open)) throw new Refusal('handle_forged', 'no')
    if (!verifyGrant(grant)) throw new Refusal('grant_forged', 'no')
    this.opened.push({ grant, open })
    return Promise.resolve({ id: toHex(grant.id), handle, transactionId: toHex(DIGEST), height: 7 })
  }

  override revoke(revocation: { publicKey: Uint8Array; signature: Uint8Array }) {
    const handle = toHex(handleOfKey(revocation.publicKey))
    const isKnown = this.opened.some(({ grant }) => toHex(grant.handle) === handle)
    if (!isGrantRevokeSigned(DIGEST, revocation)) throw new Refusal('bad_signature', 'no')
    if (!isKnown) throw new Refusal('unknown_handle', 'The chain has no such handle.')
    if (this.revoked.has(handle)) throw new Refusal('handle_revoked', 'It is revoked already.')
    this.revoked.add(handle)
    return Promise.resolve({ handle, transactionId: toHex(DIGEST), height: 9 })
  }

  override grants() {
    const items = this.opened.map(({ grant }): KnownGrantAnswer => {
      const { id, handle, recipient, classes, purposes, notBefore, expiresAt } = grant
      const isRevoked = this.revoked.has(toHex(handle))
      return {
        id: toHex(id),
        handle: toHex(handle),
        recipient,
        classes: [...classes],
        purposes: [...purposes],
        notBefore: new Date(notBefore).toISOString(),
        expiresAt: new Date(expiresAt).toISOString(),
        status: isRevoked ? 'revoked' : 'live',
        revokedHeight: isRevoked ? 9 : null,
        isHosted: false,
        document: formatGrant(grant.signed),
      }
    })
    return Promise.resolve({ items, next: null })
  }
}

export class GrantDeskNode extends DeskNode {
  override readonly patients: GrantDesk

  constructor(now: number) {
    super(now)
    this.patients = new GrantDesk(now)
  }
}
