// Texts for what goes wrong between this node and the others, and between it and its clients.

import { ADMISSION_API_TEXTS } from './errors-admission.ts'
import type { ApiCode } from '@mooring/api'
import type { NetworkErrorCode } from '@mooring/network'
import { type CatalogEntry, entry } from './error-entry.ts'

const LATER = 'Try again in a moment.'

export const NETWORK_TEXTS: Record<NetworkErrorCode, CatalogEntry> = {
  not_admitted: entry(2001, 5, 403)(
    'The peer is not admitted',
    'Its peer id belongs to no member, and the local list does not name it.',
    'Add it to [p2p] allow_list, or have the members admit it.',
  ),
  dial_failed: entry(2002, 4, 502)(
    'The peer cannot be reached',
    'None of its addresses took a connection.',
    'Check that it runs, and the firewall between both for its port (7420).',
  ),
  no_address: entry(2003, 4, 502)(
    'No address of the peer is known',
    'The member is known by its key, and nobody told where it is.',
    'Add its address to [p2p] peers.',
  ),
  wrong_network: entry(2004, 13, 409)(
    'The peer is on another network',
    'Its genesis digest differs from ours; the two share no block.',
    'Compare the files:   mooring genesis show   (ask them to run the same)',
  ),
  wrong_protocol_version: entry(2005, 13, 409)(
    'The peer speaks another protocol version',
    'Neither side speaks a version of the other.',
    'Update the older of the two.',
  ),
  hello_malformed: entry(2006, 4, 502)(
    'The peer did not greet as a Mooring node does',
    'Its first message cannot be read.',
    'Check what runs at that address.',
  ),
  hello_timeout: entry(2007, 4, 504)(
    'The peer did not greet in time',
    'The connection stood, and no hello came.',
    'The node dials again by itself; look at the log of the peer.',
  ),
  silent: entry(2008, 4, 504)(
    'The peer fell silent',
    'Nothing arrived for too long, so the connection was closed.',
    'The node dials again by itself; check the line between both.',
  ),
  not_connected: entry(2009, 4, 503)(
    'The peer is not connected',
    'A message for it cannot leave now.',
    'The node dials again by itself:   mooring status',
  ),
  disconnected: entry(2010, 4, 502)(
    'The connection was lost',
    'It ended while something was on the way.',
    'The node dials again by itself; check the line between both.',
  ),
  timeout: entry(2011, 4, 504)(
    'The peer did not answer in time',
    'The request was sent and no answer came.',
    'Another peer is asked by itself.',
  ),
  busy: entry(2012, 4, 503)(
    'The peer has too much to do',
    'It answers only some requests of one peer at a time.',
    LATER,
  ),
  refused: entry(2013, 4, 403)(
    'The peer refused the connection',
    'It closed right after the handshake: most likely it has not admitted this node.',
    'Send the peer id of this node to its operator:   mooring status',
  ),
  closed: entry(2014, 4, 503)(
    'The network part is closed',
    'The node is stopping.',
    'Start it again:   mooring start',
  ),
  too_large: entry(2015, 4, 413)(
    'A message is larger than its channel takes',
    'Limits bound what one peer can make another hold.',
    'Check that both run the same version.',
  ),
  bad_address: entry(2016, 3, 400)(
    'An address cannot be used',
    'It is no multiaddress with ip4, ip6 or dns and tcp.',
    'Write it like this:   /dns4/riverside.example/tcp/7420/p2p/12D3KooW…',
  ),
  listen_failed: entry(2017, 1)(
    'The node cannot listen for peers',
    'Another program holds the port, or the address is not one of this computer.',
    'See who holds it:   ss -ltnp   and change [p2p] listen',
  ),
}

export const API_TEXTS: Record<ApiCode, CatalogEntry> = {
  ...ADMISSION_API_TEXTS,
  invalid_request: entry(4001, 2, 400)(
    'The request does not match its schema',
    'A parameter or the body has another form than the contract says.',
    'Compare with /openapi.json of the node.',
  ),
  malformed_request: entry(4002, 2, 400)(
    'The request is not valid HTTP',
    'The bytes that arrived are no HTTP request.',
    'Check the client, and proxies on the way.',
  ),
  malformed_body: entry(4003, 2, 400)(
    'The body cannot be read',
    'It is not what its content type says.',
    'Check the content type and the encoding.',
  ),
  invalid_cursor: entry(4004, 2, 400)(
    'The cursor was not made by this node for this list',
    'Cursors are opaque and end with the process that made them.',
    'Start the list again without a cursor.',
  ),
  invalid_idempotency_key: entry(4005, 2, 400)(
    'The Idempotency-Key header cannot be used',
    'It is empty, too long or has characters that do not belong there.',
    'Use a random UUID for each submission.',
  ),
  foreign_origin: entry(4037, 5, 403)(
    'A page of another site may not ask this',
    'The Origin header names another site: its page tried to use the browser of a person here.',
    'Send records from a program, without an Origin header.',
  ),
  patient_unsigned: entry(5120, 5, 401)(
    'The request is not signed by a patient',
    'What concerns one patient is answered to the wallet of that patient alone, which signs every request.',
    'Ask with the wallet:   mooring patient hospitals',
  ),
  unknown_grant: entry(5121, 6, 404)(
    'No grant has this handle',
    'This node has signed no grant under that handle; a grant of a wallet is taken back with the wallet.',
    'See the grants of a patient:   mooring grant list --patient <reference>',
    'Take it back where it was made:   mooring patient grant revoke',
  ),
  unknown_route: entry(4006, 6, 404)(
    'There is nothing at this address',
    'No route of the API has this path.',
    'See /openapi.json of the node.',
  ),
  unknown_block: entry(4007, 6, 404)(
    'No final block has this height or digest',
    'The chain is not that long yet, or the digest is of no final block.',
    'See the newest:   mooring block list',
  ),
  unknown_transaction: entry(4008, 6, 404)(
    'No transaction has this id',
    'It is neither final nor waiting on this node.',
    'It may have expired; submit it again. Or ask the node that took it.',
  ),
  unknown_evidence: entry(4036, 6, 404)(
    'No evidence has this id',
    'This node has never seen it; what one honest member knows, all get to know.',
    'See what there is:   mooring evidence list',
  ),
  unknown_access: entry(4051, 6, 404)(
    'The access log has no line with this id',
    'Every node logs what was asked of it and what it asked; this one was not part of that.',
    'See what there is:   mooring access list',
  ),
  unknown_change: entry(4029, 6, 404)(
    'No change has this id',
    'The id is that of the transaction which proposed it; this node knows no such proposal.',
    'See them:   mooring change list',
  ),
  unknown_erasure: entry(4039, 6, 404)(
    'Nobody has asked that this record be erased',
    'Neither its patient nor this custodian has.',
    'See what is erased or restricted here:   mooring record erasures',
  ),
  unknown_record: entry(4009, 6, 404)(
    'No record has this id',
    'Records never travel on the chain: only their custodian has them.',
    'Ask the node that took it, with --endpoint. See what this one keeps:   mooring record list',
    'Under a grant, see what it opens:   mooring record list --grant <file>',
  ),
  unknown_proof: entry(4010, 6, 404)(
    'There is nothing to prove under this id',
    'No record or transaction has this id here.',
    'Ask the node that took it, with --endpoint.',
  ),
  proof_not_ready: entry(4011, 9, 404)(
    'The proof exists only after finality',
    'It is accepted and waits for a final block.',
    'Ask again in a moment; see what blocks wait for:   mooring status',
  ),
  method_not_allowed: entry(4012, 2, 405)(
    'The address does not take this method',
    'The path exists with another method.',
    'See /openapi.json of the node.',
  ),
  request_timeout: entry(4013, 4, 408)(
    'The request did not arrive in time',
    'Its bytes came too slowly.',
    'Check the line to the node.',
  ),
  idempotency_in_flight: entry(4014, 7, 409)(
    'A request with this Idempotency-Key is still running',
    'Its answer will be given to both.',
    LATER,
  ),
  body_too_large: entry(4015, 2, 413)(
    'The body is too large',
    'The limit protects the memory of the node.',
    'Split the submission, for example into one resource a line (NDJSON).',
  ),
  unsupported_media_type: entry(4016, 2, 415)(
    'The content type is not accepted here',
    'Records are FHIR as JSON or NDJSON, or bytes of any other media type but web forms.',
    'Set the Content-Type header.',
  ),
  unknown_host: entry(4017, 2, 421)(
    'This node does not answer to that host name',
    'The Host header is checked, so that a web page cannot reach the node by a name of its own.',
    'Use 127.0.0.1 or localhost in the address.',
  ),
  invalid_submission: entry(5100, 2, 422)(
    'The submission was refused',
    'At least one entry is not valid, so that nothing was taken.',
    'Correct the places that are named, or take the good ones with --partial (NDJSON).',
  ),
  malformed_transaction: entry(4018, 2, 422)(
    'The transaction cannot be read',
    'It is not the canonical encoding of a transaction.',
    'Build it with the ledger package.',
  ),
  idempotency_key_reused: entry(4019, 7, 422)(
    'The Idempotency-Key was used for another request',
    'One key stands for one body.',
    'Use a new key for new content.',
  ),
  headers_too_large: entry(4020, 2, 431)(
    'The header fields are too large',
    'They exceed 8 KiB.',
    'Send fewer of them.',
  ),
  internal_error: entry(4021, 1, 500)(
    'Something failed inside the node',
    'The cause is in its log, under the id of the request.',
    'Look there, and report it.',
  ),
  address_in_use: entry(4022, 1)(
    'The address of the API is taken',
    'Another program listens there.',
    'See which one:   ss -ltnp   and change [http] listen',
  ),
  listen_failed: entry(4023, 1)(
    'The API cannot listen',
    'The address is not one of this computer, or not allowed to this user.',
    'Check [http] listen and [metrics] listen.',
  ),
  overloaded: entry(4024, 4, 503)(
    'The node has too many requests in flight',
    'It answers those it has before it takes more.',
    LATER,
  ),
  too_many_streams: entry(4025, 4, 503)(
    'The node has too many event streams open',
    'Each stream holds memory for events that its reader has not taken.',
    'Close streams that nobody reads.',
  ),
  closing: entry(4026, 4, 503)(
    'The node is stopping',
    'It finishes what it has and takes nothing new.',
    'Ask another node, or wait until it is back.',
  ),
  not_ready: entry(4027, 9, 503)(
    'The node is not ready',
    'One of its conditions does not hold; the detail names it.',
    'See them:   mooring status',
  ),
  not_live: entry(4028, 1, 503)(
    'The node does not work',
    'Its loop does not turn any more.',
    'Restart it, and report its log.',
  ),
}
