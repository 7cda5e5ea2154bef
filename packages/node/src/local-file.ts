// A small file in the home that people's decisions are kept in: whole or as it was, and durable once written.

import { open, rename } from 'node:fs/promises'
import { dirname } from 'node:path'

export async function writeLocalFile(path: string, document: object): Promise<void> {
  const file = await open(`${path}.part`, 'w', 0o600)
  try {
    await file.writeFile(`${JSON.stringify(document, null, 2)}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(`${path}.part`, path)
  const folder = await open(dirname(path), 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
