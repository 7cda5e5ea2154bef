/*
 * What can be put under the same load: Mooring itself, and any engine that somebody has installed. Two halves,
 * because the client is a process of its own whose cost is not the engine's:
 *
 *   `Engine.start` runs its processes and says how to reach them, in plain data;
 *   `ClientOf` makes of that, in the client's process, what submits and what hears of final transactions.
 *
 * Another engine is a file like `cometbft.ts`, one like `cometbft-client.ts`, and a line in `engines.ts` and in
 * `clients.ts`.
 */

export interface Engine {
  readonly name: string
  /** The same, checking a signature of each transaction in every process as we do; null where nobody has it. */
  readonly checking: Engine | null
  start(options: EngineOptions): Promise<RunningEngine>
}

/**
 * What it is tuned for, where it knows a difference. `alone`: throughput again, when no node tells another of a
 * transaction before it proposes it, so that what a dead node had taken is lost with it.
 */
export type Goal = 'throughput' | 'latency' | 'alone'

export interface EngineOptions {
  readonly authorities: number
  readonly goal: Goal
}

/** Through IPC, hence plain data. */
export type Contact = { readonly engine: string } & Readonly<Record<string, unknown>>

export interface EngineUsage {
  /** Of all processes together, since their start. */
  readonly cpuSeconds: number
  /** The largest resident set that any process had. */
  readonly peakRssMiB: number
  /** In the folders of all. */
  readonly diskBytes: number
}

export interface RunningEngine {
  readonly contact: Contact
  /** What it was told that its defaults do not say, for people. */
  readonly settings: string
  usage(): Promise<EngineUsage>
  stop(): Promise<void>
}

export interface Payload {
  /** As `observe` will name it. */
  readonly id: string
  readonly bytes: Uint8Array
}

/** How many of a list were taken, from the first on; the others are to be sent again, a little later. */
export type Taken = number

export interface EngineClient {
  readonly nodes: number
  /** When what was not taken is to be sent again: what the engine asks for, where it asks. */
  readonly againMs: number
  /** Signed, each once, in the order in which that node is to get them. */
  prepare(node: number, count: number): Payload[]
  submit(node: number, payloads: readonly Payload[]): Promise<Taken>
  /** Calls back with what is final at that node, as soon as the node says so. */
  observe(node: number, onFinal: (ids: readonly string[], at: number) => void): Promise<void>
  close(): Promise<void> | void
}

export type ClientOf = (contact: Contact) => Promise<EngineClient>
