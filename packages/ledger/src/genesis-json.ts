// genesis.json, the form of genesis that people read and compare. It carries the same values as the
// canonical bytes; the digest is over those, not over this text.

import { type Genesis, genesisSchema } from './genesis.ts'
import {
  base58Form,
  type Document,
  formatDocument,
  hexForm,
  integerForm,
  type JsonForm,
  listForm,
  nullableForm,
  objectForm,
  parseDocument,
  textForm,
  timeForm,
  wordForm,
} from './json-form.ts'
import type { Parameters } from './parameters.ts'

export const parametersForm: JsonForm<Parameters> = objectForm({
  deltaMs: integerForm,
  heartbeatMs: integerForm,
  minBlockIntervalMs: integerForm,
  blockBytesMax: integerForm,
  blockTransactionsMax: integerForm,
  transactionBytesMax: integerForm,
  expiryWindowMs: integerForm,
  quotaPerMinute: integerForm,
  precisionMs: integerForm,
  snapshotInterval: integerForm,
})

export const organisationForm = objectForm({
  id: textForm,
  name: textForm,
  legalGroup: textForm,
  roles: listForm(wordForm('authority', 'observer')),
  keys: objectForm({
    governance: base58Form,
    consensus: base58Form,
    transport: base58Form,
    anchor: base58Form,
    seal: base58Form,
    issuer: nullableForm(base58Form),
  }),
})

export const genesisEntryForm = objectForm({ organisation: organisationForm, signature: hexForm })

export const genesisForm = objectForm({
  networkName: textForm,
  protocolVersion: integerForm,
  time: timeForm,
  parameters: parametersForm,
  organisations: listForm(genesisEntryForm),
})

const document: Document<Genesis> = { version: 1, form: genesisForm, schema: genesisSchema }

export function formatGenesisJson(genesis: Genesis): string {
  return formatDocument(document, genesis)
}

/** @throws LedgerError that names the path of every problem. */
export function parseGenesisJson(text: string): Genesis {
  return parseDocument(document, text)
}
