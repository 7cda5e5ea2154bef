// Texts for content that cannot be taken: transactions, records, bytes, proofs. Many codes of the
// lower packages name the exact fault of one thing; they share the text of that thing.

import type { CodecErrorCode, JsonErrorCode } from '@mooring/codec'
import type {
  CryptoErrorCode,
  InvalidMerkleProof,
  InvalidMultiSignature,
  InvalidPublicKey,
  InvalidStateProof,
} from '@mooring/crypto'
import type { GenesisProblem, InvalidTransaction, LedgerErrorCode } from '@mooring/ledger'
import type { ProblemCode, RecordsErrorCode } from '@mooring/records'
import { type CatalogEntry, entry } from './error-entry.ts'
import { EMERGENCY_TRANSACTION_TEXTS } from './errors-emergency.ts'
import { WALLET_FILE, WORDS } from './errors-wallet.ts'
import { PATIENT_TRANSACTION_TEXTS } from './errors-patients.ts'
import { IDENTITY_TEXTS } from './errors-identity.ts'
import type { Refusal } from './execution.ts'

type ChangeRefusal =
  | 'invalid_change'
  | 'too_many_changes'
  | 'too_many_own_changes'
  | 'unknown_change'
  | 'change_passed'
  | 'change_expired'
  | 'change_expires_too_late'
  | 'not_an_authority'
  | 'already_approved'
  | 'nothing_to_withdraw'
  | 'no_readiness_needed'
  | 'not_in_next_set'
  | 'already_ready'

const CHANGE_TEXTS: Record<ChangeRefusal, CatalogEntry> = {
  invalid_change: entry(4120, 7, 422)(
    'The change cannot be made',
    'It breaks a rule of membership, or does not fit the members as they are now.',
    'Read the detail, correct the change and propose it again.',
    'See what is in force:   mooring member list, mooring network info',
  ),
  too_many_changes: entry(4121, 7, 409)(
    'Too many changes are open',
    'The network keeps a bounded number of them, a part of it for observers.',
    'Wait until one passes or expires, or ask its proposer to withdraw it:   mooring change list',
  ),
  too_many_own_changes: entry(4122, 7, 409)(
    'The organisation has too many open changes',
    'The room for open changes is shared out among the members.',
    'Withdraw one of them:   mooring change withdraw <id>',
  ),
  unknown_change: entry(4123, 6, 404)(
    'There is no such change',
    'No change with this id is open; those that expired or were withdrawn are forgotten.',
    'See the open ones:   mooring change list',
  ),
  change_passed: entry(4124, 7, 409)(
    'The change has passed already',
    'A passed change is in force and cannot be approved or withdrawn.',
    'To undo it, propose the opposite:   mooring change propose',
  ),
  change_expired: entry(4125, 7, 422)(
    'The change has expired',
    'The time of the chain has passed the last moment of the change.',
    'Propose it again with a later expiry, and check the clock of the client.',
  ),
  change_expires_too_late: entry(4126, 2, 422)(
    'The change would be open for too long',
    'A change may be open for thirty days at most.',
    'Propose it with an earlier expiry.',
  ),
  not_an_authority: entry(4127, 5, 422)(
    'Only authorities approve changes',
    'The organisation may propose changes and has no vote on them.',
    'Ask the authorities to approve:   mooring member list',
  ),
  already_approved: entry(4128, 7, 409)(
    'The organisation has approved this change already',
    'An authority approves a change once; proposing it is its approval.',
    'Nothing is to be done. See who is missing:   mooring change status <id>',
  ),
  nothing_to_withdraw: entry(4129, 7, 422)(
    'The organisation has nothing to withdraw from this change',
    'It neither proposed nor approved it.',
    'See who did:   mooring change show <id>',
  ),
  no_readiness_needed: entry(4130, 7, 422)(
    'Nobody has to be ready for this change',
    'It changes neither the authorities and their keys nor the protocol.',
    'Nothing is to be done.',
  ),
  not_in_next_set: entry(4131, 7, 422)(
    'The organisation is no authority after this change',
    'Only those who will vote after the change can be ready for it.',
    'See the change:   mooring change show <id>',
  ),
  already_ready: entry(4132, 7, 409)(
    'The organisation is ready for this change already',
    'Its present consensus key has said so in a block.',
    'Nothing is to be done. See who is missing:   mooring change status <id>',
  ),
}

export const TRANSACTION_TEXTS: Record<InvalidTransaction['code'], CatalogEntry> = {
  malformed: entry(4101, 2, 422)(
    'The transaction cannot be read',
    'Its bytes are not the canonical encoding of a transaction.',
    'Build it with the ledger package.',
  ),
  unknown_kind: entry(4102, 2, 422)(
    'This kind of transaction does not exist',
    'The protocol version in force does not know it.',
    'Check the versions of client and network:   mooring version',
  ),
  too_large: entry(4103, 2, 413)(
    'The transaction is too large',
    'The limit is a parameter of the chain.',
    'See the parameters:   mooring genesis show',
  ),
  expired: entry(4104, 7, 422)(
    'The transaction has expired',
    'The time of the chain has passed its last moment.',
    'Sign it again with a later expiresAt, and check the clock of the client.',
  ),
  expires_too_late: entry(4105, 2, 422)(
    'The transaction expires too late',
    'expiresAt may lie only one expiry window ahead of the chain.',
    'Sign it again with an earlier expiresAt, and check the clock of the client.',
  ),
  already_included: entry(4106, 7, 409)(
    'The transaction is in a block already',
    'Its id is among those of the expiry window.',
    'See it:   mooring transaction get <id>',
  ),
  unknown_organisation: entry(4107, 6, 422)(
    'The network has no such organisation',
    'The transaction speaks for an organisation that is no member.',
    'See the members:   mooring genesis show',
  ),
  wrong_signer: entry(4108, 5, 422)(
    'The transaction is signed by the wrong key',
    'Each kind names the key that must sign it.',
    'Sign it with the key of that duty.',
  ),
  wrong_sequence: entry(4109, 7, 409)(
    'The sequence is not the next one',
    'Anchors of one organisation are numbered without gaps.',
    'Build it again with the next number.',
  ),
  root_seen: entry(4110, 7, 409)(
    'This batch is anchored already',
    'A batch root is anchored once.',
    'Nothing is to be done.',
  ),
  quota_exceeded: entry(4111, 4, 429)(
    'The quota of the organisation is used up',
    'Each organisation may put so many transactions a minute into blocks.',
    'Try again after the full minute.',
  ),
  bad_signature: entry(4112, 2, 422)(
    'The signature does not hold',
    'It was made by another key, over other bytes, or for another network.',
    'Check the genesis and the key the client signs with.',
  ),
  ...CHANGE_TEXTS,
  ...PATIENT_TRANSACTION_TEXTS,
  ...IDENTITY_TEXTS,
  ...EMERGENCY_TRANSACTION_TEXTS,
}

const BLOCK = entry(3030, 11)(
  'A block is not valid',
  'It breaks a rule that every node checks before it votes.',
  'Check that all nodes run the same version.',
)

export const BLOCK_TEXTS: Record<Refusal['code'], CatalogEntry> = {
  wrong_network: BLOCK,
  wrong_epoch: BLOCK,
  wrong_height: BLOCK,
  wrong_parent: BLOCK,
  wrong_parent_view: BLOCK,
  view_not_later: BLOCK,
  time_not_later: BLOCK,
  wrong_proposer: BLOCK,
  wrong_authority_set: BLOCK,
  unexpected_authority_change: BLOCK,
  wrong_next_authority_set: BLOCK,
  wrong_transaction_count: BLOCK,
  wrong_transaction_root: BLOCK,
  too_many_transactions: BLOCK,
  block_too_large: BLOCK,
  invalid_transaction: BLOCK,
  wrong_state_root: BLOCK,
  wrong_history_root: BLOCK,
}

const refused = (mor: number) => entry(mor, 2, 422)

const UNREADABLE_JSON = refused(5101)(
  'The record is no JSON that two readers understand alike',
  'Invalid UTF-8, duplicate keys and lone surrogates are refused: readers differ on them.',
  'Correct the place that is named, and submit again.',
)

const LIMIT = entry(5102, 2, 413)(
  'The submission exceeds a limit',
  'Size, depth and number of entries are bounded.',
  'Split it into smaller submissions.',
)

const NOT_FHIR = refused(5103)(
  'The content is not FHIR that can be taken',
  'Taken are single resources and bundles whose entries have a resource.',
  'Correct the place that is named, and submit again.',
)

const REQUEST = refused(5104)(
  'The bundle asks for something else than to store',
  'Entries that delete, read, patch or call an operation cannot be anchored.',
  'Submit only entries with POST or PUT.',
)

const IDENTITY = refused(5105)(
  'Entries of the submission contradict each other',
  'An id or a full URL stands twice, or a reference points to nothing in the bundle.',
  'Correct the place that is named, and submit again.',
)

export const SUBMISSION_TEXTS: Record<ProblemCode, CatalogEntry> = {
  empty: NOT_FHIR,
  not_json: UNREADABLE_JSON,
  invalid_utf8: UNREADABLE_JSON,
  byte_order_mark: UNREADABLE_JSON,
  duplicate_key: UNREADABLE_JSON,
  lone_surrogate: UNREADABLE_JSON,
  too_large: LIMIT,
  too_deep: LIMIT,
  too_many: LIMIT,
  too_many_fields: LIMIT,
  path_too_long: LIMIT,
  not_fhir: NOT_FHIR,
  unsupported_bundle: NOT_FHIR,
  nested_bundle: NOT_FHIR,
  entry_without_resource: NOT_FHIR,
  delete_request: REQUEST,
  read_request: REQUEST,
  patch_request: REQUEST,
  operation_request: REQUEST,
  duplicate_id: IDENTITY,
  duplicate_full_url: IDENTITY,
  unresolved_reference: IDENTITY,
}

const BYTES = refused(5201)(
  'Bytes cannot be read as what they claim to be',
  'They are not the canonical encoding of the value, or exceed its limits.',
  'Check that file or message is complete and made by a compatible version.',
)

const TEXT = refused(5202)(
  'A text is no key, id or bytes',
  'It has characters or a length that its form does not allow.',
  'Copy it again in full.',
)

const PROOF_FILE = refused(5203)(
  'A proof file cannot be read',
  'A member is missing, has another type, or belongs to another version.',
  'Ask for the proof again:   mooring proof get <id> -o proof.json',
)

const NO_SUCH_FIELD = refused(5210)(
  'The record has no such field',
  'A field is named by its JSON pointer, as it stands in the record; a version without it has none to show.',
  'See what there is:   mooring record get <id>, and name fields like /code/coding/0/code.',
)

const PROOF = entry(5204, 8, 422)(
  'A proof does not hold',
  'A path, a root or a signature differs from what it must be.',
  'Check that file, proof and genesis belong together:   mooring proof verify --steps',
)

export const CODEC_TEXTS: Record<CodecErrorCode | JsonErrorCode, CatalogEntry> = {
  too_large: BYTES,
  too_deep: BYTES,
  too_many: BYTES,
  not_canonical: BYTES,
  wrong_type: BYTES,
  out_of_range: BYTES,
  unknown_version: BYTES,
  unknown_variant: BYTES,
  trailing_bytes: BYTES,
  truncated: BYTES,
  not_deflate: BYTES,
  invalid_utf8: UNREADABLE_JSON,
  byte_order_mark: UNREADABLE_JSON,
  syntax: UNREADABLE_JSON,
  duplicate_key: UNREADABLE_JSON,
  lone_surrogate: UNREADABLE_JSON,
}

const DOCUMENT = refused(5205)(
  'A document of the ledger cannot be read',
  'A genesis or proof file has a member that is missing, unknown or of another type.',
  'Ask for the file again; neither kind is edited by hand.',
)

const GENESIS = entry(5206, 3, 422)(
  'A genesis cannot start a network',
  'Its parameters, organisations or signatures break a rule.',
  'See every problem:   mooring genesis verify --file <genesis.json>',
)

export const LEDGER_TEXTS: Record<LedgerErrorCode | GenesisProblem['code'], CatalogEntry> = {
  not_json: DOCUMENT,
  missing: DOCUMENT,
  unknown_member: DOCUMENT,
  wrong_type: DOCUMENT,
  bad_value: DOCUMENT,
  contradictory_parameters: GENESIS,
  not_canonical: GENESIS,
  small_order: GENESIS,
  mixed_order: GENESIS,
  duplicate_key: GENESIS,
  out_of_limits: GENESIS,
  unsupported_protocol: GENESIS,
  no_authority: GENESIS,
  too_many_authorities: GENESIS,
  duplicate_id: GENESIS,
  bad_entry_signature: GENESIS,
}

export const RECORDS_TEXTS: Record<RecordsErrorCode, CatalogEntry> = {
  wrong_length: PROOF_FILE,
  out_of_range: PROOF_FILE,
  too_large: PROOF_FILE,
  not_json: PROOF_FILE,
  wrong_type: PROOF_FILE,
  missing_member: PROOF_FILE,
  unknown_member: PROOF_FILE,
  unknown_version: PROOF_FILE,
  bad_encoding: PROOF_FILE,
  no_such_field: NO_SUCH_FIELD,
}

type CryptoCode =
  | CryptoErrorCode
  | InvalidPublicKey
  | InvalidMerkleProof['code']
  | InvalidStateProof['code']
  | InvalidMultiSignature['code']

export const CRYPTO_TEXTS: Record<CryptoCode, CatalogEntry> = {
  not_base58: TEXT,
  not_base64url: TEXT,
  not_did_key: TEXT,
  too_long: TEXT,
  words_count: WORDS,
  words_unknown: WORDS,
  words_checksum: WORDS,
  scrypt_cost: WALLET_FILE,
  not_canonical: TEXT,
  small_order: TEXT,
  mixed_order: TEXT,
  empty_tree: PROOF,
  size_out_of_range: PROOF,
  malformed_digest: PROOF,
  malformed: PROOF,
  wrong_path_length: PROOF,
  wrong_root: PROOF,
  wrong_path: PROOF,
  wrong_value: PROOF,
  absent: PROOF,
  present: PROOF,
  wrong_bitmap_length: PROOF,
  wrong_signature_count: PROOF,
  not_a_quorum: PROOF,
  signer_out_of_range: PROOF,
  duplicate_key: PROOF,
  bad_signature: PROOF,
}
