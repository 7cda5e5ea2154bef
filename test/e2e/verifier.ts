// The other end of the offline verifier: questions in order, answers in the same order.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { ProofVerification } from '@mooring/api/verify'
import { commandEnvironment } from './command.ts'

const PROGRAM = fileURLToPath(new URL('offline-verifier.ts', import.meta.url))

export type Verifier = {
  verify: (proof: string, record: Uint8Array) => Promise<ProofVerification>
  close: () => Promise<void>
}

export function startVerifier(genesisFile: string, folder: string): Verifier {
  const child = spawn(process.execPath, [PROGRAM, genesisFile], {
    cwd: folder,
    env: commandEnvironment(),
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const waiting: PromiseWithResolvers<ProofVerification>[] = []
  createInterface({ input: child.stdout }).on('line', (line) => {
    waiting.shift()?.resolve(JSON.parse(line))
  })
  const exit = once(child, 'exit').then(() => {
    for (const { reject } of waiting) reject(new Error('the verifier ended'))
  })
  return {
    verify(proof, record) {
      const question = { proof, record: Buffer.from(record).toString('base64') }
      const answer = Promise.withResolvers<ProofVerification>()
      waiting.push(answer)
      child.stdin.write(`${JSON.stringify(question)}\n`)
      return answer.promise
    },
    async close() {
      child.stdin.end()
      await exit
    },
  }
}
