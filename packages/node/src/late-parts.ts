// The parts of a node that earlier ones speak to: null until they exist.

import type { HaltReason } from '@mooring/consensus'
import type { Finding } from './alarms.ts'
import type { Agreement } from './agreement.ts'
import type { Custodian } from './custodian.ts'
import type { Erasures } from './erasures.ts'
import type { EventFeed } from './event-feed.ts'
import type { VaultHandlers } from './holder.ts'
import type { MembershipWatch } from './membership-watch.ts'
import type { Offences } from './offences.ts'
import type { RemoteSigner } from './remote-signer.ts'
import type { Serving } from './serving.ts'
import type { Snapshots } from './snapshots.ts'
import type { VaultKeeper } from './vault-keeper.ts'
import type { VaultParts } from './vault-parts.ts'

export interface Late {
  agreement: Agreement | null
  offences: Offences | null
  feed: EventFeed | null
  watch: MembershipWatch | null
  serving: Serving | null
  snapshots: Snapshots | null
  vault: VaultParts | null
  vaultHandlers: VaultHandlers | null
  keeper: VaultKeeper | null
  vaultFinding: () => Finding | null
  emergencyFinding: () => Finding | null
  signer: RemoteSigner | null
  custodian: Custodian | null
  erasures: Erasures | null
  halted: HaltReason | null
  isDraining: boolean
  fail: (error: unknown) => void
}

export function noParts(fail: Late['fail']): Late {
  return {
    agreement: null,
    offences: null,
    feed: null,
    watch: null,
    serving: null,
    snapshots: null,
    vault: null,
    vaultHandlers: null,
    keeper: null,
    vaultFinding: () => null,
    emergencyFinding: () => null,
    signer: null,
    custodian: null,
    erasures: null,
    halted: null,
    isDraining: false,
    fail,
  }
}
