// Why somebody reads: the purposes of use of HL7 v3-ActReason, and which of them a permission covers.
//
// A permission for a purpose covers what stands below it, with three exceptions that must be named:
// breaking the glass, marketing, and legal use. Nobody who permits treatment means these.

const BELOW: Record<string, string> = {
  TREAT: 'CLINTRL COC ETREAT POPHLTH',
  ETREAT: 'BTG ERTREAT',
  HPAYMT: 'CLMATTCH COVAUTH COVERAGE REMITADV',
  COVERAGE: 'ELIGDTRM ELIGVER ENROLLM MILDCRG',
  HOPERAT:
    'CAREMGT DONAT FRAUD GOV HACCRED HCOMPL HDECD HDIRECT HDM HLEGAL HOUTCOMS HPRGRP HQUALIMP ' +
    'HSYSADMIN MEMADMIN MILCDM PATADMIN PATSFTY PERFMSR RECORDMGT SYSDEV TRAIN',
  HSYSADMIN: 'LABELING METAMGT',
  SYSDEV: 'HTEST',
  HRESCH: 'BIORCH CLINTRCH DSRCH POARCH TRANSRCH',
  CLINTRCH: 'CLINTRCHNPC CLINTRCHPC PRECLINTRCH',
  PATRQT: 'FAMRQT PWATRNY SUPNWK',
  PUBHLTH: 'DISASTER THREAT',
}

const PARENT = new Map<string, string>(
  Object.entries(BELOW).flatMap(([parent, children]) =>
    children.split(' ').map((child) => [child, parent] as const),
  ),
)

/** All of them, in no order that means anything. */
export const PURPOSES: readonly string[] = [
  ...new Set(['HMARKT', ...Object.keys(BELOW), ...PARENT.keys()]),
].toSorted()

const KNOWN = new Set(PURPOSES)
const NAMED_ONLY = new Set(['BTG', 'HLEGAL', 'HMARKT'])

/**
 * What a custodian may read its own records for without anybody's grant: to treat, to run the house, and
 * for the patient, or who acts for the patient, who asks for them.
 */
const IMPLICIT = ['TREAT', 'HOPERAT', 'PATRQT']

export function isPurpose(code: string): boolean {
  return KNOWN.has(code)
}

export function coversPurpose(permitted: readonly string[], asked: string): boolean {
  if (!KNOWN.has(asked)) return false
  if (permitted.includes(asked)) return true
  if (NAMED_ONLY.has(asked)) return false
  for (let above = PARENT.get(asked); above !== undefined; above = PARENT.get(above)) {
    if (permitted.includes(above)) return true
  }
  return false
}

export function isImplicitPurpose(asked: string): boolean {
  return coversPurpose(IMPLICIT, asked)
}
