/**
 * The bytes that a vote signs, and certificates made of votes and checked against keys.
 *
 * The signed message has one fixed length for all three kinds, and it names chain, epoch, view and
 * kind, so that no signature counts in any other place. Certificate bytes never enter a digest: two
 * nodes may hold different quorums for one subject.
 */
import { fromHex } from '@mooring/codec'
import { bitmapOf, checkMultiSignature, domainBytes, signersOf, verify } from '@mooring/crypto'
import { quorumOf } from './quorum.ts'
import type { Certificate, Subject, UnsignedVote, Vote, VoteKind } from './types.ts'

const KIND_BYTE: Readonly<Record<VoteKind, number>> = { notarize: 1, nullify: 2, finalize: 3 }

/** Everything that is needed to check signatures of one epoch. */
export interface AuthorityKeys {
  /** The 32-byte digest of genesis. */
  readonly chain: Uint8Array
  /** Consensus keys in the order of the authority set. */
  readonly keys: readonly Uint8Array[]
}

/** `"mooring/vote/v1\0" ‖ u8 kind ‖ chain[32] ‖ u64 epoch ‖ u64 view ‖ u64 parentView ‖ u64 height ‖ digest[32]` */
export function voteMessage(chain: Uint8Array, kind: VoteKind, subject: Subject): Uint8Array {
  const domain = domainBytes('vote')
  const message = new Uint8Array(domain.length + 97)
  const numbers = new DataView(message.buffer)
  message.set(domain, 0)
  let at = domain.length
  message[at] = KIND_BYTE[kind]
  at += 1
  message.set(chain, at)
  at += 32
  for (const value of [subject.epoch, subject.view, subject.parentView, subject.height]) {
    numbers.setBigUint64(at, BigInt(value))
    at += 8
  }
  message.set(fromHex(subject.digest), at)
  return message
}

export function checkVote(vote: Vote, authorities: AuthorityKeys): boolean {
  const key = authorities.keys[vote.signer]
  if (key === undefined) return false
  return verify(key, voteMessage(authorities.chain, vote.kind, vote.subject), vote.signature)
}

/** @returns why the certificate does not prove a quorum, or nothing. */
export function checkCertificate(
  certificate: Certificate,
  authorities: AuthorityKeys,
): { code: string; signer?: number } | undefined {
  const { kind, subject, bitmap, signatures } = certificate
  return checkMultiSignature({
    message: voteMessage(authorities.chain, kind, subject),
    publicKeys: authorities.keys,
    quorum: quorumOf(authorities.keys.length),
    multiSignature: { bitmap, signatures: [...signatures] },
  })
}

/** @param votes at least `quorum` votes of one kind on one subject, by different signers. */
export function certificateOf(
  votes: readonly Vote[],
  quorum: number,
  authorities: number,
): Certificate {
  const chosen = votes.toSorted((a, b) => a.signer - b.signer).slice(0, quorum)
  const [first] = chosen
  if (first === undefined || chosen.length < quorum)
    throw new Error('too few votes for a certificate')
  return {
    kind: first.kind,
    subject: first.subject,
    bitmap: bitmapOf(
      chosen.map((vote) => vote.signer),
      authorities,
    ),
    signatures: chosen.map((vote) => vote.signature),
  }
}

/** The single votes inside a certificate, for whoever has to compare them with others. */
export function votesOf(certificate: Certificate): Vote[] {
  const { kind, subject, signatures } = certificate
  return signersOf(certificate.bitmap).flatMap((signer, index) => {
    const signature = signatures[index]
    return signature === undefined ? [] : [{ kind, subject, signer, signature }]
  })
}

export function unsigned(kind: VoteKind, subject: Subject, signer: number): UnsignedVote {
  return { kind, subject, signer }
}
