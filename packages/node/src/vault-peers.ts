// Asking other members about records, by the name of their organisation.
//
// Whoever asks need not know who is asked: the holder on this node answers like any other, without the
// wire. What comes back is of the kind that the request asks for; everything else is an error with a
// code, so that the caller can tell a holder that is away from one that said no, and from one that says
// what nobody asked.

import { CodecError } from '@mooring/codec'
import { NetworkError, type Network } from '@mooring/network'
import {
  decodeVaultAnswer,
  encodeVaultRequest,
  type VaultAnswer,
  type VaultRequest,
} from '@mooring/records'
import type { Members } from './members.ts'

/** What a request is filled with, which the wire limits to VAULT_MESSAGE_BYTES_MAX. */
export const REQUEST_BYTES_MAX = 4 * 1024 * 1024

const ANSWER_KINDS = {
  deposit: 'receipt',
  'deposit-begin': 'part',
  'deposit-part': 'part',
  'deposit-commit': 'receipt',
  'deposit-keys': 'done',
  'deposit-with-keys': 'receipt',
  'deposit-batches': 'done',
  have: 'have',
  audit: 'audit',
  list: 'list',
  'list-keys': 'list-keys',
  'list-batches': 'list-batches',
  leaves: 'leaves',
  witness: 'witness',
  release: 'release',
  accesses: 'accesses',
  catalogue: 'catalogue',
  fields: 'fields',
  repair: 'repair',
  restore: 'restore',
  moved: 'done',
  erase: 'erased',
  restrict: 'done',
  report: 'done',
  emergency: 'emergency',
} as const satisfies Record<VaultRequest['kind'], VaultAnswer['kind']>

export type AnswerTo<R extends VaultRequest> = Extract<
  VaultAnswer,
  { kind: (typeof ANSWER_KINDS)[R['kind']] }
>

export type VaultPeerErrorCode =
  /** No connection, or it broke. */
  | 'unreachable'
  | 'timeout'
  /** Too much is asked of it already. */
  | 'busy'
  /** It said no, and why: `refusal`. */
  | 'refused'
  /** Its answer is not one to this request. */
  | 'malformed'

export class VaultPeerError extends Error {
  override readonly name = 'VaultPeerError'
  readonly code: VaultPeerErrorCode
  readonly organisation: string
  /** The code of the refusal; null for every other failure. */
  readonly refusal: string | null
  /** When it asked to be left alone for a while; 0 when it did not. */
  readonly retryAfterMs: number

  constructor(
    code: VaultPeerErrorCode,
    organisation: string,
    {
      refusal = null,
      retryAfterMs = 0,
      cause,
    }: { refusal?: string | null; retryAfterMs?: number; cause?: unknown } = {},
  ) {
    const why = refusal === null ? '' : `: ${refusal}`
    super(`${organisation}: ${code}${why}`, { cause })
    this.code = code
    this.organisation = organisation
    this.refusal = refusal
    this.retryAfterMs = retryAfterMs
  }
}

/** What came back; undefined for one that cannot be asked, or says no. */
export async function orSilence<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer
  } catch (error) {
    if (error instanceof VaultPeerError) return undefined
    throw error
  }
}

export interface VaultPeers {
  /** This node's own organisation. */
  readonly self: string
  /** @throws VaultPeerError */
  request<R extends VaultRequest>(
    organisation: string,
    request: R,
    options: { timeoutMs: number },
  ): Promise<AnswerTo<R>>
  isConnected(organisation: string): boolean
}

export interface VaultPeersModules {
  network: Pick<Network, 'request' | 'peers'>
  members: Pick<Members, 'list'>
  /** The holder on this node. */
  answer: (sender: string, request: VaultRequest) => Promise<VaultAnswer>
}

export function createVaultPeers(self: string, modules: VaultPeersModules): VaultPeers {
  const { network, members, answer } = modules
  const peerIdOf = (organisation: string): string => {
    const member = members.list.find(({ name }) => name === organisation)
    if (member === undefined) throw new VaultPeerError('unreachable', organisation)
    return member.peerId
  }
  return {
    self,
    async request(organisation, request, { timeoutMs }) {
      const given =
        organisation === self
          ? await answer(self, request)
          : await ask(network, { organisation, peerId: peerIdOf(organisation) }, request, timeoutMs)
      return checkAnswer(organisation, request, given)
    },
    isConnected: (organisation) =>
      organisation === self ||
      network.peers().some(({ name, connected }) => connected && name === organisation),
  }
}

async function ask(
  network: VaultPeersModules['network'],
  { organisation, peerId }: { organisation: string; peerId: string },
  request: VaultRequest,
  timeoutMs: number,
): Promise<VaultAnswer> {
  const payload = encodeVaultRequest(request)
  let encoded: Uint8Array
  try {
    encoded = await network.request(peerId, 'records', payload, { timeoutMs })
  } catch (error) {
    throw failureOf(organisation, error)
  }
  try {
    return decodeVaultAnswer(encoded)
  } catch (cause) {
    if (cause instanceof CodecError) throw new VaultPeerError('malformed', organisation, { cause })
    throw cause
  }
}

function failureOf(organisation: string, cause: unknown): unknown {
  if (!(cause instanceof NetworkError)) return cause
  const { code, data } = cause
  if (code === 'timeout' || code === 'busy') {
    return new VaultPeerError(code, organisation, { cause })
  }
  if (code === 'refused' || code === 'too_large') {
    const refusal = typeof data['reason'] === 'string' ? data['reason'] : code
    return new VaultPeerError('refused', organisation, { refusal, cause })
  }
  return new VaultPeerError('unreachable', organisation, { cause })
}

function checkAnswer<R extends VaultRequest>(
  organisation: string,
  { kind }: R,
  answer: VaultAnswer,
): AnswerTo<R> {
  if (answer.kind === 'refusal') {
    const { code, retryAfterMs } = answer.body
    if (code === 'busy') throw new VaultPeerError('busy', organisation, { retryAfterMs })
    throw new VaultPeerError('refused', organisation, { refusal: code, retryAfterMs })
  }
  if (!isAnswerTo<R>(kind, answer)) throw new VaultPeerError('malformed', organisation)
  return answer
}

function isAnswerTo<R extends VaultRequest>(
  kind: R['kind'],
  answer: VaultAnswer,
): answer is AnswerTo<R> {
  return answer.kind === ANSWER_KINDS[kind]
}
