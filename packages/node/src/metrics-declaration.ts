// How a metric is declared: name, help, labels, and for a histogram its buckets. What has been declared
// is known by its own list, so that the reference and the tests read the same catalogue as a scrape.

import { Counter, Gauge, Histogram, type Registry } from 'prom-client'

export const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]
export const SHORT_SECONDS = [0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1]
export const INTERVAL_SECONDS = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120]
export const BYTES = [1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304]
export const COUNTS = [0, 1, 4, 16, 64, 256, 1024, 4096, 20_000]

export interface CatalogueEntry {
  name: string
  type: 'gauge' | 'counter' | 'histogram'
  help: string
  labels: readonly string[]
}

export class Declaration {
  readonly #registry: Registry
  readonly #catalogue: CatalogueEntry[] = []

  constructor(registry: Registry) {
    this.#registry = registry
  }

  get catalogue(): readonly CatalogueEntry[] {
    return this.#catalogue
  }

  gauge<L extends string = never>(name: string, help: string, labelNames: L[] = []) {
    return new Gauge<L>(this.#declared('gauge', name, help, labelNames))
  }

  counter<L extends string = never>(name: string, help: string, labelNames: L[] = []) {
    return new Counter<L>(this.#declared('counter', name, help, labelNames))
  }

  histogram<L extends string = never>(
    name: string,
    help: string,
    buckets: number[],
    labelNames: L[] = [],
  ) {
    return new Histogram<L>({ ...this.#declared('histogram', name, help, labelNames), buckets })
  }

  #declared<L extends string>(
    type: CatalogueEntry['type'],
    local: string,
    help: string,
    labelNames: L[],
  ) {
    const name = `mooring_${local}`
    this.#catalogue.push({ name, type, help, labels: labelNames })
    return { name, help, labelNames, registers: [this.#registry] }
  }
}
