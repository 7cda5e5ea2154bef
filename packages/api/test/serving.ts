/** A real listener on a free port over the in-memory node, and a client for it. */

import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { ApiProblem, type Client, createClient } from '../src/client.ts'
import type { CatalogueEntry, ProblemDocument } from '../src/errors.ts'
import { type ApiLimits, type ApiServer, type ObservedRequest, startApi } from '../src/index.ts'
import { OPEN_ACCESS } from './open-access.ts'
import { MemoryNode } from './memory-node.ts'

export interface World {
  node: MemoryNode
  api: ApiServer
  client: Client
  logged: { sentence: string; fields: Record<string, unknown> }[]
  observed: ObservedRequest[]
}

const CATALOGUE: Readonly<Record<string, CatalogueEntry>> = {
  bad_signature: { mor: 'MOR-4030', title: 'The signature is wrong', status: 422 },
  mempool_full: { mor: 'MOR-4031', title: 'The mempool is full', status: 503 },
  unknown_block: { mor: 'MOR-4007', title: 'No final block has this name', status: 404 },
  patient_request_malformed: { mor: 'MOR-5500', title: 'It is no signature', status: 401 },
  full: { mor: 'MOR-1012', title: 'The disk is full', status: 507 },
}

export async function serving(
  scenario: (world: World) => Promise<void>,
  limits: Partial<ApiLimits> = {},
): Promise<void> {
  const node = new MemoryNode()
  const logged: World['logged'] = []
  const observed: ObservedRequest[] = []
  const api = await startApi(
    {
      listen: '127.0.0.1:0',
      metricsListen: '127.0.0.1:0',
      patientsListen: '127.0.0.1:0',
      hostNames: ['ledger.st-mary.example'],
      catalogue: (code) => CATALOGUE[code],
      access: OPEN_ACCESS,
      cursorKey: new Uint8Array(32).fill(7),
      limits: { closeTimeoutMs: 200, ...limits },
      log: (_level, sentence, fields) => logged.push({ sentence, fields }),
      observe: (request) => observed.push(request),
    },
    node,
  )
  try {
    await scenario({ node, api, client: createClient(api.url), logged, observed })
  } finally {
    await api.close()
  }
}

/** The problem a promise is rejected with. */
export async function problemOf(answer: Promise<unknown>): Promise<ApiProblem> {
  try {
    await answer
  } catch (error) {
    assert.ok(error instanceof ApiProblem, String(error))
    return error
  }
  return assert.fail('no problem')
}

/** Checks the form that every refusal has, and gives its document. */
export async function refusal(response: Response, status: number): Promise<ProblemDocument> {
  assert.equal(response.status, status)
  assert.match(response.headers.get('content-type') ?? '', /^application\/problem\+json/)
  assert.equal(response.headers.get('cache-control'), 'no-store')
  const problem: ProblemDocument = JSON.parse(await response.text())
  assert.equal(problem.status, status)
  assert.match(problem.instance, /^urn:uuid:[0-9a-f-]{36}$/)
  for (const text of [problem.type, problem.title, problem.detail, problem.code]) {
    assert.ok(text.length > 0)
  }
  assert.doesNotMatch(JSON.stringify(problem), /\.ts:|at async|node_modules/)
  return problem
}

/** What comes back for bytes that no well-behaved client sends. */
export async function rawAnswer(url: string, request: string): Promise<string> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  socket.write(request)
  return readAll(socket)
}

export async function readAll(socket: Socket): Promise<string> {
  let text = ''
  for await (const chunk of socket) text += String(chunk)
  return text
}

/** Lets the event loop turn until something holds; fails when it does not for long. */
export async function until(holds: () => boolean): Promise<void> {
  const deadline = performance.now() + 10_000
  while (!holds()) {
    assert.ok(performance.now() < deadline, `still not: ${holds.toString()}`)
    await new Promise(setImmediate)
  }
}
