// What exactly agreement has seen when it stops for good, in words.

import type { HaltReason } from '@mooring/consensus'

export function describeHalt(reason: HaltReason): string {
  switch (reason.code) {
    case 'duplicate_key': {
      const { kind, subject } = reason.vote
      return `A ${kind} of this node for view ${subject.view} of epoch ${subject.epoch} arrived, signed with its key, that its vote journal does not know.`
    }
    case 'conflicting_certificates': {
      const { first, second } = reason
      return `A ${first.kind} and a ${second.kind} certificate of view ${second.subject.view} exclude each other.`
    }
    case 'state_diverged':
      return `Block ${reason.digest} of view ${reason.view} was certified by a quorum, and is not valid here.`
  }
}
