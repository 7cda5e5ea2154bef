// README and tutorial, as a reader types them.

import { readdirSync } from 'node:fs'
import { test } from 'uvu'
import { startDevnet } from './devnet.ts'
import { typeDocuments } from './typed-docs.ts'

const starting = startDevnet()

test('the commands of the first documents do what those say', async () => {
  await typeDocuments(await starting, [
    'README.md',
    ...readdirSync('docs').map((name) => `docs/${name}`),
  ])
})

test('it stops and leaves nothing behind', async () => {
  const devnet = await starting
  await devnet.close()
})

test.run()
