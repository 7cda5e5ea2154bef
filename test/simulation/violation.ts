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
  | 'I11' // a certificate has a quorum of signers
  | 'I13' // block times rise, and are near the clocks of their voters
  | 'I15' // a double vote is reported, and nobody honest is accused
  | 'L1' // finality comes back soon after the faults end
  | 'L3' // without a quorum the view stands still
  | 'L4' // a transaction that an honest node knows becomes final
  | 'L5' // an idle network is silent
  | 'L6' // n transactions far apart make at most n blocks
  | 'L7' // nothing grows without bound
  | 'halt' // an honest authority stops although few enough are faulty
  | 'order' // the machine asks its shell for what cannot be done

export class Violation extends Error {
  readonly invariant: Invariant

  constructor(invariant: Invariant, detail: string) {
    super(`${invariant}: ${detail}`)
    this.invariant = invariant
  }
}
