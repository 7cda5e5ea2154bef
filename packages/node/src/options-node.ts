// Who this node is, in which network, and how it ends.

import { choice, duration, path, PROFILES, text } from './option-kinds.ts'

export const NODE_OPTIONS = {
  name: text(
    { default: '', description: 'Name of this node; an authority uses its organisation id.' },
    {
      pattern: '^([a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?)?$',
      hint: 'expected 1 to 64 of a-z, 0-9 and -',
      examples: ['st-mary', 'riverside'],
    },
  ),
  role: choice(['authority', 'observer'], {
    default: 'observer',
    description:
      'What a founder is to be before there is a chain; from then on the chain says who votes.',
  }),
  profile: choice(PROFILES, {
    default: 'prod',
    description: 'Set of defaults: prod, devnet (loopback, plaintext keys) or test.',
  }),
}

export const NETWORK_OPTIONS = {
  genesis: path({
    default: 'genesis.json',
    description: 'Genesis file, relative to the folder of the configuration file.',
  }),
  id: text(
    { default: '', description: 'Network id; when set, the genesis must have this id.' },
    {
      pattern: '^(moor-[0-9a-f]{8})?$',
      hint: 'expected moor- and 8 hexadecimal digits',
      examples: ['moor-a1b2c3d4', 'moor-00112233'],
    },
  ),
}

export const SHUTDOWN_OPTIONS = {
  timeout: duration([1_000, 600_000], {
    default: 20_000,
    description: 'Longest time an orderly stop may take.',
    profiles: { devnet: 5_000, test: 5_000 },
  }),
  grace: duration([0, 60_000], {
    default: 0,
    description: 'How long a node that stops is not ready before it refuses work: for a balancer.',
  }),
  on_fatal: choice(['exit', 'hold'], {
    default: 'exit',
    description: 'After a failure that no restart cures: end, or stay, not ready, to be looked at.',
  }),
}
