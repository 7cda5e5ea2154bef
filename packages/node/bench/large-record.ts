/*
 * A large image through one process: sealed as it comes, split 3 of 5 into blobs on this disk, then
 * opened and checked from three of them with the first two gone, so that every segment is computed. What
 * is printed is the speed, and the most memory that the process ever had.
 *
 *   npm run bench -- large-record
 *   npx node packages/node/bench/large-record.ts 4096        (MiB)
 */
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  fragmentBytesOf,
  fragmentOffsetOf,
  type Manifest,
  RecordOpener,
  RecordSealer,
  type SealedSegment,
  type ShardSet,
} from '@mooring/records'
import { type BlobWriter, LocalBlobs } from '@mooring/storage'

const MIB = 1024 ** 2
const size = Number(process.argv[2] ?? 1024) * MIB
const CHUNK_BYTES = 64 * 1024

const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length))
const split = { k: 3, n: 5 }

/** Bytes that nothing compresses, and that are made faster than they are sealed. */
function* image(): Generator<Uint8Array> {
  const block = random(CHUNK_BYTES)
  for (let at = 0; at < size; at += CHUNK_BYTES) {
    new DataView(block.buffer).setFloat64(0, at)
    yield block
  }
}

function rssMib(): number {
  return process.memoryUsage().rss / MIB
}

function report(what: string, start: number, cpu: NodeJS.CpuUsage): void {
  const seconds = (performance.now() - start) / 1000
  const { user, system } = process.cpuUsage(cpu)
  console.log(
    `${what.padEnd(8)} ${(size / MIB / seconds).toFixed(0).padStart(5)} MiB/s, ` +
      `${((user + system) / 1e6).toFixed(1)} s of processor time, ` +
      `RSS ${rssMib().toFixed(0)} MiB, at most ${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MiB`,
  )
}

async function write(writers: readonly BlobWriter[], { fragments }: SealedSegment): Promise<void> {
  await Promise.all(fragments.map(async (fragment, index) => await writers[index]?.write(fragment)))
}

async function sealInto(blobs: LocalBlobs): Promise<{ set: ShardSet; contents: Manifest }> {
  const sealer = new RecordSealer(random(32), {
    custodian: 'st-anna',
    split,
    classKey: random(32),
    random,
  })
  const writers: BlobWriter[] = []
  const take = async (segment: SealedSegment): Promise<void> => {
    for (const fragment of writers.length === 0 ? segment.fragments : []) {
      writers.push(await blobs.createUnnamed(fragment.length))
    }
    await write(writers, segment)
  }
  for (const chunk of image()) for (const segment of sealer.push(chunk)) await take(segment)
  for (const segment of sealer.end()) await take(segment)
  for (const writer of writers) await writer.commit()
  return sealer.head({
    mediaType: 'application/dicom',
    receivedAt: 0,
    supersedes: null,
    sequence: 1,
    eventAt: '2020-02-29T10:00:00.000+01:00',
    isMistake: 0,
    facts: { patientKey: random(32), class: 'imaging' },
    patient: 'anybody',
    submission: random(32),
    dedupe: random(32),
  })
}

async function openFrom(blobs: LocalBlobs, set: ShardSet, contents: Manifest): Promise<void> {
  const opener = RecordOpener.create(set, contents)
  if (!(opener instanceof RecordOpener)) throw new Error(opener.code)
  for (let segment = 0; segment < set.segmentCount; segment += 1) {
    const from = fragmentOffsetOf(set, segment)
    const length = fragmentBytesOf(set, segment)
    const fragments = await Promise.all(
      set.leaves.map(async (leaf, index) =>
        index < 2 ? null : await blobs.read(leaf, from, length),
      ),
    )
    const part = opener.segment(fragments)
    if (!(part instanceof Uint8Array)) throw new Error(part.code)
  }
  const rest = opener.end()
  if (!(rest instanceof Uint8Array)) throw new Error(rest.code)
}

const directory = await mkdtemp(join(tmpdir(), 'mooring-large-'))
try {
  const blobs = await LocalBlobs.open({ directory })
  console.log(`${size / MIB} MiB, ${split.k} of ${split.n}; RSS before: ${rssMib().toFixed(0)} MiB`)
  const sealing = performance.now()
  const sealingCpu = process.cpuUsage()
  const { set, contents } = await sealInto(blobs)
  report('sealed', sealing, sealingCpu)
  const opening = performance.now()
  const openingCpu = process.cpuUsage()
  await openFrom(blobs, set, contents)
  report('opened', opening, openingCpu)
} finally {
  await rm(directory, { recursive: true })
}
