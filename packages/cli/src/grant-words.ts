// A grant in words: for the patient who gives it and the recipient who accepts it.

import { toHex } from '@mooring/codec'
import { formatDidKey } from '@mooring/crypto'
import type { Grant, Provision, WalletGrant } from '@mooring/records'
import { formatFields, formatTime } from './output.ts'

type Field = readonly [name: string, value: string]

type GrantState = 'live' | 'not_yet' | 'expired' | 'revoked'

/** As the wallet knows it. */
export function stateOf(
  { openedAt, expiresAt, revokedAt }: Pick<WalletGrant, 'openedAt' | 'expiresAt' | 'revokedAt'>,
  now: number,
): GrantState {
  if (revokedAt !== null) return 'revoked'
  if (expiresAt <= now) return 'expired'
  return openedAt > now ? 'not_yet' : 'live'
}

export function formatGrantWords(grant: Grant, extra: readonly Field[] = []): string {
  const { consent, practitioner, signerKey, patientKey } = grant
  const isDelegate = toHex(signerKey) !== toHex(patientKey)
  return formatFields([
    ['grant', toHex(grant.id)],
    ['patient', formatDidKey(patientKey)],
    ...(isDelegate ? [['signed by', formatDidKey(signerKey)] as const] : []),
    ['custodian', grant.custodian],
    ['recipient', grant.recipient],
    ...(practitioner === null ? [] : [['practitioner', formatDidKey(practitioner)] as const]),
    ['for', grant.purposes.join(', ')],
    ['from', formatTime(grant.notBefore)],
    ['until', formatTime(grant.expiresAt)],
    [consent.root.type, wordsOf(consent.root) || 'all that is not sensitive'],
    ...consent.provisions.map((each): Field => [each.type, exceptionOf(each)]),
    ...extra,
  ])
}

/** What limits it, in one line; empty for nothing. */
export function wordsOf(provision: Provision): string {
  const { classes, types, records, fields, authors, encounters, firstDay, lastDay } = provision
  const labels = [...provision.confidentialities, ...provision.sensitivities]
  return [
    list('class', classes),
    list('type', types),
    list(
      'record',
      records.map((record) => `${toHex(record).slice(0, 12)}…`),
    ),
    list('field', fields),
    list('label', labels),
    list('author', authors),
    list('encounter', encounters),
    firstDay === null ? '' : `since ${firstDay}`,
    lastDay === null ? '' : `up to ${lastDay}`,
  ]
    .filter((words) => words !== '')
    .join('; ')
}

function exceptionOf(provision: Provision): string {
  const who = provision.actors.flatMap(({ practitioner }) =>
    practitioner === null ? [] : [formatDidKey(practitioner)],
  )
  const { purposes } = provision
  return [wordsOf(provision), list('practitioner', who), list('purpose', purposes)]
    .filter((words) => words !== '')
    .join('; ')
}

function list(name: string, values: readonly string[]): string {
  return values.length === 0 ? '' : `${name} ${values.join(' or ')}`
}
