/**
 * What authorities send each other, as bytes: votes, certificates, proposals and status.
 *
 * The block inside a proposal stays opaque here. A decoded message is within its limits and canonical,
 * and nothing in it has been verified: signatures are the receiver's next step.
 */
import {
  bytes,
  bytesMax,
  CodecError,
  decode,
  encode,
  fromHex,
  type Infer,
  list,
  toHex,
  uint,
  variant,
  versioned,
} from '@mooring/codec'
import { evidenceOf } from './evidence.ts'
import {
  type Certificate,
  type Evidence,
  nullifySubject,
  sameSubject,
  type Status,
  type Subject,
  type Vote,
  type VoteKind,
} from './types.ts'

export const AUTHORITIES_MAX = 256
/** Nullifications that a proposal carries inline; a longer gap is fetched through status. */
export const JUSTIFICATION_MAX = 33
/** Views that one status speaks of. */
export const STATUS_VIEWS = 64
export const VOTES_MAX = 256
const CERTIFICATES_MAX = 130
/** Offences that one message names; more are offered in more messages. */
export const EVIDENCE_MAX = 32
const BLOCK_BYTES_MAX = 8 << 20
const HEADER_BYTES_MAX = 512
/** Of one transaction that a compact proposal names. */
export const TRANSACTION_NAME_BYTES = 8
const TRANSACTIONS_MAX = 100_000

const KINDS: readonly VoteKind[] = ['notarize', 'nullify', 'finalize']

const subjectSchema = versioned(1, {
  epoch: uint(),
  view: uint(),
  parentView: uint(),
  height: uint(),
  digest: bytes(32),
})
const voteSchema = versioned(1, {
  kind: uint(2),
  subject: subjectSchema,
  signer: uint(AUTHORITIES_MAX - 1),
  signature: bytes(64),
})
const certificateSchema = versioned(1, {
  kind: uint(2),
  subject: subjectSchema,
  bitmap: bytesMax(AUTHORITIES_MAX / 8),
  signatures: list(bytes(64), AUTHORITIES_MAX),
})
const statusSchema = versioned(1, {
  epoch: uint(),
  finalizedView: uint(),
  finalizedHeight: uint(),
  finalizedDigest: bytes(32),
  view: uint(),
  from: uint(),
  notarized: bytes(STATUS_VIEWS / 8),
  nullified: bytes(STATUS_VIEWS / 8),
  question: uint(),
  answer: uint(),
})
const proposalSchema = versioned(1, {
  vote: voteSchema,
  justification: list(certificateSchema, JUSTIFICATION_MAX),
  block: bytesMax(BLOCK_BYTES_MAX),
})
const compactSchema = versioned(1, {
  vote: voteSchema,
  justification: list(certificateSchema, JUSTIFICATION_MAX),
  header: bytesMax(HEADER_BYTES_MAX),
  names: bytesMax(TRANSACTIONS_MAX * TRANSACTION_NAME_BYTES),
})
const evidenceSchema = versioned(1, { first: voteSchema, second: voteSchema })
const messageSchema = variant({
  votes: list(voteSchema, VOTES_MAX),
  certificates: list(certificateSchema, CERTIFICATES_MAX),
  proposal: proposalSchema,
  status: statusSchema,
  evidence: list(evidenceSchema, EVIDENCE_MAX),
  compact: compactSchema,
})

type WireSubject = Infer<typeof subjectSchema>
type WireVote = Infer<typeof voteSchema>
type WireCertificate = Infer<typeof certificateSchema>
type WireEvidence = Infer<typeof evidenceSchema>

/** A proposal as it travels: the leader's notarize, the proof for its parent, and the encoded block. */
export interface ProposalMessage {
  readonly vote: Vote
  readonly justification: readonly Certificate[]
  readonly block: Uint8Array
}

/**
 * The same for a receiver who has most of the transactions already: the encoded header, and the names of the
 * transactions one after the other, in the order of the block. What a name is, is the shell's to say.
 */
export interface CompactProposal {
  readonly vote: Vote
  readonly justification: readonly Certificate[]
  readonly header: Uint8Array
  readonly names: Uint8Array
}

export type Message =
  | { readonly kind: 'votes'; readonly votes: readonly Vote[] }
  | { readonly kind: 'certificates'; readonly certificates: readonly Certificate[] }
  | { readonly kind: 'proposal'; readonly proposal: ProposalMessage }
  | { readonly kind: 'status'; readonly status: Status }
  | { readonly kind: 'evidence'; readonly evidence: readonly Evidence[] }
  | { readonly kind: 'compact'; readonly proposal: CompactProposal }

function subjectToWire(subject: Subject): WireSubject {
  return { ...subject, digest: fromHex(subject.digest) }
}

/** A nullify names a view and nothing else, so that all of one view are the same message. */
function subjectFromWire(kind: VoteKind, wire: WireSubject): Subject {
  const { epoch, view, parentView, height } = wire
  const subject = { epoch, view, parentView, height, digest: toHex(wire.digest) }
  if (kind === 'nullify' && !sameSubject(subject, nullifySubject(epoch, view)))
    throw new CodecError('out_of_range', 'a nullify that names more than its view')
  return subject
}

function kindFromWire(index: number): VoteKind {
  const kind = KINDS[index]
  if (kind === undefined) throw new Error(`the schema let vote kind ${index} pass`)
  return kind
}

function voteToWire(vote: Vote): WireVote {
  return { ...vote, kind: KINDS.indexOf(vote.kind), subject: subjectToWire(vote.subject) }
}

function voteFromWire(wire: WireVote): Vote {
  const { signer, signature } = wire
  const kind = kindFromWire(wire.kind)
  return { kind, subject: subjectFromWire(kind, wire.subject), signer, signature }
}

function certificateToWire(certificate: Certificate): WireCertificate {
  const { kind, subject, bitmap, signatures } = certificate
  return {
    kind: KINDS.indexOf(kind),
    subject: subjectToWire(subject),
    bitmap,
    signatures: [...signatures],
  }
}

function certificateFromWire(wire: WireCertificate): Certificate {
  const { bitmap, signatures } = wire
  const kind = kindFromWire(wire.kind)
  return { kind, subject: subjectFromWire(kind, wire.subject), bitmap, signatures }
}

function evidenceToWire({ first, second }: Evidence): WireEvidence {
  const ordered = evidenceOf(first, second)
  if (ordered === null) throw new Error('the two votes are no evidence')
  return { first: voteToWire(ordered.first), second: voteToWire(ordered.second) }
}

/** Two votes that do not contradict each other, or stand in the other order, are no evidence. */
function evidenceFromWire(wire: WireEvidence): Evidence {
  const first = voteFromWire(wire.first)
  const evidence = evidenceOf(first, voteFromWire(wire.second))
  if (evidence?.first !== first)
    throw new CodecError('out_of_range', 'two votes that are no evidence in this order')
  return evidence
}

export function encodeVote(vote: Vote): Uint8Array {
  return encode(voteSchema, voteToWire(vote))
}

/** @throws CodecError when the bytes are not one canonical vote. */
export function decodeVote(data: Uint8Array): Vote {
  return voteFromWire(decode(voteSchema, data))
}

export function encodeCertificate(certificate: Certificate): Uint8Array {
  return encode(certificateSchema, certificateToWire(certificate))
}

/** @throws CodecError when the bytes are not one canonical certificate. */
export function decodeCertificate(data: Uint8Array): Certificate {
  return certificateFromWire(decode(certificateSchema, data))
}

/** At most 512 bytes: what a removal proposal takes. */
export function encodeEvidence(evidence: Evidence): Uint8Array {
  return encode(evidenceSchema, evidenceToWire(evidence))
}

/** @throws CodecError when the bytes are not one canonical offence; its signatures are not checked. */
export function decodeEvidence(data: Uint8Array): Evidence {
  return evidenceFromWire(decode(evidenceSchema, data))
}

export function encodeMessage(message: Message): Uint8Array {
  switch (message.kind) {
    case 'votes':
      return encode(messageSchema, { kind: 'votes', body: message.votes.map(voteToWire) })
    case 'certificates':
      return encode(messageSchema, {
        kind: 'certificates',
        body: message.certificates.map(certificateToWire),
      })
    case 'proposal': {
      const { vote, justification, block } = message.proposal
      const body = {
        vote: voteToWire(vote),
        justification: justification.map(certificateToWire),
        block,
      }
      return encode(messageSchema, { kind: 'proposal', body })
    }
    case 'status': {
      const body = { ...message.status, finalizedDigest: fromHex(message.status.finalizedDigest) }
      return encode(messageSchema, { kind: 'status', body })
    }
    case 'evidence':
      return encode(messageSchema, { kind: 'evidence', body: message.evidence.map(evidenceToWire) })
    case 'compact': {
      const { vote, justification, ...rest } = message.proposal
      const signed = {
        vote: voteToWire(vote),
        justification: justification.map(certificateToWire),
      }
      return encode(messageSchema, { kind: 'compact', body: { ...signed, ...rest } })
    }
  }
}

/** @throws CodecError when the bytes are not one canonical message within its limits. */
export function decodeMessage(data: Uint8Array): Message {
  const message = decode(messageSchema, data, BLOCK_BYTES_MAX + (1 << 20))
  switch (message.kind) {
    case 'votes':
      return { kind: 'votes', votes: message.body.map(voteFromWire) }
    case 'certificates':
      return { kind: 'certificates', certificates: message.body.map(certificateFromWire) }
    case 'proposal': {
      const { vote, justification, block } = message.body
      return {
        kind: 'proposal',
        proposal: {
          vote: voteFromWire(vote),
          justification: justification.map(certificateFromWire),
          block,
        },
      }
    }
    case 'status': {
      const { finalizedDigest, ...rest } = message.body
      return { kind: 'status', status: { ...rest, finalizedDigest: toHex(finalizedDigest) } }
    }
    case 'evidence':
      return { kind: 'evidence', evidence: message.body.map(evidenceFromWire) }
    case 'compact': {
      const { vote, justification, header, names } = message.body
      if (names.length % TRANSACTION_NAME_BYTES !== 0)
        throw new CodecError('out_of_range', 'a part of a name of a transaction')
      const signed = {
        vote: voteFromWire(vote),
        justification: justification.map(certificateFromWire),
      }
      return { kind: 'compact', proposal: { ...signed, header, names } }
    }
  }
}
