// The protocol versions that this software speaks, and the refusal to go on with one that it does not.
//
// A version comes into force at a height that the members have agreed on. Whoever does not speak it must
// not judge that block: he would call it invalid, or build one that the others do. He stops before it,
// and loses nothing: with newer software he goes on from there.

import { PROTOCOL_VERSION, protocolOf, type State } from '@mooring/ledger'
import { NodeError } from './node-error.ts'

const SPOKEN: readonly number[] = [PROTOCOL_VERSION]

/**
 * What members say to each other has versions of its own, which say nothing about the chain: each names in its hello
 * those that it reads, and is sent nothing else.
 */
export const WIRE_VERSIONS: readonly number[] = [1, 2]

/** Proposals may name their transactions (compact-proposals.ts). */
export const WIRE_COMPACT = 2

export function speaksProtocol(version: number): boolean {
  return SPOKEN.includes(version)
}

/** Why this software cannot go on, when the block that comes next obeys rules unknown here. */
export function unspokenNext(state: Pick<State, 'get'>, height: number): NodeError | null {
  const { version } = protocolOf(state)
  if (speaksProtocol(version)) return null
  return new NodeError('protocol_unsupported', { version, spoken: SPOKEN.join(', '), height })
}

/** @throws NodeError protocol_unsupported */
export function refuseUnspoken(state: Pick<State, 'get'>, height: number): void {
  const refusal = unspokenNext(state, height)
  if (refusal !== null) throw refusal
}
