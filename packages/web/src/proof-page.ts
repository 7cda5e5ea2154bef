/**
 * A proof checked here, in the browser, from a genesis digest alone. Neither the proof nor the record
 * goes to the node: the page would give the same verdict with the cable pulled.
 */

import type { Client } from '@mooring/api/client'
import { type ProofVerification, verifyProof } from '@mooring/api/verify'
import { CodecError, fromHex } from '@mooring/codec'
import { button, type Child, element, fields, table } from './element.ts'
import type { Page } from './page.ts'
import { moment } from './words.ts'

const BYTES_MAX = 64 * 1024 * 1024
const DIGEST_BYTES = 32

class UnusableInput extends Error {}

export async function showProof(client: Client): Promise<Page> {
  const { genesisDigest } = await client.network()
  const proof = fileInput('proof', 'application/json,.json')
  const record = fileInput('record', '')
  const digest = element('input', { type: 'text', id: 'digest', maxlength: '64' })
  if (digest instanceof HTMLInputElement) digest.value = genesisDigest
  const verdict = element('section', { id: 'verdict', 'aria-live': 'polite' })
  const check = (): void => {
    checkFiles({ proof, record, digest }).then(
      (result) => verdict.replaceChildren(...shown(result)),
      (error: unknown) => verdict.replaceChildren(refused(error)),
    )
  }
  return {
    title: 'Check a proof',
    body: [
      element('h1', {}, 'Check a proof'),
      element(
        'p',
        {},
        'The check runs in this browser, and the files stay in it. Nothing of this node is trusted but the digest ',
        'below, and that only if you leave it as it is: compare it with the one you know.',
      ),
      element('label', { for: 'digest' }, 'Genesis digest of the network'),
      digest,
      element('label', { for: 'proof' }, 'Proof: a file of "mooring proof get"'),
      proof,
      element('label', { for: 'record' }, 'The record it is to be the proof of (may be left out)'),
      record,
      element('p', {}, button('Check', check)),
      verdict,
    ],
  }
}

function fileInput(id: string, accept: string): HTMLElement {
  return element('input', { type: 'file', id, ...(accept === '' ? {} : { accept }) })
}

async function checkFiles(inputs: {
  proof: HTMLElement
  record: HTMLElement
  digest: HTMLElement
}): Promise<ProofVerification> {
  const proof = await bytesOf(inputs.proof)
  if (proof === null) throw new UnusableInput('Choose the file of the proof first.')
  const record = await bytesOf(inputs.record)
  const digest = inputs.digest instanceof HTMLInputElement ? inputs.digest.value.trim() : ''
  return verifyProof(proof, { genesisDigest: digestOf(digest) }, record)
}

function digestOf(text: string): Uint8Array {
  try {
    const digest = fromHex(text.toLowerCase())
    if (digest.length === DIGEST_BYTES) return digest
  } catch (error) {
    if (!(error instanceof CodecError)) throw error
  }
  throw new UnusableInput('A genesis digest has 64 hexadecimal digits.')
}

async function bytesOf(input: HTMLElement): Promise<Uint8Array | null> {
  const file = input instanceof HTMLInputElement ? input.files?.[0] : undefined
  if (file === undefined) return null
  if (file.size > BYTES_MAX) throw new UnusableInput(`${file.name} is longer than 64 MiB.`)
  return new Uint8Array(await file.arrayBuffer())
}

function shown(result: ProofVerification): Child[] {
  const steps = table(result.steps, [
    { title: 'step', value: ({ number }) => String(number), isNumber: true },
    { title: 'what', value: ({ name }) => name },
    { title: 'found', value: ({ detail }) => detail },
    {
      title: '',
      value: ({ ok }) => element('span', { class: ok ? 'good' : 'bad' }, ok ? 'ok' : 'FAILED'),
    },
  ])
  if (!result.ok) {
    const { number, name, code } = result.failed
    const text = `NOT VERIFIED: step ${number}, ${name} (${code})`
    return [element('h2', { class: 'bad' }, text), steps]
  }
  const time = moment(new Date(result.blockTime).toISOString())
  const isOpened = result.steps.some(({ number }) => number === 1)
  const what = isOpened || result.shown.length > 0 ? 'the record' : 'the commitment'
  return [
    element(
      'h2',
      { class: 'good' },
      `VERIFIED: ${what} was final in block ${result.height}, ${time}`,
    ),
    ...(result.shown.length === 0
      ? []
      : [fields(result.shown.map(({ pointer, value }) => [pointer, value] as const))]),
    steps,
  ]
}

function refused(error: unknown): HTMLElement {
  const text =
    error instanceof UnusableInput ? error.message : `This cannot be read: ${String(error)}`
  return element('p', { class: 'problem' }, text)
}
