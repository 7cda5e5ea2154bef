/*
 * A large image through one process: sealed as it comes, split 3 of 5 into blobs on this disk, then
 * opened and checked from three of them with the first two gone, so that every segment is computed. What
 * is given is the speed, and the most memory that the process ever had.
 *
 *   npm run bench -- large-record [--mib 4096]
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
import { type Give, runBench } from '../../../scripts/bench/program.ts'

const MIB = 1024 ** 2
const CHUNK_BYTES = 64 * 1024

const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length))
const split = { k: 3, n: 5 }

/** Bytes that nothing compresses, and that are made faster than they are sealed. */
function* image(size: number): Generator<Uint8Array> {
  const block = random(CHUNK_BYTES)
  for (let at = 0; at < size; at += CHUNK_BYTES) {
    new DataView(block.buffer).setFloat64(0, at)
    yield block
  }
}

/** The speed of it, and what it cost. */
async function timed<T>(
  { what, size, give }: { what: string; size: number; give: Give },
  work: () => Promise<T>,
): Promise<T> {
  const began = performance.now()
  const cpu = process.cpuUsage()
  const made = await work()
  const { user, system } = process.cpuUsage(cpu)
  give(what, 'MiB/s', size / MIB / ((performance.now() - began) / 1_000))
  give(`${what}, CPU`, 's', (user + system) / 1e6)
  give(`${what}, peak RSS`, 'MiB', process.resourceUsage().maxRSS / 1024)
  return made
}

async function write(writers: readonly BlobWriter[], { fragments }: SealedSegment): Promise<void> {
  await Promise.all(fragments.map(async (fragment, index) => await writers[index]?.write(fragment)))
}

async function sealInto(
  blobs: LocalBlobs,
  size: number,
): Promise<{ set: ShardSet; contents: Manifest }> {
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
  for (const chunk of image(size)) for (const segment of sealer.push(chunk)) await take(segment)
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

await runBench({
  name: 'large-record',
  what: 'one large record sealed, split, opened',
  options: { mib: 1_024 },
  quick: { mib: 16 },
  runs: 1,
  run: async ({ options, give, note }) => {
    const size = options.mib * MIB
    const directory = await mkdtemp(join(tmpdir(), 'mooring-large-'))
    try {
      const blobs = await LocalBlobs.open({ directory })
      note(`${options.mib} MiB, ${split.k} of ${split.n}, opened without the first two shards.`)
      const sealing = { what: 'sealed', size, give }
      const { set, contents } = await timed(sealing, () => sealInto(blobs, size))
      await timed({ what: 'opened', size, give }, () => openFrom(blobs, set, contents))
    } finally {
      await rm(directory, { recursive: true })
    }
  },
})
