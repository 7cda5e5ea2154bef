// How the story is told: each chapter says what happens, shows the commands that a person types with what
// they answer, and then what of it all is on the chain.
//
// A command that ends otherwise than told ends the story. Long answers are cut for the eye; what a
// chapter checks it checks in the whole.

import assert from 'node:assert/strict'
import { performance } from 'node:perf_hooks'
import { runMooring } from './command.ts'
import type { Devnet, DevnetNode } from './devnet.ts'
import { eventually } from './eventually.ts'

type Told = { stdout: string; stderr: string; milliseconds: number }

// Whose hands are on the keyboard: with a wallet of their own, or at a hospital's node.
export type Person = { name: string; wallet?: string; node?: DevnetNode }

type Telling = {
  // How it must end; 0 when absent.
  code?: number
  // What must stand in what it says.
  says?: readonly (string | RegExp)[]
  stdin?: string
  // Long answers are cut behind so many lines.
  lines?: number
}

export type Teller = {
  chapter: (title: string, ...sentences: string[]) => void
  say: (sentence: string) => void
  type: (who: Person, line: string | readonly string[], telling?: Telling) => Promise<Told>
  // What came onto the chain since the chapter before, as any member sees it.
  chain: () => Promise<ChainLine[]>
}

export type ChainLine = { height: number; kind: string; body: Record<string, unknown> }

const LINES = 14
const WIDTH_MAX = 116
// On a clock, whatever happens.
const CLOCKWORK: readonly string[] = ['record.anchor', 'access.log']
const TRANSACTIONS_MAX = 2_000

export function createTeller(
  devnet: Devnet,
  write: (text: string) => void,
  witness: () => DevnetNode,
): Teller {
  let height = 0
  let chapters = 0
  const say = (sentence: string): void => write(`   ${sentence}\n`)
  return {
    say,
    chapter: (title, ...sentences) => {
      chapters += 1
      write(`\n${chapters}. ${title}\n`)
      for (const sentence of sentences) say(sentence)
    },
    type: async (who, line, { code = 0, says = [], stdin, lines = LINES } = {}) => {
      const words = typeof line === 'string' ? line.split(' ') : line
      write(`   ${who.name} $ mooring ${words.map(shown).join(' ')}\n`)
      const env = environmentOf(who)
      const started = performance.now()
      const ended = await runMooring(words, devnet.folder, {
        env,
        ...(stdin !== undefined && { stdin }),
      })
      const milliseconds = performance.now() - started
      const { stdout, stderr } = ended
      const whole = `${stdout}${stderr}`
      write(cut(whole, lines))
      assert.equal(ended.code, code, `mooring ${words.join(' ')}\n${whole}`)
      for (const part of says) {
        const isSaid = typeof part === 'string' ? whole.includes(part) : part.test(whole)
        assert.ok(isSaid, `mooring ${words.join(' ')} does not say ${String(part)}:\n${whole}`)
      }
      return { stdout, stderr, milliseconds }
    },
    chain: async () => {
      const { lines, tip } = await linesSince(witness(), height)
      height = tip
      tell(lines, write)
      return lines
    },
  }
}

function environmentOf({ wallet, node }: Person): Record<string, string> {
  return {
    ...(wallet !== undefined && {
      MOORING_WALLET: wallet,
      MOORING_WALLET_PASSPHRASE_FILE: 'passphrase',
    }),
    ...(node !== undefined && { MOORING_ENDPOINT: node.api }),
  }
}

async function linesSince(
  { client }: DevnetNode,
  height: number,
): Promise<{ lines: ChainLine[]; tip: number }> {
  const tip = (await client.status()).chain.height
  const lines: ChainLine[] = []
  for (let at = height + 1; at <= tip; at += 1) {
    const { transactions } = await client.block(at)
    for (const id of transactions) {
      if (lines.length === TRANSACTIONS_MAX) return { lines, tip }
      const found = await eventually(`transaction ${id}`, 10_000, () => client.transaction(id))
      lines.push({ height: at, kind: found.kind, body: found.body })
    }
  }
  return { lines, tip }
}

function tell(lines: readonly ChainLine[], write: (text: string) => void): void {
  write('   on the chain:\n')
  for (const { height, kind, body } of lines) {
    if (CLOCKWORK.includes(kind)) continue
    const members = Object.entries(body).map(([name, value]) => `${name} ${short(value)}`)
    write(`${`     block ${height}  ${kind}  ${members.join(', ')}`.slice(0, WIDTH_MAX)}\n`)
  }
  for (const kind of CLOCKWORK) {
    const count = lines.filter((line) => line.kind === kind).length
    if (count > 0) write(`     ${count} × ${kind}: a root of commitments, topped up with dummies\n`)
  }
  if (lines.length === 0) write('     nothing\n')
}

function short(value: unknown): string {
  if (typeof value !== 'string') return JSON.stringify(value)
  return /^[0-9A-Za-z_-]{32,}$/.test(value) ? `${value.slice(0, 8)}…` : value
}

function shown(word: string): string {
  const brief = word.length > 60 ? `${word.slice(0, 40)}…` : word
  return /^[\w./:=…@,-]+$/.test(brief) ? brief : `"${brief}"`
}

function cut(text: string, linesMax: number): string {
  const lines = text.trimEnd().split('\n')
  const kept = lines.slice(0, linesMax).map((line) => `   | ${line.slice(0, WIDTH_MAX)}\n`)
  if (lines.length > linesMax) kept.push(`   | … ${lines.length - linesMax} more lines\n`)
  return text.trim() === '' ? '' : kept.join('')
}
