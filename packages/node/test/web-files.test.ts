// The modules of the pages as a browser gets them: nothing of Node in them, nothing missing, and the
// verifier among them gives the verdict that the one of the command line gives.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { type ProofVerification, verifyProof } from '@mooring/api/verify'
import { toHex } from '@mooring/codec'
import { test } from 'uvu'
import { documentOf, prove } from '../../api/test/proof-world.ts'
import { readWebFiles } from '../src/web-files.ts'

const IMPORT = /^\s*(?:import|export)\b[\w\s{},*$]*?(?:\bfrom)?\s*["']([^"'\n]+)["']/gm

const CHECK = `
import { readFileSync } from 'node:fs'
import { verifyProof } from './modules/packages/api/src/verify.ts'
const [proof, record, digest] = process.argv.slice(2)
const trust = { genesisDigest: Buffer.from(digest, 'hex') }
console.log(JSON.stringify(verifyProof(readFileSync(proof), trust, readFileSync(record))))
`

test('every import of a served module is the address of a served module', async () => {
  const files = await readWebFiles()
  let imports = 0
  for (const [path, { type, bytes }] of files) {
    if (!type.startsWith('text/javascript')) continue
    for (const [, name = ''] of new TextDecoder().decode(bytes).matchAll(IMPORT)) {
      const target = new URL(name, `http://node/${path}`).pathname.slice(1)
      assert.ok(files.has(target), `${path} imports ${name}`)
      imports += 1
    }
  }
  assert.ok(imports > 100)
  assert.ok(![...files.keys()].some((path) => /-node\.ts|sodium|\.\./.test(path)))
  const index = new TextDecoder().decode(files.get('')?.bytes)
  const [, first = ''] = /<script type="module" src="([^"]+)"/.exec(index) ?? []
  assert.ok(files.has(first))
  assert.doesNotMatch(index, /https?:|style=|onclick|<script>/)
})

test('acceptance 19: the verifier of the browser, loaded alone, says what ours says', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'mooring-web-'))
  try {
    for (const [path, { bytes }] of await readWebFiles()) {
      if (!path.startsWith('modules/')) continue
      await mkdir(dirname(join(folder, path)), { recursive: true })
      await writeFile(join(folder, path), bytes)
    }
    await writeFile(join(folder, 'package.json'), '{"type":"module"}')
    await writeFile(join(folder, 'check.js'), CHECK)
    const { digest, raw, record } = prove()
    await writeFile(join(folder, 'record'), raw)
    const inBrowser = async (proof: string): Promise<ProofVerification> => {
      await writeFile(join(folder, 'proof.json'), proof)
      const args = ['check.js', 'proof.json', 'record', toHex(digest)]
      const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: folder })
      return JSON.parse(stdout)
    }
    const proof = documentOf(record)
    const verdict = await inBrowser(proof)
    assert.ok(verdict.ok)
    assert.deepEqual(verdict, verifyProof(proof, { genesisDigest: digest }, raw))
    await writeFile(join(folder, 'record'), new Uint8Array([...raw, 0x21]))
    const refused = await inBrowser(proof)
    assert.ok(!refused.ok)
    assert.equal(refused.failed.code, 'raw_commitment_differs')
  } finally {
    await rm(folder, { recursive: true })
  }
})

test.run()
