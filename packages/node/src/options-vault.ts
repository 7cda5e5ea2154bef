// What is kept for other custodians, and where.

import { choice, duration, path, size, text } from './option-kinds.ts'

const MIB = 1024 ** 2

export const VAULT_OPTIONS = {
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
      examples: ['shards', 'shards.st-mary'],
    },
  ),
  endpoint: text(
    { default: '', description: 'Address of the server of the bucket; empty: Amazon.' },
    {
      pattern: '^(https?://[A-Za-z0-9.:\\[\\]-]+)?$',
      hint: 'expected an address such as "https://s3.st-mary.example:9000"',
      examples: ['https://s3.st-mary.example:9000', 'http://127.0.0.1:9000'],
    },
  ),
  region: text(
    { default: 'us-east-1', description: 'Region of the bucket; many servers take any.' },
    {
      pattern: '^[a-z0-9-]{1,40}$',
      hint: 'expected a region such as "eu-central-1"',
      examples: ['eu-central-1', 'us-east-1'],
    },
  ),
  prefix: text(
    {
      default: '',
      description: 'What the names of the objects begin with; empty: the name of this node.',
    },
    {
      pattern: '^[A-Za-z0-9/_.-]{0,200}$',
      hint: 'expected at most 200 of A-Z, a-z, 0-9, /, _, . and -',
      examples: ['st-mary', 'mooring/st-mary'],
    },
  ),
  credentials: path({
    default: 'keys/bucket.json',
    description: 'File with accessKeyId and secretAccessKey of the bucket, relative to the home.',
  }),
}
