// Documents of commands that look at a node.

import { answer, answered, anything, count, document, flag, items, orNull, text } from './forms.ts'

export const SEEING_SCHEMAS = {
  'mooring/doctor/v1': document('What was looked at, and how it is.', {
    ok: flag,
    items: { type: 'array', items: answer('Check') },
  }),
  'mooring/alarms/v1': items('The alarms that are raised.', answer('Alarm')),
  'mooring/alarm-ack/v1': answered('An alarm that somebody has taken note of.', 'Acknowledged'),
  'mooring/bundle-file/v1': document('A bundle that was written.', {
    path: text,
    bytes: count,
    redacted: flag,
  }),
  'mooring/event/v1': document('One event of a node.', {
    type: text,
    id: orNull(text),
    data: anything,
  }),
  'mooring/inspection/v1': document('What of a home can be read, and where.', {
    url: text,
    parts: {
      type: 'array',
      items: {
        type: 'object',
        required: ['part', 'isReadable', 'detail'],
        properties: { part: text, isReadable: flag, detail: text },
      },
    },
  }),
  'mooring/log-level/v1': answered('How much a node logs.', 'LogLevel'),
  'mooring/checkpoint/v1': answered('A final block with its certificate.', 'Checkpoint'),
  'mooring/checkpoint-comparison/v1': document('Whether nodes have the same block.', {
    ok: flag,
    items: {
      type: 'array',
      items: {
        type: 'object',
        required: ['from', 'height', 'digest', 'isSame'],
        properties: { from: text, height: count, digest: text, isSame: flag },
      },
    },
  }),
}
