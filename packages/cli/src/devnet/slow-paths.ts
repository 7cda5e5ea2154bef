// The program that keeps the slow paths of a devnet: `node slow-paths.ts <folder> <paths as JSON>`. It says
// the ports on which it listens, as a line of JSON, and goes on until it is stopped.

import { openSlowPath, type SlowPath } from './slow-path.ts'

const [, text = '[]'] = process.argv.slice(2)
const paths: SlowPath[] = JSON.parse(text)
const ports: number[] = []
for (const path of paths) {
  const place = (await openSlowPath(path)).address()
  if (typeof place === 'object' && place !== null) ports.push(place.port)
}
process.stdout.write(`${JSON.stringify(ports)}\n`)
