// Every option of a node, in one table. Flags, environment variables, the configuration file, the
// help texts and the reference page are made from it, so that a name exists once:
// `[p2p] max_peers` in the file, MOORING_P2P_MAX_PEERS in the environment, --p2p-max-peers as a flag.
// What must be equal on all nodes (block limits, the heartbeat, Δ) is no option: it is in the genesis.

import {
  address,
  choice,
  duration,
  integer,
  levels,
  list,
  type Option,
  path,
  PROFILES,
  size,
  text,
} from './option-kinds.ts'

const MULTIADDR = { pattern: '^/(ip4|ip6|dns|dns4|dns6)/[^/]+/tcp/\\d{1,5}(/p2p/[A-Za-z0-9]+)?$' }
const MIB = 1024 ** 2
const RETENTION_YEARS_MAX = 150

export const OPTIONS = {
  node: {
    name: text(
      { default: '', description: 'Name of this node; an authority uses its organisation id.' },
      {
        pattern: '^([a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?)?$',
        hint: 'expected 1 to 64 of a-z, 0-9 and -',
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
  },
  network: {
    genesis: path({
      default: 'genesis.json',
      description: 'Genesis file, relative to the folder of the configuration file.',
    }),
    id: text(
      { default: '', description: 'Network id; when set, the genesis must have this id.' },
      { pattern: '^(moor-[0-9a-f]{8})?$', hint: 'expected moor- and 8 hexadecimal digits' },
    ),
  },
  keys: {
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
  },
  p2p: {
    listen: list(
      {
        default: ['/ip4/0.0.0.0/tcp/7420'],
        description: 'Multiaddresses to listen on.',
        profiles: { devnet: ['/ip4/127.0.0.1/tcp/7420'], test: ['/ip4/127.0.0.1/tcp/0'] },
      },
      { ...MULTIADDR, hint: 'expected a multiaddress such as "/ip4/0.0.0.0/tcp/7420"' },
    ),
    announce: list(
      { default: [], description: 'Multiaddresses that the others should dial instead.' },
      { ...MULTIADDR, hint: 'expected a multiaddress such as "/dns4/st-mary.example/tcp/7420"' },
    ),
    peers: list(
      { default: [], description: 'Addresses of members, each ending in /p2p/<peer id>.' },
      {
        pattern: '^/(ip4|ip6|dns|dns4|dns6)/[^/]+/tcp/\\d{1,5}/p2p/[A-Za-z0-9]+$',
        hint: 'expected an address that ends in /p2p/<peer id>',
      },
    ),
    max_peers: integer([1, 1000], { default: 64, description: 'Most connections at one time.' }),
    allow: choice(['members', 'members+list', 'list'], {
      default: 'members',
      description: 'Who may connect: the members on the chain, the local list, or both.',
    }),
    allow_list: list(
      { default: [], description: 'Peer ids admitted besides, or instead of, the members.' },
      { pattern: '^[A-Za-z0-9]{40,64}$', hint: 'expected a peer id such as "12D3KooW…"' },
    ),
  },
  consensus: {
    signer_state: path({
      default: '',
      description:
        'File of the high-water marks, best on another disk; empty: signer.state in guard/.',
    }),
  },
  mempool: {
    max_count: integer([1, 1_000_000], {
      default: 10_000,
      description: 'Most transactions waiting for a block.',
      profiles: { devnet: 100_000 },
    }),
    max_bytes: size([64 * 1024, 4096 * MIB], {
      default: 64 * MIB,
      description: 'Most bytes of waiting transactions.',
    }),
    per_client: integer([1, 1_000_000], {
      default: 500,
      description: 'Most transactions waiting that came from one client.',
      profiles: { devnet: 100_000, test: 100_000 },
    }),
  },
  storage: {
    dir: path({ default: 'data', description: 'Databases, relative to the home.' }),
    cache: size([MIB, 16_384 * MIB], {
      default: 64 * MIB,
      description: 'Memory for the page cache of the state.',
      profiles: { test: 8 * MIB },
    }),
    retention: {
      kind: 'retention',
      default: 'forever',
      description:
        'How long bodies of old blocks are kept: forever, a time, or a number of blocks.',
    } satisfies Option<string>,
  },
  vault: {
    quota: size([0, 1024 * 1024 * 1024 * MIB], {
      default: 0,
      description: 'Most bytes kept for one other custodian; 0: as many as there is room.',
    }),
    reserve: size([0, 1024 * 1024 * MIB], {
      default: 4096 * MIB,
      description: 'Room on the disk that what is kept for others leaves free.',
      profiles: { devnet: 512 * MIB, test: 0 },
    }),
    repair_after: duration([1_000, 30 * 86_400_000], {
      default: 15 * 60_000,
      description: 'A holder that does not answer for so long is replaced by another one.',
      profiles: { devnet: 60_000 },
    }),
    audit_every: duration([1_000, 86_400_000], {
      default: 60_000,
      description: 'How often holders are asked for proof that they have their shards.',
    }),
    blobs: choice(['local', 's3'], {
      default: 'local',
      description: 'Where shards over 256 KiB are kept: in files of this computer, or in a bucket.',
    }),
    bucket: text(
      { default: '', description: 'Bucket for large shards, in S3 or what speaks its protocol.' },
      {
        pattern: '^([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])?$',
        hint: 'expected the name of a bucket: 3 to 63 of a-z, 0-9, . and -',
      },
    ),
    endpoint: text(
      { default: '', description: 'Address of the server of the bucket; empty: Amazon.' },
      {
        pattern: '^(https?://[A-Za-z0-9.:\\[\\]-]+)?$',
        hint: 'expected an address such as "https://s3.st-mary.example:9000"',
      },
    ),
    region: text(
      { default: 'us-east-1', description: 'Region of the bucket; many servers take any.' },
      { pattern: '^[a-z0-9-]{1,40}$', hint: 'expected a region such as "eu-central-1"' },
    ),
    prefix: text(
      {
        default: '',
        description: 'What the names of the objects begin with; empty: the name of this node.',
      },
      {
        pattern: '^[A-Za-z0-9/_.-]{0,200}$',
        hint: 'expected at most 200 of A-Z, a-z, 0-9, /, _, . and -',
      },
    ),
    credentials: path({
      default: 'keys/bucket.json',
      description: 'File with accessKeyId and secretAccessKey of the bucket, relative to the home.',
    }),
  },
  retention: {
    years: integer([0, RETENTION_YEARS_MAX], {
      default: 10,
      description: 'So many years the law keeps a record: no patient has it erased before.',
      profiles: { devnet: 0, test: 0 },
    }),
    classes: list(
      {
        default: [],
        description: 'Classes with a number of their own: "imaging=30", "sensitive:psy=15".',
      },
      {
        pattern: '^[a-z]{1,16}(:[a-z0-9]{1,32})?=[0-9]{1,3}$',
        hint: 'expected a class and years, such as "imaging=30"',
      },
    ),
  },
  sync: {
    mode: choice(['blocks', 'snapshot'], {
      default: 'blocks',
      description: 'How a node without a chain begins: with every block, or with a snapshot.',
    }),
  },
  http: {
    listen: address({
      default: '127.0.0.1:7421',
      description: 'Address of the HTTP API; only loopback while clients are not authenticated.',
      profiles: { test: '127.0.0.1:0' },
    }),
    body_limit: size([1024, 256 * MIB], {
      default: 16 * MIB,
      description: 'Largest request body.',
    }),
  },
  patients: {
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
      { pattern: '^[a-z0-9.-]{1,253}(:[0-9]{1,5})?$', hint: 'expected a host name' },
    ),
  },
  metrics: {
    listen: address({
      default: '127.0.0.1:7423',
      description: 'Address of /metrics, /livez and /readyz; empty turns it off.',
      profiles: { test: '127.0.0.1:0' },
    }),
  },
  log: {
    level: levels({
      default: 'info',
      description: 'Level, and levels of single modules: "info,p2p=debug".',
      profiles: { test: 'warn' },
    }),
    format: choice(['auto', 'pretty', 'json'], {
      default: 'auto',
      description: 'Form of the log lines; auto is pretty on a terminal.',
    }),
    file: path({
      default: '',
      description: 'File for the log, relative to the home; empty: stdout.',
    }),
  },
  shutdown: {
    timeout: duration([1_000, 600_000], {
      default: 20_000,
      description: 'Longest time an orderly stop may take.',
      profiles: { devnet: 5_000, test: 5_000 },
    }),
    on_fatal: choice(['exit', 'hold'], {
      default: 'exit',
      description:
        'After a failure that no restart cures: end, or stay, not ready, to be looked at.',
    }),
  },
}

type Options = typeof OPTIONS

export type OptionValues = {
  [S in keyof Options]: {
    [K in keyof Options[S]]: Options[S][K] extends Option<infer T> ? T : never
  }
}

export type OptionEntry = Option<unknown> & {
  name: string
  section: string
  key: string
  variable: string
  flag: string
}

function entryOf(section: string, key: string, option: Option<unknown>): OptionEntry {
  return {
    ...option,
    name: `${section}.${key}`,
    section,
    key,
    variable: `MOORING_${section}_${key}`.toUpperCase(),
    flag: `--${section}-${key}`.replaceAll('_', '-'),
  }
}

export const OPTION_ENTRIES: readonly OptionEntry[] = Object.entries(OPTIONS).flatMap(
  ([section, group]) =>
    Object.entries<Option<unknown>>(group).map(([key, option]) => entryOf(section, key, option)),
)

const LIST_ITEMS_MAX = 1000

// Whether a value is one that this option can have.
export function isOptionValue(entry: OptionEntry, value: unknown): boolean {
  switch (entry.kind) {
    case 'integer':
    case 'duration':
    case 'size': {
      const { minimum = 0, maximum = Number.MAX_SAFE_INTEGER } = entry
      return Number.isSafeInteger(value) && Number(value) >= minimum && Number(value) <= maximum
    }
    case 'list':
      return (
        Array.isArray(value) &&
        value.length <= LIST_ITEMS_MAX &&
        value.every((item) => isTextOf(entry, item))
      )
    case 'text':
    case 'path':
    case 'choice':
    case 'address':
    case 'levels':
    case 'retention':
      return isTextOf(entry, value)
  }
}

function isTextOf({ pattern, enum: choices }: OptionEntry, value: unknown): boolean {
  if (typeof value !== 'string') return false
  if (choices !== undefined && !choices.includes(value)) return false
  return pattern === undefined || new RegExp(pattern, 'u').test(value)
}
