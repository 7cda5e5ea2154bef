// What is measured at the doors of a node: HTTP, event streams, records and those who read them.

import { COUNTS, type Declaration, SECONDS } from './metrics-declaration.ts'

export const declareRecords = (to: Declaration) => ({
  records: to.counter('records_total', 'Records by outcome.', ['kind', 'result']),
  anchorBatchRecords: to.histogram('anchor_batch_records', 'Records in a batch.', COUNTS),
  anchorDelay: to.histogram('anchor_delay_seconds', 'Record received until anchored.', SECONDS),
  accessBatchEntries: to.histogram('access_batch_entries', 'Access entries in a batch.', COUNTS),
  accessPending: to.gauge('access_pending', 'Access entries that no final block has so far.'),
  accessServed: to.counter(
    'access_served_total',
    'Requests for records, by why they were made and what came of them; never by who or whose.',
    ['class', 'result'],
  ),
  grantRevocation: to.histogram(
    'grant_revocation_seconds',
    'A revocation handed in here until it is final; from then on every holder refuses.',
    SECONDS,
  ),
  emergencyOpen: to.histogram(
    'emergency_open_seconds',
    'A request for an emergency until the set was opened.',
    SECONDS,
  ),
})

export const declareHttp = (to: Declaration) => ({
  httpRequests: to.counter('http_requests_total', 'Requests by route template.', [
    'route',
    'method',
    'status',
  ]),
  httpRequest: to.histogram('http_request_seconds', 'Time to answer.', SECONDS, ['route']),
  httpInFlight: to.gauge('http_in_flight', 'Requests being answered.'),
  httpRateLimited: to.counter('http_rate_limited_total', 'Requests over their rate.', ['role']),
  httpAuthFailures: to.counter('http_auth_failures_total', 'Requests that were not let in.', [
    'reason',
  ]),
  sseClients: to.gauge('sse_clients', 'Open event streams.'),
  sseDropped: to.counter('sse_dropped_total', 'Event streams that this node ended.', ['reason']),
})
