// Listeners for clients: programs of the hospital, and wallets of patients.

import { address, choice, list, path, size } from './option-kinds.ts'

const MIB = 1024 ** 2

export const HTTP_OPTIONS = {
  listen: address({
    default: '127.0.0.1:7421',
    description: 'Address of the HTTP API; only loopback while clients are not authenticated.',
    profiles: { test: '127.0.0.1:0' },
  }),
  body_limit: size([1024, 256 * MIB], {
    default: 16 * MIB,
    description: 'Largest request body.',
  }),
  explorer: choice(['on', 'off'], {
    default: 'on',
    description: 'Whether a browser finds the explorer under /ui/.',
  }),
}

export const ADMIN_OPTIONS = {
  socket: path({
    default: 'run/admin.sock',
    description:
      'Socket for who runs the node, relative to the home; only its owner can open it. Empty turns it off.',
  }),
}

export const PATIENTS_OPTIONS = {
  listen: address({
    default: '',
    description:
      'Address at which wallets reach this node, also from outside; empty turns it off. Put TLS before it.',
  }),
  hosts: list(
    {
      default: [],
      description: 'Names under which wallets reach it: "patients.st-mary.example".',
    },
    {
      pattern: '^[a-z0-9.-]{1,253}(:[0-9]{1,5})?$',
      hint: 'expected a host name',
      examples: ['patients.st-mary.example', 'wallets.example:8443'],
    },
  ),
}
