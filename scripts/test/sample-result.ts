// What a run of a benchmark leaves, with figures of a test's choice.

import type { BenchResult, Figure } from '../bench/figures.ts'

export function sampleResult(figures: Figure[]): BenchResult {
  return {
    bench: 'consensus',
    what: 'real processes',
    command: 'npm run bench -- consensus',
    runs: 3,
    isQuick: false,
    machine: {
      cpu: 'a CPU',
      cores: 2,
      memoryGiB: 4,
      system: 'linux',
      node: 'v24',
      commit: 'abcdef',
      date: '2026-01-01T00:00:00Z',
    },
    figures,
    notes: ['The clients are on the same cores.'],
  }
}
