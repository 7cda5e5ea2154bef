// The ways in which a node of a rehearsal misbehaves; `rehearsal.ts` says what each does.

export const BEHAVIOURS = ['equivocate', 'withhold', 'flood', 'lie'] as const

export type Behaviour = (typeof BEHAVIOURS)[number]
