// Proof files: one proof as self-contained JSON, for a person to keep and hand on.

import {
  base58Form,
  base64urlForm,
  type Document,
  formatDocument,
  hexForm,
  integerForm,
  listForm,
  nullableForm,
  objectForm,
  parseDocument,
  textForm,
} from './json-form.ts'
import {
  type StateProof,
  stateProofSchema,
  type TransactionProof,
  transactionProofSchema,
} from './proofs.ts'

const epochsForm = listForm(
  objectForm({
    header: base64urlForm,
    finalization: base64urlForm,
    authoritySet: objectForm({ organisations: listForm(textForm), keys: listForm(base58Form) }),
  }),
)

const transactionProof: Document<TransactionProof> = {
  version: 1,
  form: objectForm({
    genesis: base64urlForm,
    transaction: base64urlForm,
    index: integerForm,
    count: integerForm,
    path: listForm(hexForm),
    header: base64urlForm,
    finalization: base64urlForm,
    later: nullableForm(
      objectForm({
        header: base64urlForm,
        path: listForm(hexForm),
        index: integerForm,
        size: integerForm,
      }),
    ),
    epochs: epochsForm,
  }),
  schema: transactionProofSchema,
}

const stateProof: Document<StateProof> = {
  version: 1,
  form: objectForm({
    genesis: base64urlForm,
    key: hexForm,
    value: nullableForm(base64urlForm),
    siblings: listForm(hexForm),
    leaf: nullableForm(objectForm({ keyHash: hexForm, valueHash: hexForm })),
    header: base64urlForm,
    finalization: base64urlForm,
    epochs: epochsForm,
  }),
  schema: stateProofSchema,
}

export function formatTransactionProofJson(proof: TransactionProof): string {
  return formatDocument(transactionProof, proof)
}

/** @throws LedgerError that names the path of every problem. */
export function parseTransactionProofJson(text: string): TransactionProof {
  return parseDocument(transactionProof, text)
}

export function formatStateProofJson(proof: StateProof): string {
  return formatDocument(stateProof, proof)
}

/** @throws LedgerError that names the path of every problem. */
export function parseStateProofJson(text: string): StateProof {
  return parseDocument(stateProof, text)
}
