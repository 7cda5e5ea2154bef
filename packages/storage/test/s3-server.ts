// An S3-compatible server with one bucket, and in front of it a door that a test can make misbehave.

import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import S3rver from 's3rver'
import { inFolder } from './folder.ts'

export const BUCKET = 'shards'
export const CREDENTIALS = { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' }

/** What the door does with a request; false: it lets it through. */
export type Misbehaviour = (
  asked: IncomingMessage,
  answer: ServerResponse,
  number: number,
) => boolean

export interface S3World {
  endpoint: string
  folder: string
  /** Of every request, "PUT /shards/key?query". */
  requests: string[]
  misbehave(how: Misbehaviour | undefined): void
  /** Changes the bytes of answers to GET on their way. */
  alter(how: ((bytes: Buffer) => Buffer) | undefined): void
}

export async function withS3(work: (world: S3World) => Promise<void>): Promise<void> {
  await inFolder(async (folder) => {
    const server = new S3rver({
      address: '127.0.0.1',
      port: 0,
      silent: true,
      directory: folder,
      configureBuckets: [{ name: BUCKET }],
    })
    const { port } = await server.run()
    try {
      await withDoor(folder, port, work)
    } finally {
      await server.close()
    }
  })
}

async function withDoor(
  folder: string,
  port: number,
  work: (world: S3World) => Promise<void>,
): Promise<void> {
  const requests: string[] = []
  let misbehaviour: Misbehaviour | undefined
  let alteration: ((bytes: Buffer) => Buffer) | undefined
  const door = createServer((asked, answer) => {
    requests.push(`${asked.method} ${asked.url}`)
    if (misbehaviour?.(asked, answer, requests.length) === true) return
    const { method, headers, url: path } = asked
    const inner = request({ host: '127.0.0.1', port, method, path, headers }, (given) => {
      const chunks: Buffer[] = []
      given.on('data', (chunk: Buffer) => chunks.push(chunk))
      given.on('end', () => {
        const bytes = Buffer.concat(chunks)
        const alter = method === 'GET' && given.statusCode === 206 ? alteration : undefined
        const body = alter === undefined ? bytes : alter(bytes)
        const length = alter === undefined ? {} : { 'content-length': body.length }
        answer.writeHead(given.statusCode ?? 500, { ...given.headers, ...length }).end(body)
      })
    })
    inner.on('error', () => answer.destroy())
    asked.pipe(inner)
  })
  door.listen(0, '127.0.0.1')
  await once(door, 'listening')
  const address = door.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  try {
    await work({
      endpoint: `http://127.0.0.1:${address.port}`,
      folder,
      requests,
      misbehave: (how) => {
        misbehaviour = how
      },
      alter: (how) => {
        alteration = how
      },
    })
  } finally {
    door.closeAllConnections()
    door.close()
  }
}

export function refuse(answer: ServerResponse, status: number, code: string): true {
  answer
    .writeHead(status, { 'content-type': 'application/xml' })
    .end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>no ${code}</Message></Error>`)
  return true
}
