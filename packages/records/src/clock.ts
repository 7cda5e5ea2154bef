// How far the clocks of two organisations may differ before one takes the other's time for wrong.

export const CLOCK_SKEW_MS = 60_000
