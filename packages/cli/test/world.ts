// A command line run in this process: real commands, a temporary folder, and a real API server over the
// in-memory node where one is needed.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startApi } from '@mooring/api'
import { catalogEntry } from '@mooring/node'
import { OPEN_ACCESS } from '../../api/test/open-access.ts'
import { MemoryNode } from '../../api/test/memory-node.ts'
import { checkDocuments } from './json-documents.ts'
import { type Context, runCli, type Sink, type StartNode } from '../src/index.ts'

export type Ran = { code: number; stdout: string; stderr: string; bytes: Uint8Array }

export type World = {
  folder: string
  run: (line: string | string[], rest?: RunOptions) => Promise<Ran>
}

export type RunOptions = {
  env?: Record<string, string>
  stdin?: string
  isTty?: boolean
  startNode?: StartNode
  onInterrupt?: Context['onInterrupt']
  onBundle?: NonNullable<Context['onBundle']>
  onReload?: NonNullable<Context['onReload']>
  askSecret?: Context['askSecret']
  patienceMs?: number
  onWrite?: () => void
}

export const NOW = new Date('2026-11-20T09:30:00Z')

function memorySink(isTTY: boolean, hear: () => void): Sink & { content: () => Uint8Array } {
  const chunks: Uint8Array[] = []
  return {
    isTTY,
    write: (chunk) => {
      hear()
      return chunks.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk)
    },
    content: () => Buffer.concat(chunks),
  }
}

function once(content: string): AsyncIterable<Uint8Array> {
  return ReadableStream.from([Buffer.from(content)])
}

const text = (sink: { content: () => Uint8Array }) => Buffer.from(sink.content()).toString('utf8')

export async function runIn(
  folder: string,
  line: string | string[],
  options: RunOptions = {},
): Promise<Ran> {
  const argv = typeof line === 'string' ? line.split(' ').filter((word) => word !== '') : line
  const stdout = memorySink(options.isTty === true, options.onWrite ?? (() => {}))
  const stderr = memorySink(options.isTty === true, () => {})
  const code = await runCli(argv, {
    stdout,
    stderr,
    stdin: once(options.stdin ?? ''),
    env: { HOME: folder, ...options.env },
    cwd: folder,
    now: () => NOW,
    askSecret: options.askSecret,
    ...(options.patienceMs !== undefined && { patienceMs: options.patienceMs }),
    passphraseCost: { N: 1_024, r: 8, p: 1 },
    ...(options.onBundle === undefined ? {} : { onBundle: options.onBundle }),
    ...(options.onReload === undefined ? {} : { onReload: options.onReload }),
    onInterrupt: options.onInterrupt ?? (() => () => undefined),
    startNode: options.startNode ?? (() => assert.fail('no node is to be started here')),
  })
  const bytes = stdout.content()
  checkDocuments(argv, text(stdout))
  return { code, stdout: text(stdout), stderr: text(stderr), bytes }
}

export async function inWorld(scenario: (world: World) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'mooring-cli-'))
  try {
    await scenario({ folder, run: (line, rest) => runIn(folder, line, rest) })
  } finally {
    rmSync(folder, { recursive: true })
  }
}

export type NodeWorld = World & { node: MemoryNode; url: string; metricsUrl: string }

// The same with a node, which the commands find through MOORING_ENDPOINT.
export function withNode(scenario: (world: NodeWorld) => Promise<void>): Promise<void> {
  return inWorld((world) => serve(world, new MemoryNode(), scenario))
}

export async function serve<N extends MemoryNode>(
  { folder }: World,
  node: N,
  scenario: (world: World & { node: N; url: string; metricsUrl: string }) => Promise<void>,
): Promise<void> {
  const api = await startApi(
    {
      listen: '127.0.0.1:0',
      metricsListen: '127.0.0.1:0',
      hostNames: [],
      catalogue: catalogEntry,
      access: OPEN_ACCESS,
      cursorKey: new Uint8Array(32).fill(7),
      limits: { closeTimeoutMs: 200 },
    },
    node,
  )
  const run: World['run'] = (line, rest = {}) =>
    runIn(folder, line, { ...rest, env: { MOORING_ENDPOINT: api.url, ...rest.env } })
  try {
    await scenario({ folder, run, node, url: api.url, metricsUrl: api.metricsUrl ?? '' })
  } finally {
    await api.close()
  }
}
