// Documents about who may ask a node, and what was done to it.

import {
  answer,
  answered,
  type DocumentSchema,
  document,
  flag,
  items,
  listOf,
  object,
  oneOf,
  orNull,
  text,
  time,
} from './forms.ts'

const certificate = {
  file: text,
  subject: text,
  names: text,
  issuer: text,
  isAuthority: flag,
  serial: text,
  notBefore: time,
  notAfter: time,
}

const finding = object({ code: text, severity: oneOf('page', 'ticket'), detail: text })

export const ADMISSION_SCHEMAS = {
  'mooring/token-created/v1': answered('A new token.', 'Token', { token: orNull(text) }),
  'mooring/tokens/v1': items('The tokens of a node.', answer('Token')),
  'mooring/token/v1': answered('A token that was revoked.', 'Token'),
  'mooring/certificate/v1': document('A certificate that was issued.', {
    ...certificate,
    keyFile: text,
  }),
  'mooring/certificates/v1': items('Certificates of a home.', object(certificate)),
  'mooring/tls-check/v1': document('How long certificates are good.', {
    ok: flag,
    items: listOf(object(certificate)),
    findings: listOf(finding),
  }),
  'mooring/reload/v1': items('What a node read again.', answer('Reloaded')),
  'mooring/acts/v1': items('What was done to a node.', answer('AdminAct')),
} satisfies Readonly<Record<string, DocumentSchema>>
