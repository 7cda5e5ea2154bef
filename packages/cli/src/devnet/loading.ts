// Hospitals at work: one made-up measurement after another, to all nodes that run in turn, at a steady
// rate. What a node acknowledged is remembered beside the devnet, for `devnet check` to ask for.

import { setTimeout as pause } from 'node:timers/promises'
import { ApiProblem, createClient } from '@mooring/api/client'
import type { Context } from '../context.ts'
import { remember } from './acknowledge.ts'
import {
  activeNodes,
  type DevnetNodeState,
  type DevnetState,
  isRunning,
  readDevnetState,
} from './state.ts'

export type LoadReport = {
  submitted: number
  final: number
  // Accepted, and not final when the load ended or the wait was over.
  open: number
  refused: Record<string, number>
  // Not sent, because too many were on the way.
  heldBack: number
  // From the submission to finality.
  finalP50Ms: number | null
  finalP95Ms: number | null
}

const ON_THE_WAY_MAX = 128
const FINAL_MS = 30_000
const TIMES_KEPT = 10_000
const LOOK_S = 1
const FHIR = { contentType: 'application/fhir+json', waitMs: FINAL_MS }

export function measurement(count: number): Uint8Array {
  const resource = {
    resourceType: 'Observation',
    status: 'final',
    code: { coding: [{ system: 'http://loinc.org', code: '8867-4', display: 'Heart rate' }] },
    subject: { reference: `Patient/load-${count % 100}` },
    effectiveDateTime: '2026-11-20T09:00:00Z',
    valueQuantity: { value: 40 + (count % 100), unit: '/min' },
    identifier: [{ system: 'urn:mooring:load', value: String(count) }],
  }
  return Buffer.from(JSON.stringify(resource))
}

/** Nobody gives a record to a hospital that is down, stands still or misbehaves on purpose. */
async function nodesAtWork(dir: string): Promise<DevnetNodeState[]> {
  const state = await readDevnetState(dir)
  const nodes: DevnetNodeState[] = []
  for (const node of state === null ? [] : activeNodes(state)) {
    const isAtWork = node.isPaused !== true && node.behaviour === undefined
    if (isAtWork && (await isRunning(node))) nodes.push(node)
  }
  return nodes
}

export class Loading {
  readonly #state: DevnetState
  readonly #context: Context
  readonly #onTheWay = new Set<Promise<void>>()
  readonly #timesMs: number[] = []
  readonly #refused: Record<string, number> = {}
  #count: number
  #submitted = 0
  #final = 0
  #open = 0
  #heldBack = 0

  constructor(state: DevnetState, context: Context) {
    this.#state = state
    this.#context = context
    // Another run of the same devnet sends other measurements.
    this.#count = context.now().getTime()
  }

  /** Until it is stopped; then what is on the way is waited for. */
  async run(perSecond: number, stop: AbortSignal): Promise<LoadReport> {
    const startedAt = performance.now()
    let due = 0
    let lookAt = 0
    let nodes: DevnetNodeState[] = []
    while (!stop.aborted) {
      const elapsed = (performance.now() - startedAt) / 1_000
      if (elapsed >= lookAt) {
        lookAt = elapsed + LOOK_S
        nodes = await nodesAtWork(this.#state.dir)
      }
      for (; due < elapsed * perSecond && !stop.aborted; due += 1) this.#send(nodes)
      await pause(1_000 / Math.min(50, Math.max(1, perSecond)), undefined, { signal: stop }).catch(
        () => undefined,
      )
    }
    await Promise.all(this.#onTheWay)
    return this.report()
  }

  report(): LoadReport {
    const sorted = this.#timesMs.toSorted((a, b) => a - b)
    const at = (share: number) => sorted[Math.floor(sorted.length * share)]
    return {
      submitted: this.#submitted,
      final: this.#final,
      open: this.#open,
      refused: { ...this.#refused },
      heldBack: this.#heldBack,
      finalP50Ms: rounded(at(0.5)),
      finalP95Ms: rounded(at(0.95)),
    }
  }

  #send(nodes: readonly DevnetNodeState[]): void {
    const node = nodes[this.#count % Math.max(1, nodes.length)]
    if (node === undefined) return
    if (this.#onTheWay.size >= ON_THE_WAY_MAX) {
      this.#heldBack += 1
      return
    }
    this.#count += 1
    const sent = this.#submit(node, measurement(this.#count)).finally(() =>
      this.#onTheWay.delete(sent),
    )
    this.#onTheWay.add(sent)
  }

  async #submit(node: DevnetNodeState, body: Uint8Array): Promise<void> {
    const client = createClient(node.api, { timeoutMs: FINAL_MS })
    const startedAt = performance.now()
    this.#submitted += 1
    try {
      const { records } = await client.submitRecords(body, FHIR)
      await remember(this.#context, this.#state.dir, node, records)
      const isFinal = records.every(({ height }) => height !== null)
      if (isFinal) this.#noteFinal(performance.now() - startedAt)
      else this.#open += 1
    } catch (error) {
      // A node that is down, busy or cut off has promised nothing.
      if (!(error instanceof ApiProblem)) throw error
      this.#refused[error.code] = (this.#refused[error.code] ?? 0) + 1
    }
  }

  #noteFinal(ms: number): void {
    this.#final += 1
    if (this.#timesMs.length < TIMES_KEPT) this.#timesMs.push(ms)
    else this.#timesMs[this.#final % TIMES_KEPT] = ms
  }
}

function rounded(ms: number | undefined): number | null {
  return ms === undefined ? null : Math.round(ms)
}
