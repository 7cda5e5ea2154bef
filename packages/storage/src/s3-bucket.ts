// The few requests that blobs need of a bucket, in Amazon's S3 or whatever speaks its protocol.
//
// The bucket is somebody else's computer: every request has an end, an answer is bounded by what was asked,
// and what goes out carries an MD5 that the bucket checks. The client tries again by itself; what
// it then still throws becomes one of four codes. Credentials come as values, and nothing is taken
// from the environment; no text of an error holds them.

import { createHash } from 'node:crypto'
import { addAbortSignal, Readable } from 'node:stream'
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { StorageError, type StorageErrorCode } from './errors.ts'

export interface S3BucketOptions {
  bucket: string
  /** Empty: Amazon's, for the region. */
  endpoint: string
  region: string
  credentials: { accessKeyId: string; secretAccessKey: string }
  timeoutMs?: number
}

export interface Listing {
  keys: string[]
  next: string | undefined
}

const TIMEOUT_MS = 60_000
const CONNECTION_TIMEOUT_MS = 5_000
const ATTEMPTS = 4
// What Amazon, Ceph and MinIO call a bucket without room.
const FULL = new Set(['QuotaExceeded', 'InsufficientCapacity', 'XMinioStorageFull'])
const MISSING = new Set(['NoSuchKey', 'NotFound'])

export class S3Bucket {
  readonly #client: S3Client
  readonly #bucket: string
  readonly #endpoint: string
  readonly #timeoutMs: number

  constructor(options: S3BucketOptions) {
    const { bucket, region, credentials, timeoutMs = TIMEOUT_MS } = options
    const connectionTimeout = Math.min(CONNECTION_TIMEOUT_MS, timeoutMs)
    this.#bucket = bucket
    this.#endpoint = options.endpoint || `https://s3.${region}.amazonaws.com`
    this.#timeoutMs = timeoutMs
    this.#client = new S3Client({
      region,
      // A copy: the client writes on what it is given.
      credentials: { ...credentials },
      endpoint: this.#endpoint,
      maxAttempts: ATTEMPTS,
      requestHandler: { connectionTimeout, requestTimeout: timeoutMs, throwOnRequestTimeout: true },
      // Older servers know neither buckets as host names nor the newer checksums.
      forcePathStyle: true,
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
    })
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    const command = new PutObjectCommand({ ...this.#target(key), ...bodyOf(bytes) })
    await this.#bounded((abortSignal) => this.#client.send(command, { abortSignal }))
  }

  /** The name of an upload in parts. */
  async beginUpload(key: string): Promise<string> {
    const command = new CreateMultipartUploadCommand(this.#target(key))
    const { UploadId } = await this.#bounded((abortSignal) =>
      this.#client.send(command, { abortSignal }),
    )
    return this.#present(UploadId, 'an upload without a name')
  }

  /** The tag by which `completeUpload` names the part; numbers begin at 1. */
  async putPart(key: string, upload: string, number: number, bytes: Uint8Array): Promise<string> {
    const command = new UploadPartCommand({
      ...this.#target(key),
      ...bodyOf(bytes),
      UploadId: upload,
      PartNumber: number,
    })
    const { ETag } = await this.#bounded((abortSignal) =>
      this.#client.send(command, { abortSignal }),
    )
    return this.#present(ETag, 'a part without a tag')
  }

  async completeUpload(key: string, upload: string, tags: readonly string[]): Promise<void> {
    const Parts = tags.map((ETag, at) => ({ ETag, PartNumber: at + 1 }))
    const command = new CompleteMultipartUploadCommand({
      ...this.#target(key),
      UploadId: upload,
      MultipartUpload: { Parts },
    })
    await this.#bounded((abortSignal) => this.#client.send(command, { abortSignal }))
  }

  async abortUpload(key: string, upload: string): Promise<void> {
    const command = new AbortMultipartUploadCommand({ ...this.#target(key), UploadId: upload })
    await this.#bounded((abortSignal) => this.#client.send(command, { abortSignal }))
  }

  /** Undefined when there is no such object. */
  async size(key: string): Promise<number | undefined> {
    const command = new HeadObjectCommand(this.#target(key))
    const head = await this.#bounded(async (abortSignal) => {
      try {
        return await this.#client.send(command, { abortSignal })
      } catch (error) {
        if (error instanceof S3ServiceException && MISSING.has(error.name)) return undefined
        throw error
      }
    })
    return head && this.#present(head.ContentLength, 'an object without a size')
  }

  /** These bytes; fewer where the object ends, undefined when there is no such object. */
  async get(key: string, from: number, length: number): Promise<Uint8Array | undefined> {
    if (length === 0) return new Uint8Array(0)
    const Range = `bytes=${from}-${from + length - 1}`
    const command = new GetObjectCommand({ ...this.#target(key), Range })
    return await this.#bounded(async (abortSignal) => {
      try {
        const { Body } = await this.#client.send(command, { abortSignal })
        if (!(Body instanceof Readable)) throw new Error('an object without bytes')
        return await readBounded(addAbortSignal(abortSignal, Body), length)
      } catch (error) {
        if (error instanceof S3ServiceException && MISSING.has(error.name)) return undefined
        throw error
      }
    })
  }

  async remove(key: string): Promise<void> {
    const command = new DeleteObjectCommand(this.#target(key))
    await this.#bounded((abortSignal) => this.#client.send(command, { abortSignal }))
  }

  async list(prefix: string, after: string | undefined): Promise<Listing> {
    const command = new ListObjectsV2Command({
      Bucket: this.#bucket,
      Prefix: prefix,
      ...(after === undefined ? {} : { ContinuationToken: after }),
    })
    const page = await this.#bounded((abortSignal) => this.#client.send(command, { abortSignal }))
    const keys = (page.Contents ?? []).flatMap(({ Key }) => (Key === undefined ? [] : [Key]))
    return { keys, next: page.IsTruncated === true ? page.NextContinuationToken : undefined }
  }

  close(): void {
    this.#client.destroy()
  }

  #target(key: string): { Bucket: string; Key: string } {
    return { Bucket: this.#bucket, Key: key }
  }

  #present<T>(value: T | undefined, otherwise: string): T {
    if (value === undefined) throw this.#error('bucket_unreachable', `it answered ${otherwise}`)
    return value
  }

  async #bounded<T>(request: (signal: AbortSignal) => Promise<T>): Promise<T> {
    try {
      return await request(AbortSignal.timeout(this.#timeoutMs * ATTEMPTS))
    } catch (cause) {
      throw this.#errorOf(cause)
    }
  }

  #errorOf(cause: unknown): StorageError {
    if (cause instanceof StorageError) return cause
    if (!(cause instanceof Error)) return this.#error('bucket_unreachable', String(cause))
    // A refused connection to several addresses has its text in the causes alone.
    const text = cause.message || ('code' in cause ? String(cause.code) : cause.name)
    if (!(cause instanceof S3ServiceException)) {
      return this.#error('bucket_unreachable', text, { cause })
    }
    const status = cause.$response?.statusCode ?? 0
    const code = codeOf(cause.name, status)
    return this.#error(code, `${status} ${cause.name}: ${text}`, { cause })
  }

  #error(code: StorageErrorCode, detail: string, options?: ErrorOptions): StorageError {
    const details = { bucket: this.#bucket, endpoint: this.#endpoint, detail }
    return new StorageError(code, `the bucket: ${detail}`, details, options)
  }
}

function codeOf(name: string, status: number): StorageErrorCode {
  if (FULL.has(name) || status === 507) return 'full'
  return status >= 400 && status < 500 && status !== 429 ? 'bucket_refused' : 'bucket_unreachable'
}

function bodyOf(bytes: Uint8Array): { Body: Uint8Array; ContentMD5: string } {
  return { Body: bytes, ContentMD5: createHash('md5').update(bytes).digest('base64') }
}

async function readBounded(body: Readable, lengthMax: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(lengthMax)
  let length = 0
  for await (const chunk of body) {
    if (!(chunk instanceof Uint8Array) || length + chunk.length > lengthMax) {
      throw new Error('more bytes than were asked for')
    }
    bytes.set(chunk, length)
    length += chunk.length
  }
  return bytes.subarray(0, length)
}
