// What a node answered, or that it did not, as an error with a text of the catalogue.

import { catalogEntry, explain } from '@mooring/node/errors'
import { NodeError } from '@mooring/node/node-error'
import { formatDuration } from '@mooring/node/option-values'
import type { Failure } from '@mooring/node'
import { ApiProblem } from '@mooring/api/client'
import { shownCertificate } from '@mooring/api/node-client'
import { formatTime } from './output.ts'

// A problem that a node described itself, on its way to the terminal.
export class RemoteError extends Error {
  override readonly name = 'RemoteError'
  readonly failure: Failure

  constructor(failure: Failure, cause: unknown) {
    super(failure.what, { cause })
    this.failure = failure
  }
}

function reasonOf(error: unknown): string {
  let reason = 'no connection'
  for (let each = error; each instanceof Error; each = each.cause) {
    if ('code' in each && typeof each.code === 'string') reason = each.code
    else if (each.message !== '' && each.cause === undefined) reason = each.message
  }
  return reason === 'ECONNREFUSED' ? 'connection refused' : reason
}

const CERTIFICATE_CODES = [
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'ERR_TLS_CERT_ALTNAME_INVALID',
]

// A certificate of the node that is not believed: whose it is, and why not.
async function tlsError(problem: ApiProblem, { url }: { url: string }): Promise<Error | undefined> {
  const reason = reasonOf(problem.cause)
  if (problem.code !== 'unreachable' || !CERTIFICATE_CODES.includes(reason)) return undefined
  const shown = await shownCertificate(url)
  const subject = shown?.subject ?? 'nobody'
  const at = shown === undefined ? '' : formatTime(shown.notAfter)
  const code = reason === 'CERT_HAS_EXPIRED' ? 'server_expired' : 'server_untrusted'
  return new NodeError(code, { url, subject, at, reason }, { cause: problem })
}

function remoteError(
  problem: ApiProblem,
  endpoint: { url: string; origin: string },
  timeoutMs: number,
): Error {
  const { url, origin } = endpoint
  switch (problem.code) {
    case 'unreachable':
      return new NodeError(
        'endpoint_unreachable',
        { url, origin, detail: reasonOf(problem.cause) },
        { cause: problem },
      )
    case 'timeout':
      return new NodeError(
        'request_timeout',
        { url, timeout: formatDuration(timeoutMs) },
        { cause: problem },
      )
    case 'incomplete':
      return new NodeError('answer_incomplete', { detail: problem.detail }, { cause: problem })
    case 'foreign_answer':
      return new NodeError('endpoint_strange', { url, detail: problem.detail }, { cause: problem })
    default:
      return new RemoteError(describe(problem), problem)
  }
}

function describe(problem: ApiProblem): Failure {
  const { mor, code, title, detail, errors } = problem
  const known = mor === undefined ? catalogEntry(code) : explain(mor)?.entry
  const entry = known ?? {
    mor: mor ?? 'MOR-1000',
    title,
    status: problem.status,
    exitCode: 1,
    meaning: detail,
    fix: ['Update this program: the node is newer and knows errors that it does not.'],
  }
  const rows = errors.map((item) => {
    const place =
      item.line === undefined ? (item.pointer ?? '') : `${item.line}:${item.column ?? 1}`
    return `${place.padEnd(8)}${item.detail}`.trim()
  })
  return {
    entry,
    code,
    what: known?.title ?? title,
    where: detail,
    rows,
    fix: entry.fix,
    stack: problem.stack,
  }
}

// Runs what asks a node; what the node refuses becomes an error with a text for people.
export async function asking<T>(
  endpoint: { url: string; origin: string },
  timeoutMs: number,
  work: Promise<T>,
): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (error instanceof ApiProblem)
      throw (await tlsError(error, endpoint)) ?? remoteError(error, endpoint, timeoutMs)
    throw error
  }
}
