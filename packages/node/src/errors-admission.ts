// Texts for who may ask a node: tokens, certificates, roles, rates.

import type { ApiCode } from '@mooring/api'
import { type CatalogEntry, entry } from './error-entry.ts'

export type AdmissionErrorCode =
  | 'token_invalid'
  | 'token_missing'
  | 'tokens_unreadable'
  | 'tokens_full'
  | 'tls_unreadable'
  | 'tls_mismatch'
  | 'tls_expired'
  | 'tls_expires'
  | 'tls_open'
  | 'tls_exists'
  | 'tls_unusable'
  | 'reload_refused'
  | 'server_expired'
  | 'server_untrusted'

type AdmissionApiCode = Extract<
  ApiCode,
  | 'credentials_missing'
  | 'token_unknown'
  | 'token_expired'
  | 'token_revoked'
  | 'certificate_expired'
  | 'certificate_refused'
  | 'certificate_unknown'
  | 'role_missing'
  | 'admin_socket_only'
  | 'too_many_requests'
>

export const ADMISSION_API_TEXTS: Record<AdmissionApiCode, CatalogEntry> = {
  credentials_missing: entry(4200, 5, 401)(
    'The request shows neither a token nor a certificate',
    'Without either this node answers proofs at most; see [http] open.',
    'Who runs the node asks it over its socket:   mooring --home <home> …',
    'Others show a token:   --token-file <file>, made with mooring token create',
  ),
  token_unknown: entry(4201, 5, 401)(
    'The token is none of this node',
    'Nobody made it here, or its secret is wrong.',
    'See which there are:   mooring token list',
    'Make a new one:   mooring token create --role viewer --name <name>',
  ),
  token_expired: entry(4202, 5, 401)(
    'The token has expired',
    'A token lives as long as was said when it was made.',
    'Make a new one, and hand it to its user:   mooring token create --role viewer --name <name>',
  ),
  token_revoked: entry(4203, 5, 401)(
    'The token was revoked',
    'Who runs the node has taken it back.',
    'Ask them for another one. They see why in their list:   mooring token list',
  ),
  certificate_expired: entry(4204, 5, 401)(
    'The certificate of the client has expired',
    'The detail names whose it is, and since when.',
    'Issue a new one:   mooring tls issue <name> --for client',
  ),
  certificate_refused: entry(4205, 5, 401)(
    'The certificate of the client is not accepted',
    'It was not issued by the authority in [http] client_ca, or is not for clients.',
    'Issue one with that authority:   mooring tls issue <name> --for client',
  ),
  certificate_unknown: entry(4206, 5, 403)(
    'No role is set for the certificate',
    'It is valid, and none of its names is in [http] client_roles.',
    'Add "<name>=<role>" to [http] client_roles, and have the node read it: SIGHUP.',
  ),
  role_missing: entry(4207, 5, 403)(
    'The role of the caller does not permit this',
    'The detail says which role is needed. A role includes nothing that it has no need for.',
    'Use a token of that role:   mooring token create --role <role> --name <name>',
  ),
  admin_socket_only: entry(4208, 5, 403)(
    'This is served on the admin socket alone',
    'What administers a node is not answered to the network, whatever the token.',
    'Ask on the computer of the node:   mooring --home <home> …',
  ),
  too_many_requests: entry(4209, 9, 429)(
    'Too many requests',
    'Each token, and each address without one, may ask so often; see [http] rate.',
    'Wait as long as Retry-After says, and ask less often.',
  ),
}

export const ADMISSION_TEXTS: Record<AdmissionErrorCode, CatalogEntry> = {
  token_invalid: entry(4220, 2, 422)(
    'The token cannot be made',
    '{detail}.',
    'See the roles and limits:   mooring token create --help',
  ),
  token_missing: entry(4221, 6, 404)(
    'There is no such token',
    'This node has made none with the id {id}.',
    'See which there are:   mooring token list',
  ),
  tokens_unreadable: entry(4222, 3)(
    'The file of tokens cannot be read',
    '{path}: {detail}.',
    'Bring it from a backup, or put it aside; then every token has to be made again.',
  ),
  tokens_full: entry(4223, 7, 409)(
    'There are too many tokens',
    'A node keeps {limit} that have not expired.',
    'Revoke what nobody uses:   mooring token list',
  ),
  tls_unreadable: entry(4224, 3)(
    'A certificate or its key cannot be read',
    '{path}: {detail}.',
    'Check the path, and that the file is PEM:   mooring tls check',
  ),
  tls_mismatch: entry(4225, 3)(
    'The certificate and the key do not belong together',
    '{cert} names another public key than {key} has.',
    'Name the key that the certificate was issued for:   mooring tls list',
  ),
  tls_expired: entry(4226, 8)(
    'A certificate has expired',
    '{path}, of "{subject}", expired at {at}.',
    'Issue a new one, and have the node read it:   mooring tls issue <name>, then SIGHUP',
  ),
  tls_expires: entry(4227, 8)(
    'A certificate expires soon',
    '{path}, of "{subject}", expires at {at}.',
    'Issue a new one before, and have the node read it:   mooring tls issue <name>, then SIGHUP',
  ),
  tls_open: entry(4228, 3)(
    'Others can read the key of a certificate',
    '{path} has mode {mode}.',
    'chmod 600 {path}',
  ),
  tls_exists: entry(4229, 7, 409)(
    'There is such a certificate already',
    '{path} exists.',
    'Replace it:   --force',
  ),
  tls_unusable: entry(4230, 2)(
    'The certificate cannot be issued',
    '{detail}.',
    'See what is needed:   mooring tls issue --help',
  ),
  server_expired: entry(4210, 4)(
    'The certificate of the node has expired',
    'That of {url}, for "{subject}", expired at {at}.',
    'Tell who runs it: mooring tls issue <name>, then SIGHUP. They ask it over its socket meanwhile.',
  ),
  server_untrusted: entry(4211, 4)(
    'The certificate of the node is not trusted',
    'That of {url} is for "{subject}", until {at}: {reason}.',
    'Name the authority that issued it:   --cacert <file>',
    'Use the name that it was issued for:   --endpoint https://<name>:7421',
  ),
  reload_refused: entry(4231, 3, 422)(
    'What was read again is wrong, and nothing has changed',
    '{detail}.',
    'Correct the file, and have it read again.',
  ),
}
