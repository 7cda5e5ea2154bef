// May a record be erased, and if not, why not and until when.
//
// The law keeps medical records for years, and a hold keeps what a court or an inquiry may ask for. What may
// not be erased on the patient's word is restricted instead: it is kept, and no grant opens it.
//
//   why it is to go     legal hold     retention runs
//   patient_request     refused        refused until its end
//   retention_over      refused        refused until its end
//   entered_in_error    refused        erased: it is no part of this patient's record
//   court_order         refused        erased; a hold is lifted first, by who knows of both

export type ErasureReason =
  | 'patient_request'
  | 'retention_over'
  | 'entered_in_error'
  | 'court_order'

/** In years; how long a class is kept where it has no number of its own is the first. */
export interface Retention {
  readonly years: number
  readonly classes: Readonly<Record<string, number>>
}

export interface ErasureQuestion {
  readonly reason: ErasureReason
  readonly class: string
  /** Unix milliseconds. */
  readonly receivedAt: number
  readonly now: number
  readonly isHeld: boolean
}

export type ErasureRefusal =
  | { readonly code: 'legal_hold'; readonly until: null }
  | { readonly code: 'retention_applies'; readonly until: number }

export function decideErasure(
  { reason, class: name, receivedAt, now, isHeld }: ErasureQuestion,
  retention: Retention,
): ErasureRefusal | undefined {
  if (isHeld) return { code: 'legal_hold', until: null }
  if (reason === 'entered_in_error' || reason === 'court_order') return undefined
  const until = yearsLater(receivedAt, yearsOf(retention, name))
  return until > now ? { code: 'retention_applies', until } : undefined
}

/** `sensitive:psy` falls under its own number, else under that of `sensitive`, else under that of all. */
export function yearsOf({ years, classes }: Retention, name: string): number {
  const [general = name] = name.split(':')
  return ownOf(classes, name) ?? ownOf(classes, general) ?? years
}

function ownOf(classes: Retention['classes'], name: string): number | undefined {
  return Object.hasOwn(classes, name) ? classes[name] : undefined
}

/** The same moment of a later year; 29 February becomes 1 March. */
function yearsLater(time: number, years: number): number {
  const date = new Date(time)
  date.setUTCFullYear(date.getUTCFullYear() + years)
  return date.getTime()
}
