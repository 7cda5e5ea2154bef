import assert from 'node:assert/strict'
import { mkdir, readdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { toHex } from '@mooring/codec'
import { decodeCertificate, encodeCertificate } from '@mooring/consensus'
import {
  chunkDigest,
  decodeBlocks,
  decodeValues,
  encodeManifest,
  exportSnapshot,
  listSnapshots,
  type SnapshotCore,
  SnapshotFile,
  type SnapshotManifest,
  snapshotPath,
  SnapshotWriter,
  ChainStore,
  openDatabase,
} from '@mooring/storage'
import { encode, list, bytesMax, struct } from '@mooring/codec'
import { leafHash, MerkleFrontier } from '@mooring/crypto'
import { genesisState } from '@mooring/ledger'
import { test } from 'uvu'
import { systemClock } from '../src/clock.ts'
import { createLogger } from '../src/logger.ts'
import { NodeError } from '../src/node-error.ts'
import { verifySnapshotFile } from '../src/offline.ts'
import { windowMsOf } from '../src/snapshot-check.ts'
import { Snapshots } from '../src/snapshots.ts'
import {
  answerSnapshotRequest,
  decodeSnapshotList,
  encodeSnapshotRequest,
  type SnapshotRequest,
} from '../src/snapshot-exchange.ts'
import { fetchSnapshot, type SnapshotSource } from '../src/snapshot-fetch.ts'
import { importSnapshot } from '../src/snapshot-import.ts'
import { readHeader } from '../src/stores.ts'
import { MadeChain, type MadeOptions } from './made-chain.ts'

const blocksSchema = list(bytesMax(8 << 20), 1 << 20)
const valuesSchema = list(struct({ key: bytesMax(255), value: bytesMax(1 << 20) }), 1 << 20)

interface Taken {
  made: MadeChain
  folder: string
  height: number
}

/** A chain with two ended epochs, and a snapshot of its newest block. */
async function withSnapshot(
  work: (taken: Taken) => Promise<void>,
  growth: { blocks: number } & MadeOptions = { blocks: 40 },
): Promise<void> {
  const made = await MadeChain.open({ expiryWindowMs: 2_000 })
  try {
    const { blocks, ...options } = growth
    await made.grow(blocks, options)
    await made.endEpoch({ quotaPerMinute: 900_000 })
    await made.grow(5)
    await made.endEpoch({ quotaPerMinute: 800_000 })
    await made.grow(5)
    const folder = join(made.folder, 'snapshots')
    await take(made, folder)
    await work({ made, folder, height: made.height })
  } finally {
    await made.remove()
  }
}

async function take(made: MadeChain, folder: string): Promise<SnapshotManifest> {
  const pinned = await made.chain.pin()
  const { height } = pinned.tip
  try {
    return await exportSnapshot(pinned, {
      folder,
      genesisDigest: made.digest,
      windowMs: windowMsOf(pinned.state(), made.genesis),
      laterFinality: async () => {
        await made.committer.idle()
        const found = made.chain.finalizationAtOrAfter(height)
        const header = found === undefined ? undefined : made.chain.getHeader(found.height)
        assert.ok(found !== undefined && header !== undefined)
        const path = made.chain.historyPath(height, found.height)
        return { finalization: found.finalization, later: { header, path } }
      },
    })
  } finally {
    await pinned.close()
  }
}

async function openImported(made: MadeChain, dataDir: string) {
  const database = await openDatabase(join(dataDir, 'chain'), { name: 'chain' })
  const chain = await ChainStore.open(database, {
    genesis: {
      digest: made.digest,
      time: made.genesis.time,
      state: genesisState(made.genesis).values(),
    },
    decodeHeader: readHeader,
  })
  return { database, chain }
}

async function importInto(taken: Taken, dataDir: string): Promise<void> {
  const { made, folder, height } = taken
  const file = await SnapshotFile.open(snapshotPath(folder, height))
  try {
    await importSnapshot(file, { genesis: made.genesis, genesisDigest: made.digest, dataDir })
  } finally {
    await file.close()
  }
}

test('a home begins with a snapshot: same state, same window, same epochs, and nothing below', async () => {
  await withSnapshot(async (taken) => {
    const { made } = taken
    const dataDir = join(made.folder, 'new')
    await mkdir(join(dataDir, 'chain.importing'), { recursive: true })
    await writeFile(join(dataDir, 'chain.importing', 'left'), 'by an import that was cut short')
    await importInto(taken, dataDir)
    assert.deepEqual(await readdir(dataDir), ['chain'])
    const { database, chain } = await openImported(made, dataDir)
    try {
      assert.equal(toHex(chain.tip.stateRoot), toHex(made.chain.tip.stateRoot))
      assert.deepEqual(chain.epochs(), made.chain.epochs())
      const window = made.chain.recentTransactionIds(made.chain.tip.time - 1_999)
      assert.ok(window.length > 10)
      for (const { ids } of window)
        for (const id of ids)
          assert.deepEqual(chain.getTransaction(id), made.chain.getTransaction(id))
      assert.ok(chain.base > 0)
      assert.throws(() => chain.getHeader(chain.base), { code: 'pruned' })
      for (let height = chain.base + 1; height <= chain.tip.height; height += 1) {
        assert.deepEqual(chain.getBlock(height), made.chain.getBlock(height))
        assert.deepEqual(chain.getReceipts(height), made.chain.getReceipts(height))
      }
    } finally {
      await database.close()
    }
    await assert.rejects(importInto(taken, dataDir))
  })
})

test('an agreed height without a finalization of its own is shown by the next one', async () => {
  const made = await MadeChain.open({ expiryWindowMs: 2_000 })
  try {
    const folder = join(made.folder, 'snapshots')
    const taken: Promise<SnapshotManifest>[] = []
    made.taking = {
      isDue: (height) => height === 33,
      begin: () => {
        taken.push(take(made, folder))
        return Promise.resolve()
      },
    }
    await made.grow(40, { finalizedEvery: 20 })
    const [manifest] = await Promise.all(taken)
    assert.ok(manifest?.later)
    const { tip } = await verifySnapshotFile(snapshotPath(folder, 33), {
      genesis: made.genesis,
      genesisDigest: made.digest,
    })
    assert.equal(tip.height, 33)
    const { header } = manifest.core
    const other = await MadeChain.open({ expiryWindowMs: 2_000 })
    try {
      await other.grow(33)
      const same = await take(other, join(other.folder, 'snapshots'))
      assert.deepEqual(same.core.header, header)
      assert.equal(toHex(same.digest), toHex(manifest.digest), 'whoever certified it, and how')
    } finally {
      await other.remove()
    }
  } finally {
    await made.remove()
  }
})

type Parts = {
  core: SnapshotCore
  finality: Omit<SnapshotManifest, 'core' | 'digest'>
  chunks: Uint8Array[]
}

/** The snapshot with something changed, digests made to fit where a forger can make them fit. */
async function forge(taken: Taken, change: (parts: Parts) => void): Promise<string> {
  const file = await SnapshotFile.open(snapshotPath(taken.folder, taken.height))
  const { core, digest: _digest, ...finality } = file.manifest
  const chunks: Uint8Array[] = []
  for (let index = 0; index < file.chunkCount; index += 1) chunks.push(await file.chunk(index))
  await file.close()
  const parts = { core: structuredClone(core), finality: structuredClone(finality), chunks }
  change(parts)
  const folder = join(taken.made.folder, 'forged')
  const writer = await SnapshotWriter.open(folder, taken.height)
  for (const chunk of parts.chunks) await writer.append(chunk)
  await writer.finish(encodeManifest(parts.core, parts.finality))
  return snapshotPath(folder, taken.height)
}

function rewrite(parts: Parts, index: number, chunk: Uint8Array): void {
  parts.chunks[index] = chunk
  const { stateChunks, blockChunks } = parts.core
  const entry = { digest: chunkDigest(chunk), bytes: chunk.length }
  if (index < stateChunks.length) stateChunks[index] = entry
  else blockChunks[index - stateChunks.length] = entry
}

function changeBlocks(parts: Parts, change: (blocks: Uint8Array[]) => Uint8Array[]): void {
  const index = parts.core.stateChunks.length
  const chunk = parts.chunks[index] ?? new Uint8Array(0)
  rewrite(parts, index, encode(blocksSchema, change(decodeBlocks(chunk))))
}

function changeValues(
  parts: Parts,
  change: (values: ReturnType<typeof decodeValues>) => void,
): void {
  const values = decodeValues(parts.chunks[0] ?? new Uint8Array(0))
  change(values)
  rewrite(parts, 0, encode(valuesSchema, values))
}

function flip(bytes: Uint8Array | undefined, at: number): Uint8Array {
  const changed = (bytes ?? new Uint8Array(1)).slice()
  changed[at] = (changed[at] ?? 0) ^ 1
  return changed
}

function forgeSignature(encoded: Uint8Array): Uint8Array {
  const { signatures, ...rest } = decodeCertificate(encoded)
  return encodeCertificate({
    ...rest,
    signatures: signatures.map((signature, index) =>
      index === 0 ? flip(signature, 9) : signature,
    ),
  })
}

function frontierBelow(made: MadeChain, height: number): Uint8Array[] {
  const frontier = MerkleFrontier.from(0, [])
  frontier.append(leafHash(made.digest))
  for (let at = 1; at < height; at += 1) {
    const header = made.chain.getHeader(at)
    assert.ok(header)
    frontier.append(leafHash(readHeader(header).digest))
  }
  return frontier.hashes
}

const FORGERIES: [check: string, what: string, change: (parts: Parts, made: MadeChain) => void][] =
  [
    [
      'network',
      'another genesis',
      ({ core }) => void (core.genesisDigest = flip(core.genesisDigest, 0)),
    ],
    [
      'manifest',
      'a frontier of another size',
      ({ core }) => void core.frontier.push(new Uint8Array(32)),
    ],
    ['manifest', 'a base above the block', ({ core }) => void (core.base.height = 10_000)],
    ['epochs', 'an epoch left out', ({ finality }) => void finality.epochs.shift()],
    [
      'epochs',
      'an epoch too many',
      ({ finality }) => void finality.epochs.push(...finality.epochs),
    ],
    [
      'epochs',
      'an end of epoch that nobody signed',
      ({ finality }) => {
        const [first] = finality.epochs
        if (first !== undefined) first.finalization = forgeSignature(first.finalization)
      },
    ],
    [
      'epochs',
      'another set of authorities',
      ({ finality }) => {
        const [first] = finality.epochs
        if (first !== undefined)
          first.authoritySet = flip(first.authoritySet, first.authoritySet.length - 1)
      },
    ],
    [
      'finalization',
      'a signature that is none',
      ({ finality }) => void (finality.finalization = forgeSignature(finality.finalization)),
    ],
    [
      'finalization',
      'the finalization of an earlier block',
      ({ finality, core }, made) => {
        const { height } = readHeader(core.header)
        finality.finalization = made.chain.getFinalization(height - 1) ?? new Uint8Array(0)
      },
    ],
    ['chunk', 'a byte of the state', ({ chunks }) => void (chunks[0] = flip(chunks[0], 30))],
    ['chunk', 'a chunk that is no list', (parts) => rewrite(parts, 0, Uint8Array.of(0xff))],
    [
      'state',
      'a value',
      (parts) =>
        changeValues(parts, ([first]) => void (first && (first.value = flip(first.value, 0)))),
    ],
    [
      'state',
      'a value too many',
      (parts) =>
        changeValues(
          parts,
          (values) =>
            void values.push({ key: new Uint8Array(200).fill(0xff), value: new Uint8Array(1) }),
        ),
    ],
    ['state', 'a value left out', (parts) => changeValues(parts, (values) => void values.pop())],
    [
      'state',
      'the order of values',
      (parts) => changeValues(parts, (values) => void values.push(...values.splice(0, 1))),
    ],
    ['state', 'the count of values', ({ core }) => void (core.values += 1)],
    [
      'window',
      'a hole in the window',
      (parts) => changeBlocks(parts, (blocks) => blocks.filter((_, at) => at !== 3)),
    ],
    [
      'window',
      'a window without its end',
      (parts) => changeBlocks(parts, (blocks) => blocks.slice(0, -1)),
    ],
    [
      'window',
      'a transaction in the window',
      (parts) =>
        changeBlocks(parts, ([first, ...rest]) => [flip(first, (first?.length ?? 1) - 1), ...rest]),
    ],
    [
      'window',
      'a window that is too short',
      (parts, made) => {
        const first = parts.core.base.height + 6
        changeBlocks(parts, (blocks) => blocks.slice(5))
        const digests = frontierBelow(made, first)
        const parent = made.chain.getHeader(first - 1)
        assert.ok(parent)
        parts.core.base = { height: first - 1, digest: readHeader(parent).digest }
        parts.core.frontier = digests
      },
    ],
    [
      'history',
      'what is below the window',
      ({ core }) => void (core.frontier[0] = flip(core.frontier[0], 3)),
    ],
  ]

test('every forgery is refused by the check that it names', async () => {
  await withSnapshot(async (taken) => {
    const { made } = taken
    const trust = { genesis: made.genesis, genesisDigest: made.digest }
    for (const [check, what, change] of FORGERIES) {
      const path = await forge(taken, (parts) => change(parts, made))
      await assert.rejects(
        verifySnapshotFile(path, trust),
        (error: unknown) => {
          assert.ok(error instanceof NodeError, `${what}: ${String(error)}`)
          assert.equal(error.data['check'], check, `${what}: ${JSON.stringify(error.data)}`)
          return true
        },
        what,
      )
    }
    const untouched = await forge(taken, () => undefined)
    assert.equal((await verifySnapshotFile(untouched, trust)).tip.height, made.height)
  })
})

test('of a block that ends its epoch, the end of the epoch is checked as well', async () => {
  const made = await MadeChain.open({ expiryWindowMs: 2_000 })
  try {
    await made.grow(40)
    await made.endEpoch({ quotaPerMinute: 900_000 })
    const folder = join(made.folder, 'snapshots')
    await take(made, folder)
    const trust = { genesis: made.genesis, genesisDigest: made.digest }
    const path = await forge({ made, folder, height: made.height }, ({ finality }) => {
      const last = finality.epochs.at(-1)
      assert.ok(last !== undefined)
      last.finalization = forgeSignature(last.finalization)
    })
    await assert.rejects(
      verifySnapshotFile(path, trust),
      (error: unknown) => error instanceof NodeError && error.data['check'] === 'epochs',
    )
    const good = await verifySnapshotFile(snapshotPath(folder, made.height), trust)
    assert.equal(good.tip.height, made.height)
  } finally {
    await made.remove()
  }
})

const pathOf = (path: string): Promise<string> => Promise.resolve(path)

function servedFrom(folder: string, name: string): SnapshotSource {
  const ask = (request: SnapshotRequest): Promise<Uint8Array> =>
    answerSnapshotRequest(encodeSnapshotRequest(request), folder)
  return {
    name,
    list: async () => decodeSnapshotList(await ask({ kind: 'list', body: {} })),
    manifest: (height) => ask({ kind: 'manifest', body: { height } }),
    chunk: (height, index) => ask({ kind: 'chunk', body: { height, index } }),
  }
}

test('a snapshot is fetched from several, past liars and failures, and goes on where it was cut', async () => {
  await withSnapshot(
    async (taken) => {
      const { made, folder, height } = taken
      const served: string[] = []
      const source = (
        name: string,
        chunk?: (index: number, good: Uint8Array) => Uint8Array,
      ): SnapshotSource => ({
        name,
        // The liar is quick.
        list: async () => {
          if (name !== 'liar') await new Promise((resolve) => setTimeout(resolve, 30))
          const request = encodeSnapshotRequest({ kind: 'list', body: {} })
          return decodeSnapshotList(await answerSnapshotRequest(request, folder))
        },
        manifest: (at) =>
          answerSnapshotRequest(
            encodeSnapshotRequest({ kind: 'manifest', body: { height: at } }),
            folder,
          ),
        chunk: async (at, index) => {
          served.push(`${name} ${index}`)
          const body = { height: at, index }
          const good = await answerSnapshotRequest(
            encodeSnapshotRequest({ kind: 'chunk', body }),
            folder,
          )
          return chunk?.(index, good) ?? good
        },
      })
      const bad: string[] = []
      const options = {
        genesis: made.genesis,
        genesisDigest: made.digest,
        folder: join(made.folder, 'fetched'),
        height: null,
        onProgress: () => undefined,
        onBad: (name: string, reason: string) => void bad.push(`${name}: ${reason}`),
      }
      const breaking = source('breaking', (index, good) => {
        if (index >= 1) throw new Error('gone')
        return good
      })
      await assert.rejects(fetchSnapshot([breaking], options, pathOf), {
        code: 'snapshot_unavailable',
      })
      assert.deepEqual(bad, ['breaking: gone'])
      assert.deepEqual(
        (await readdir(options.folder)).filter((name) => name.endsWith('.snapshot')),
        [],
      )
      served.length = 0
      bad.length = 0
      const path = await fetchSnapshot(
        [source('liar', (_, good) => flip(good, 5)), source('one'), source('two')],
        options,
        pathOf,
      )
      assert.deepEqual(bad, ['liar: wrong_chunk'])
      assert.ok(!served.some((each) => each.endsWith(' 0')), 'what came before is not asked again')
      assert.equal((await stat(path)).size, (await stat(snapshotPath(folder, height))).size)
      await verifySnapshotFile(path, options)
    },
    { blocks: 40, transactionsPerBlock: 20 },
  )
})

test('what more than a third tell of alike is preferred to a newer one of a single member', async () => {
  await withSnapshot(async ({ made, folder, height }) => {
    const good = servedFrom(folder, 'good')
    const asked: number[] = []
    const boasting: SnapshotSource = {
      ...good,
      name: 'boasting',
      list: () => Promise.resolve([{ height: 9_999, digest: new Uint8Array(32), bytes: 1 }]),
      manifest: (at) => {
        asked.push(at)
        return Promise.reject(new Error('none'))
      },
    }
    const fetched = join(made.folder, 'fetched')
    const path = await fetchSnapshot(
      [boasting, good, { ...good, name: 'other' }],
      {
        genesis: made.genesis,
        genesisDigest: made.digest,
        folder: fetched,
        height: null,
        onProgress: () => undefined,
        onBad: () => undefined,
      },
      pathOf,
    )
    assert.equal(path, snapshotPath(fetched, height))
    assert.deepEqual(asked, [])
  })
})

test('a forged snapshot is found out at its end, and is not in the way of the good one', async () => {
  await withSnapshot(async (taken) => {
    const { made, folder, height } = taken
    await forge(taken, (parts) => changeValues(parts, (values) => void values.pop()))
    const forged = join(made.folder, 'forged')
    const dataDir = join(made.folder, 'newcomer')
    const fetched = join(made.folder, 'fetched')
    const bad: string[] = []
    const options = {
      genesis: made.genesis,
      genesisDigest: made.digest,
      folder: fetched,
      height: null,
      onProgress: () => undefined,
      onBad: (name: string, reason: string) => void bad.push(`${name}: ${reason}`),
    }
    const read = async (path: string): Promise<string> => {
      await importInto({ made, folder: fetched, height }, dataDir)
      return path
    }
    const liar = servedFrom(forged, 'liar')
    await assert.rejects(fetchSnapshot([liar], options, read), { code: 'snapshot_unavailable' })
    assert.deepEqual(bad, ['liar: snapshot_refused: state'])
    assert.deepEqual(await listSnapshots(fetched), [], 'it is served to nobody')

    await fetchSnapshot([liar], options, pathOf)
    assert.deepEqual(await listSnapshots(fetched), [height], 'held, and not yet read')
    assert.equal(
      await fetchSnapshot([servedFrom(folder, 'good')], options, read),
      snapshotPath(fetched, height),
    )
  })
})

test('one snapshot is taken at a time, also when two ask for it in the same moment', async () => {
  const made = await MadeChain.open({ expiryWindowMs: 2_000 })
  try {
    await made.grow(5)
    const { genesis, digest: genesisDigest, chain } = made
    const logger = createLogger({ levels: { base: 'silent', modules: {} }, format: 'json' })
    const snapshots = new Snapshots(
      { folder: join(made.folder, 'snapshots'), genesis, genesisDigest },
      { chain, clock: systemClock, logger, isBehind: () => false },
    )
    const asked = await Promise.allSettled([snapshots.create(), snapshots.create()])
    assert.deepEqual(
      asked.map(({ status }) => status),
      ['fulfilled', 'rejected'],
    )
    assert.equal((await snapshots.list()).length, 1)
    assert.equal((await snapshots.create()).height, made.height)
  } finally {
    await made.remove()
  }
})

test.run()
