// The program of a hospital of a devnet that votes through a signer: `node with-signer.ts <home of the
// signer> <words>` is what `mooring <words>` is, with a signer in a process beside it. However this
// process ends, the signer notices that the channel between them is closed, and ends as well.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { startNode } from '../load-node.ts'
import { runProcess } from '../process.ts'
import type { StartNode } from '../start-node.ts'

const SIGNER = 'signer'

function startSigner(home: string): ChildProcess {
  const self = fileURLToPath(import.meta.url)
  const serving = [self, SIGNER, '--home', home, 'signer', 'serve']
  const signer = spawn(process.execPath, serving, {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  // A signer that cannot start says why in the log, and the node says that it waits.
  signer.on('error', (error) =>
    process.stderr.write(`the signer does not start: ${error.message}\n`),
  )
  signer.unref()
  signer.channel?.unref()
  return signer
}

/** A node whose stop is complete when its signer has ended too. */
function startBeside(signer: ChildProcess): StartNode {
  return async (options, how) => {
    const node = await startNode(options, how)
    return {
      ...node,
      close: async () => {
        await node.close()
        if (signer.exitCode !== null || !signer.kill('SIGTERM')) return
        await once(signer, 'exit')
      },
    }
  }
}

const [home = '', ...words] = process.argv.slice(2)
if (home === SIGNER) {
  process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'))
  await runProcess(startNode, words)
} else await runProcess(startBeside(startSigner(home)), words)
