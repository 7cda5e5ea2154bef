// Where the keys of a node are, and what opens them.

import { list, path, text } from './option-kinds.ts'

export const KEYS_OPTIONS = {
  consensus: path({
    default: 'keys/consensus.json',
    description: 'Key that signs votes, relative to the home.',
  }),
  transport: path({
    default: 'keys/transport.json',
    description: 'Key of the libp2p identity, relative to the home.',
  }),
  anchor: path({
    default: 'keys/anchor.json',
    description: 'Key that signs record anchors, relative to the home.',
  }),
  seal: path({
    default: 'keys/seal.json',
    description: 'X25519 key that opens what is sealed to us, relative to the home.',
  }),
  passphrase_file: path({
    default: '',
    description:
      'File with the passphrase of the keys, relative to the home; empty: $CREDENTIALS_DIRECTORY/mooring-passphrase, or asked for on a terminal.',
  }),
  signer: text(
    {
      default: 'local',
      description:
        'Who signs votes: this node itself, or the signer at unix:<path> or tls://<host>:<port>.',
    },
    {
      pattern: '^(local|unix:[^\\0]{1,100}|tls://[^\\s/]{1,253}:[0-9]{1,5})$',
      hint: 'expected local, unix:<path> or tls://<host>:<port>',
      examples: ['unix:/run/signer.sock', 'tls://signer.st-mary.example:7424'],
    },
  ),
  signer_cert: path({
    default: '',
    description: 'Certificate that this node shows a signer over TLS, relative to the home.',
  }),
  signer_key: path({
    default: '',
    description: 'Private key of that certificate, relative to the home.',
  }),
  signer_ca: path({
    default: '',
    description: 'Certificate that vouches for the signer, relative to the home.',
  }),
}

export const SIGNER_OPTIONS = {
  listen: text(
    {
      default: 'unix:run/signer.sock',
      description:
        'Where `signer serve` listens: unix:<path>, relative to the home, or tls://<host>:<port>.',
    },
    {
      pattern: '^(unix:[^\\0]{1,100}|tls://[^\\s/]{1,253}:[0-9]{1,5})$',
      hint: 'expected unix:<path> or tls://<host>:<port>',
      examples: ['unix:/run/signer.sock', 'tls://0.0.0.0:7424'],
    },
  ),
  tls_cert: path({
    default: '',
    description: 'Certificate that the signer shows over TLS, relative to the home.',
  }),
  tls_key: path({
    default: '',
    description: 'Private key of that certificate, relative to the home.',
  }),
  client_ca: path({
    default: '',
    description: 'Certificate that vouches for the nodes that may ask, relative to the home.',
  }),
  clients: list(
    {
      default: [],
      description: 'Names in the certificates of the nodes that may ask; none: nobody over TLS.',
    },
    {
      pattern: '^[A-Za-z0-9][A-Za-z0-9.-]{0,62}$',
      hint: 'expected a name',
      examples: ['st-mary', 'node.st-mary.example'],
    },
  ),
}
