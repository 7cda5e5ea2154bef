// The table of transaction kinds. A new kind is one file and one line here.

import { CodecError, type Schema } from '@mooring/codec'
import { accessLog } from './access-log.ts'
import { changeApprove } from './change-approve.ts'
import { changePropose } from './change-propose.ts'
import { changeReady } from './change-ready.ts'
import { changeWithdraw } from './change-withdraw.ts'
import { emergencyClose } from './emergency-close.ts'
import { emergencyOpen } from './emergency-open.ts'
import { grantOpen } from './grant-open.ts'
import { grantRevoke } from './grant-revoke.ts'
import { keyReplace } from './key-replace.ts'
import { identityCreate } from './identity-create.ts'
import { identityFinalize } from './identity-finalize.ts'
import { identityRecover } from './identity-recover.ts'
import { identityRotate } from './identity-rotate.ts'
import { identityVeto } from './identity-veto.ts'
import type { UnixMs } from './parameters.ts'
import { recordAnchor } from './record-anchor.ts'
import { recordTombstone } from './record-tombstone.ts'
import type { TransactionKind } from './transaction-kind.ts'

const TABLE = {
  'record.anchor': recordAnchor,
  'access.log': accessLog,
  'change.propose': changePropose,
  'change.approve': changeApprove,
  'change.withdraw': changeWithdraw,
  'change.ready': changeReady,
  'grant.open': grantOpen,
  'grant.revoke': grantRevoke,
  'key.replace': keyReplace,
  'record.tombstone': recordTombstone,
  'identity.create': identityCreate,
  'identity.rotate': identityRotate,
  'identity.recover': identityRecover,
  'identity.veto': identityVeto,
  'identity.finalize': identityFinalize,
  'emergency.open': emergencyOpen,
  'emergency.close': emergencyClose,
}

type BodyOf<Rule> = Rule extends TransactionKind<infer Body> ? Body : never

export type Bodies = { [K in keyof typeof TABLE]: BodyOf<(typeof TABLE)[K]> }
export type Kind = keyof Bodies

/** A kind with its body, and until when it may enter a block. */
export type PayloadOf<K extends Kind> = { kind: K; expiresAt: UnixMs; body: Bodies[K] }
export type Payload = { [K in Kind]: PayloadOf<K> }[Kind]

const KINDS: { readonly [K in Kind]: TransactionKind<Bodies[K]> } = TABLE

/** Wider than the kinds of today, so that one of tomorrow is an unknown kind and not bad bytes. */
const KIND_BYTES_MAX = 32

export const kindSchema: Schema<Kind> = {
  read(reader) {
    const kind = reader.text(KIND_BYTES_MAX)
    if (!isKind(kind)) throw new CodecError('unknown_variant', `no kind ${JSON.stringify(kind)}`)
    return kind
  },
  write: (kind) => kind,
}

export function ruleOf<K extends Kind>(kind: K): TransactionKind<Bodies[K]> {
  return KINDS[kind]
}

function isKind(kind: string): kind is Kind {
  return Object.hasOwn(KINDS, kind)
}
