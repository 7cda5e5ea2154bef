// The how-to pages, as a reader types them.

import { readdirSync } from 'node:fs'
import { test } from 'uvu'
import { startDevnet } from './devnet.ts'
import { typeDocuments } from './typed-docs.ts'

const starting = startDevnet()

test('the commands of the how-to pages do what those say', async () => {
  await typeDocuments(
    await starting,
    readdirSync('docs/how-to')
      .filter((name) => name.endsWith('.md'))
      .map((name) => `docs/how-to/${name}`),
  )
})

test('it stops and leaves nothing behind', async () => {
  const devnet = await starting
  await devnet.close()
})

test.run()
