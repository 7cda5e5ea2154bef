// The part of a wallet about what it has seen of timelines, so that a gap is noticed later.

import { type Infer, list, struct, text, versioned } from '@mooring/codec'
import { type SignedTimelineHead, signedTimelineHeadSchema } from './timeline-head.ts'

const HEADS_MAX = 256

export const walletLogSchema = versioned(1, {
  /** The newest of each hospital, with its signature: the evidence of what was there. */
  heads: list(
    struct({
      /** Whom it is about, as the holder of the wallet calls them; '' for the holder. */
      patient: text(64),
      signed: signedTimelineHeadSchema,
    }),
    HEADS_MAX,
  ),
})

type WalletLog = Infer<typeof walletLogSchema>

export const EMPTY_WALLET_LOG: WalletLog = { heads: [] }

interface Whose {
  readonly custodian: string
  readonly patient: string
}

export function seenHead(
  { heads }: WalletLog,
  { custodian, patient }: Whose,
): SignedTimelineHead | undefined {
  return heads.find((each) => each.patient === patient && each.signed.head.custodian === custodian)
    ?.signed
}

/** In place of the one that was seen before. */
export function withSeenHead(
  { heads }: WalletLog,
  patient: string,
  signed: SignedTimelineHead,
): WalletLog {
  const { custodian } = signed.head
  const others = heads.filter(
    (each) => each.patient !== patient || each.signed.head.custodian !== custodian,
  )
  return { heads: [...others, { patient, signed }].slice(-HEADS_MAX) }
}
