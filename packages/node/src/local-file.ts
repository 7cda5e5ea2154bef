// A small file in the home that people's decisions are kept in.

import { replaceFile } from './durable-files.ts'

export async function writeLocalFile(path: string, document: object): Promise<void> {
  await replaceFile(path, `${JSON.stringify(document, null, 2)}\n`)
}
