/** Which world a seed is run in, when both take part in a campaign. */
export type WorldName = 'core' | 'whole'
export type WorldChoice = WorldName | 'both'

/** A whole node costs a hundred times what its state machine does. */
const ONE_WHOLE_IN = 8

export function isWorldChoice(text: string): text is WorldChoice {
  return text === 'core' || text === 'whole' || text === 'both'
}

export function worldOf(seed: number, choice: WorldChoice): WorldName {
  if (choice !== 'both') return choice
  return seed % ONE_WHOLE_IN === 0 ? 'whole' : 'core'
}
