// Verifies a proof that it is given on its standard input, again and again; tells how long each time took.

import { fromHex } from '@mooring/codec'
import { text } from 'node:stream/consumers'
import { verifyRecordProof } from '../src/verify.ts'

export interface Asked {
  readonly document: string
  readonly file: string
  readonly genesisDigest: string
  readonly rounds: number
}

/** In milliseconds. */
export interface Answered {
  readonly first: number
  readonly others: readonly number[]
}

const { document, file, genesisDigest, rounds }: Asked = JSON.parse(await text(process.stdin))
const raw = fromHex(file)
const trust = { genesisDigest: fromHex(genesisDigest) }
const verify = (): number => {
  const began = performance.now()
  const result = verifyRecordProof(document, trust, raw)
  const ms = performance.now() - began
  if (!result.ok) throw new Error(`the proof does not hold: ${JSON.stringify(result)}`)
  return ms
}
const answered: Answered = { first: verify(), others: Array.from({ length: rounds }, verify) }
process.stdout.write(JSON.stringify(answered))
