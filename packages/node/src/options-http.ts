// Listeners for clients: programs of the hospital, and wallets of patients.

import { address, choice, list, path, size, text } from './option-kinds.ts'

const MIB = 1024 ** 2

const HOST_NAMES = {
  pattern: '^[a-z0-9.-]{1,253}(:[0-9]{1,5})?$',
  hint: 'expected a host name',
  examples: ['ledger.st-mary.example', 'wallets.example:8443'],
} as const

// How a listener speaks TLS; the same three names in each section that has one.
const tlsOptions = (who: string) => ({
  tls_cert: path({
    default: '',
    description: `Certificate for ${who}, PEM with the chain, relative to the home; empty: no TLS here.`,
  }),
  tls_key: path({
    default: '',
    description: 'Its private key, PEM, relative to the home; nobody else may read the file.',
  }),
  tls_terminated: choice(['off', 'on'], {
    default: 'off',
    description: 'On: a proxy before this listener speaks TLS with the clients, and limits them.',
  }),
})

export const HTTP_OPTIONS = {
  listen: address({
    default: '127.0.0.1:7421',
    description: 'Address of the HTTP API; one that is not loopback needs TLS.',
    profiles: { test: '127.0.0.1:0' },
  }),
  ...tlsOptions('clients of the API'),
  client_ca: path({
    default: '',
    description:
      'Who may issue certificates of clients, PEM, relative to the home; empty: they show tokens.',
  }),
  client_roles: list(
    {
      default: [],
      description:
        'Names in certificates of clients, and the role of each: "lab-gateway=submitter".',
    },
    {
      pattern: '^[^=,]{1,253}=(viewer|submitter|auditor|operator|admin)$',
      hint: 'expected a name and a role, such as "lab-gateway=submitter"',
      examples: ['lab-gateway=submitter', 'prometheus.st-mary.example=viewer'],
    },
  ),
  hosts: list(
    {
      default: [],
      description: 'Names besides loopback under which clients reach it.',
    },
    { ...HOST_NAMES },
  ),
  open: choice(['loopback', 'proofs', 'nobody'], {
    default: 'proofs',
    description:
      'What is answered to who shows no token and no certificate: everything but administration to this computer, proofs to anybody, or nothing.',
    profiles: { devnet: 'loopback', test: 'loopback' },
  }),
  rate: text(
    {
      default: '50/s',
      description: 'Requests a second of one caller, twice as many at once; off: any number.',
      profiles: { devnet: 'off', test: 'off' },
    },
    {
      pattern: '^([1-9][0-9]{0,5}/s|off)$',
      hint: 'expected requests a second such as "50/s", or off',
      examples: ['50/s', 'off'],
    },
  ),
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
    description: 'Address at which wallets reach this node, also from outside; empty turns it off.',
  }),
  ...tlsOptions('wallets'),
  hosts: list(
    {
      default: [],
      description: 'Names under which wallets reach it: "patients.st-mary.example".',
    },
    { ...HOST_NAMES },
  ),
}
