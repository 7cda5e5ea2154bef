// What an image is built from, read and judged without building one.

import assert from 'node:assert/strict'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, matchesGlob } from 'node:path'
import { OPTION_ENTRIES } from '@mooring/node'
import { DockerfileParser, type Instruction, JSONInstruction } from 'dockerfile-ast'
import { validate } from 'dockerfile-utils'
import { test } from 'uvu'
import { pruneModules } from '../prune-modules.ts'

const PATH = 'docker/Dockerfile'
const source = readFileSync(PATH, 'utf8')
const dockerfile = DockerfileParser.parse(source)

function all(keyword: string): Instruction[] {
  return dockerfile.getInstructions().filter((each) => each.getKeyword() === keyword)
}

function last(keyword: string): Instruction {
  const found = all(keyword).at(-1)
  assert.ok(found, `no ${keyword}`)
  return found
}

function words(instruction: Instruction): string[] {
  return instruction.getArguments().map((argument) => argument.getValue())
}

function execForm(keyword: string): string[] {
  const instruction = last(keyword)
  assert.ok(instruction instanceof JSONInstruction, `${keyword} has no exec form`)
  assert.ok(instruction.getOpeningBracket(), `${keyword} goes through a shell`)
  return instruction.getJSONStrings().map((each) => each.getJSONValue())
}

// Docker's own rule, for the patterns that the file has: a pattern also takes what is below it.
function isIgnored(path: string): boolean {
  const patterns = readFileSync('.dockerignore', 'utf8').split('\n')
  return patterns
    .filter((line) => line !== '' && !line.startsWith('#'))
    .some((pattern) => {
      for (let at = path; at !== '.'; at = dirname(at)) if (matchesGlob(at, pattern)) return true
      return false
    })
}

function defaultPort(name: string): string | undefined {
  const found = OPTION_ENTRIES.find((entry) => entry.name === name)?.default
  return /(\d+)$/.exec(String(found))?.[1]
}

test('acceptance 15: the Dockerfile is clean by two parsers and names no moving base', () => {
  assert.deepEqual(validate(source), [])
  assert.doesNotMatch(source, /:latest\b/)
  for (const add of all('ADD')) assert.doesNotMatch(add.toString(), /https?:/)
  for (const from of all('FROM')) assert.equal(words(from)[0], '${BASE}')
  assert.deepEqual(all('ARG').map(words), [['BASE=node:24-bookworm-slim']])
})

test('acceptance 15: the image runs as a numeric user, without a shell, and is stopped by SIGTERM', () => {
  const [user, group] = (words(last('USER'))[0] ?? '').split(':').map(Number)
  assert.ok(Number.isSafeInteger(user) && user !== 0, 'USER is root or a name')
  assert.ok(Number.isSafeInteger(group) && group !== 0, 'the group is root or a name')
  assert.equal(execForm('ENTRYPOINT')[0], 'node')
  assert.ok(execForm('ENTRYPOINT').includes('--disable-sigusr1'), 'the inspector answers SIGUSR1')
  assert.deepEqual(execForm('CMD'), ['start'])
  assert.deepEqual(words(last('STOPSIGNAL')), ['SIGTERM'])
  assert.match(
    last('HEALTHCHECK').toString(),
    /CMD \["node", "packages\/cli\/src\/healthcheck.ts"\]/,
  )
})

test('what the image is copied from exists and is sent to the build', () => {
  for (const copy of all('COPY')) {
    if (copy.toString().includes('--from=')) continue
    for (const path of words(copy).slice(0, -1)) {
      assert.ok(existsSync(path), `${path} is missing`)
      assert.ok(!isIgnored(join(path)), `${path} is ignored`)
    }
  }
  for (const path of ['packages/cli/src/main.ts', 'packages/cli/src/healthcheck.ts']) {
    assert.ok(existsSync(path) && !isIgnored(path), path)
  }
})

test('what is not to be in an image is not sent to the build', () => {
  for (const path of [
    '.git/config',
    'node_modules/typescript/package.json',
    'packages/api/node_modules/x/index.js',
    'packages/node/test/home.test.ts',
    '.devnet/default/hospital-0/keys/consensus.json',
    'secrets/passphrase',
    'README.md',
  ]) {
    assert.ok(isIgnored(path), `${path} is sent`)
  }
})

test('the ports of the image are those that a node listens on by default', () => {
  const ports = [
    defaultPort('p2p.listen'),
    defaultPort('http.listen'),
    defaultPort('metrics.listen'),
  ]
  assert.deepEqual(words(last('EXPOSE')), ports)
})

test('pruning takes what no node opens, and leaves the rest, licences and links as they are', () => {
  const root = mkdtempSync(join(tmpdir(), 'mooring-prune-'))
  const put = (path: string, text = '') => {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  const stays = [
    'a/index.js',
    'a/LICENSE.md',
    'a/lib/inner.js',
    'a/prebuilds/linux-x64/a.node',
    'b/dist-cjs/index.js',
    'b/test/helper.js',
    '@scope/c/build/src/index.js',
    'a/node_modules/d/index.js',
  ]
  const goes = [
    'a/README.md',
    'a/Makefile',
    'a/prebuilds/linux-x64/a.bare',
    'a/dist/index.min.js',
    'a/index.d.ts',
    'a/lib/inner.js.map',
    'a/test/a.test.js',
    'a/prebuilds/linux-x64/a.musl.node',
    'a/prebuilds/linux-arm64/a.node',
    'a/prebuilds/darwin-x64+arm64/a.node',
    'b/dist-es/index.js',
    '@scope/c/build/esm/index.js',
    'a/node_modules/d/index.ts',
  ]
  try {
    for (const path of [...stays, ...goes]) put(path)
    put('a/package.json', '{"main":"index.js"}')
    put('a/node_modules/d/package.json', '{}')
    put(
      'b/package.json',
      '{"exports":{"node":"./dist-cjs/index.js","./help":"./test/helper.js","browser":"./dist-es/index.js"}}',
    )
    put('@scope/c/package.json', '{"main":"build/src/index.js","module":"build/esm/index.js"}')
    put('ours/src/index.ts')
    mkdirSync(join(root, '@mooring'))
    symlinkSync('../ours', join(root, '@mooring', 'ours'))

    pruneModules(root, { os: 'linux', cpu: 'x64' })
    for (const path of stays) assert.ok(existsSync(join(root, path)), `${path} is gone`)
    for (const path of goes) assert.ok(!existsSync(join(root, path)), `${path} is there`)
    assert.ok(
      existsSync(join(root, '@mooring', 'ours', 'src', 'index.ts')),
      'our own source is gone',
    )
  } finally {
    rmSync(root, { recursive: true })
  }
})

test.run()
