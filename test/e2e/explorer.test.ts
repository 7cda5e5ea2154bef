// The explorer in a real browser: what the node says, live, and a proof that the browser checks itself.

import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'uvu'
import { type Browser, findBrowser, startBrowser } from './browser.ts'
import { type Devnet, nodeAt, startDevnet } from './devnet.ts'

const program = findBrowser()
if (program === null) process.stdout.write('no browser is here: the explorer is not looked at\n')

const says = (text: string) => `document.body.innerText.includes(${JSON.stringify(text)})`

test('acceptance 19: the explorer is live, and checks a proof in the browser', async () => {
  if (program === null) return
  const devnet = await startDevnet('--nodes 3')
  const browser = await startBrowser(program)
  try {
    await lookAround(devnet, browser)
    await checkProof(devnet, browser)
    const origin = new URL(nodeAt(devnet, 0).api).origin
    const elsewhere = browser.requests.filter((url) => !url.startsWith(origin))
    assert.deepEqual(elsewhere, [], 'nothing is loaded from anywhere else')
    // What the console says of the block that is not there, and nothing else.
    assert.deepEqual(browser.messages.length, 1, browser.messages.join('\n'))
    assert.match(browser.messages[0] ?? '', /404/)
  } finally {
    await browser.close()
    await devnet.close()
  }
})

async function lookAround(devnet: Devnet, browser: Browser): Promise<void> {
  const { api, name } = nodeAt(devnet, 0)
  await browser.open(`${api}/ui`)
  await browser.until(says(`${name} on `), 'the node')
  await browser.until(says('3 of 3'), 'its authorities')
  await browser.until(`document.querySelector('#live').textContent === 'live'`, 'the events')
  const height = `Number(document.querySelector('.card b').textContent.replaceAll(/\\D/g, ''))`
  const before = await browser.read<number>(height)
  await browser.until(`${height} > ${before + 1}`, 'blocks that come by themselves')
  await browser.read(`location.hash = '#/block/1'`)
  await browser.until(says('Block 1'), 'a block')
  await browser.read(`location.hash = '#/members'`)
  await browser.until(says('genesis digest'), 'the members')
  await browser.read(`location.hash = '#/block/999999999'`)
  await browser.until(says('mooring explain MOR-'), 'a block that is not there, with its code')
}

async function checkProof(devnet: Devnet, browser: Browser): Promise<void> {
  const record = join(devnet.folder, 'record.json')
  await writeFile(record, '{"resourceType":"Observation","status":"final","code":{"text":"pulse"}}')
  const submitted = await devnet.succeed(`record submit ${record} --json`)
  const { items }: { items: { records: { id: string }[] }[] } = JSON.parse(submitted.stdout)
  const id = items[0]?.records[0]?.id
  const proof = join(devnet.folder, 'proof.json')
  await devnet.succeed(`proof get ${id} -o ${proof}`)

  await browser.read(`location.hash = '#/proof'`)
  await browser.until(`document.querySelector('#digest')?.value.length === 64`, 'the digest')
  assert.equal(await browser.read(`document.querySelector('#digest').value`), devnet.genesisDigest)
  await browser.read(`document.querySelector('main button').click()`)
  await browser.until(says('Choose the file of the proof first.'), 'what is missing')
  await browser.chooseFile('#proof', proof)
  await browser.chooseFile('#record', record)
  const asked = browser.requests.length
  await browser.read(`document.querySelector('main button').click()`)
  await browser.until(says('VERIFIED: the record was final in block'), 'the verdict')
  assert.equal(browser.requests.length, asked, 'no node is asked')

  await writeFile(record, '{"resourceType":"Observation","status":"final","code":{"text":"pulsf"}}')
  await browser.chooseFile('#record', record)
  await browser.read(`document.querySelector('main button').click()`)
  await browser.until(says('NOT VERIFIED: step 1'), 'the step that fails')
}

test.run()
