/** A broken promise of agreement, by the name that the design gives it. */
export type Invariant =
  | 'I1' // logs of final blocks are prefixes of one another
  | 'I2' // one notarization in a view
  | 'I3' // no finalization beside a nullification
  | 'I4' // what is final was notarized
  | 'I5' // an honest authority keeps the rules of voting
  | 'I6' // what is notarized has a notarized parent, and every view between is nullified
  | 'I7' // no vote leaves before it is durable
  | 'I8' // what comes back from disk is what was there
  | 'I9' // nothing that may only rise falls
  | 'I10' // no signature counts in another chain, epoch, view or kind
  | 'I11' // a certificate has a quorum of signers
  | 'I12' // an epoch begins with a final sealing block, and nothing stands on one before
  | 'I13' // block times rise, and are near the clocks of their voters
  | 'I14' // what is final is valid, and leads to one state
  | 'I15' // a double vote is reported, and nobody honest is accused
  | 'L1' // finality comes back soon after the faults end
  | 'L3' // without a quorum the view stands still
  | 'L4' // a transaction that an honest node knows becomes final
  | 'L5' // an idle network is silent
  | 'L6' // n transactions far apart make at most n blocks
  | 'L7' // nothing grows without bound
  | 'I16' // two final blocks convict more than can be faulty, and nobody honest
  | 'L2' // and also over links that lose some
  | 'L8' // who is far behind catches up, and votes nowhere below its last final block
  | 'L9' // an epoch ends although as many are dead as both sets can bear
  | 'halt' // an honest authority stops although few enough are faulty
  | 'validity' // what is final may be in a block
  | 'blame' // an honest node drops another as a liar
  | 'fatal' // an honest node dies of something else than its disk
  | 'world' // the run itself puts more faulty into an authority set than it can bear
  | 'order' // the machine asks its shell for what cannot be done

export class Violation extends Error {
  readonly invariant: Invariant

  constructor(invariant: Invariant, detail: string) {
    super(`${invariant}: ${detail}`)
    this.invariant = invariant
  }
}
