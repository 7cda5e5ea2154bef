import assert from 'node:assert/strict'
import { test } from 'uvu'
import { formatConfigFile, parseConfigFile } from '../src/config-file.ts'
import { parseDuration, parseLogLevels, parseSize } from '../src/option-values.ts'
import { OPTION_ENTRIES, type OptionEntry } from '../src/options.ts'
import { type OptionSources, resolveOptions } from '../src/resolve-options.ts'
import { samplesOf } from './option-samples.ts'

const HEAD = 'config_version = 1\n[node]\nname = "st-mary"\n'

function resolve(text: string | null, rest: Partial<OptionSources> = {}) {
  const file = text === null ? null : parseConfigFile(text)
  return resolveOptions({ flags: {}, env: {}, ...rest, file })
}

function problemsOf(text: string): string[] {
  return resolve(text).problems.map((problem) => `${problem.where} ${problem.sentence}`)
}

function valueOf(values: object, entry: OptionEntry): unknown {
  const section = Object.entries(values).find(([name]) => name === entry.section)?.[1]
  return Object.entries(section ?? {}).find(([name]) => name === entry.key)?.[1]
}

test('acceptance 9: a flag wins over the environment, that over the file, for every key', () => {
  for (const entry of OPTION_ENTRIES) {
    const [first, second = first] = samplesOf(entry)
    assert.ok(first && second, entry.name)
    const node = entry.section === 'node' ? '' : `[node]\nname = "st-mary"\n`
    const file = `config_version = 1\n${node}[${entry.section}]\n${entry.key} = ${first[1]}\n`
    const fromFile = resolve(file)
    assert.deepEqual(valueOf(fromFile.values, entry), first[2], entry.name)
    assert.equal(fromFile.origins[entry.name]?.from, 'file')

    const fromEnv = resolve(file, { env: { [entry.variable]: second[0] } })
    assert.deepEqual(valueOf(fromEnv.values, entry), second[2], entry.name)
    assert.deepEqual(fromEnv.origins[entry.name], { from: 'env', where: entry.variable })

    const env = { [entry.variable]: second[0] }
    const fromFlag = resolve(file, { env, flags: { [entry.name]: first[0] } })
    assert.deepEqual(valueOf(fromFlag.values, entry), first[2], entry.name)
    assert.deepEqual(fromFlag.origins[entry.name], { from: 'flag', where: entry.flag })
  }
})

test('a bucket and the choice to use one go together', () => {
  assert.deepEqual(problemsOf(`${HEAD}[vault]\nblobs = "s3"\n`), [
    '5:9 contradict: blobs is "s3" and no bucket is named',
  ])
  assert.deepEqual(problemsOf(`${HEAD}[vault]\nbucket = "shards"\n`), [
    '5:10 contradict: set blobs to "s3" to use the bucket',
  ])
  assert.deepEqual(problemsOf(`${HEAD}[vault]\nblobs = "s3"\nbucket = "shards"\n`), [])
  assert.equal(problemsOf(`${HEAD}[vault]\nbucket = "No Bucket"\n`).length, 1)
  for (const endpoint of ['ftp://a', 'http://user:secret@host', 'https://host/path?x']) {
    assert.equal(problemsOf(`${HEAD}[vault]\nendpoint = "${endpoint}"\n`).length, 1, endpoint)
  }
})

test('a profile changes defaults and says so; the file still wins over it', () => {
  const devnet = resolve(`${HEAD}profile = "devnet"\n`)
  assert.equal(devnet.values.shutdown.timeout, 5_000)
  assert.deepEqual(devnet.origins['shutdown.timeout'], { from: 'profile', where: 'devnet' })
  assert.deepEqual(devnet.problems, [])
  const file = resolve(`${HEAD}profile = "devnet"\n[shutdown]\ntimeout = "9s"\n`)
  assert.equal(file.values.shutdown.timeout, 9_000)
  assert.equal(resolve(HEAD).values.shutdown.timeout, 20_000)
  assert.equal(resolve(HEAD).origins['shutdown.timeout']?.from, 'default')
})

test('names of flags and variables follow from the name of the option', () => {
  const entry = OPTION_ENTRIES.find((each) => each.name === 'p2p.max_peers')
  assert.equal(entry?.variable, 'MOORING_P2P_MAX_PEERS')
  assert.equal(entry?.flag, '--p2p-max-peers')
})

const BROKEN: [title: string, text: string, expected: RegExp[]][] = [
  ['an empty file', '', [/^1:1 config_version is missing/, /^1:1 is missing: set it/]],
  [
    'a later version',
    'config_version = 2\n[node]\nname="a"',
    [/^1:18 this program reads config_v/],
  ],
  ['a version in quotes', 'config_version = "1"\n[node]\nname="a"', [/^1:18 this program reads/]],
  ['no closing quote', `${HEAD}role = "authority`, [/^4:\d+ /]],
  ['no equals sign', `${HEAD}role authority`, [/^4:\d+ /]],
  ['a key twice', `${HEAD}name = "b"\n`, [/^4:\d+ /]],
  [
    'a misspelt key',
    `${HEAD}[http]\nlistn = "127.0.0.1:1"\n`,
    [/^5:1 unknown key "listn"\. Did you mean "listen"\?$/],
  ],
  [
    'a misspelt section',
    `${HEAD}[htpp]\nlisten = "127.0.0.1:1"\n`,
    [/^4:1 unknown key "htpp"\. Did you mean "http"\?$/],
  ],
  ['a key of nothing known', `${HEAD}[http]\nzebra = 1\n`, [/^5:1 unknown key "zebra"\.$/]],
  ['a key outside a table', `colour = "red"\n${HEAD}`, [/^1:1 unknown key "colour"\.$/]],
  ['a section that is a value', `http = 7\n${HEAD}`, [/^1:1 http is a table/]],
  ['a duration without unit', `${HEAD}[shutdown]\ntimeout = 20\n`, [/^5:11 needs a unit/]],
  ['a quoted one too', `${HEAD}[shutdown]\ntimeout = "20"\n`, [/^5:11 needs a unit/]],
  ['an unknown unit', `${HEAD}[shutdown]\ntimeout = "20y"\n`, [/^5:11 unknown unit "y"/]],
  [
    'a duration out of range',
    `${HEAD}[shutdown]\n\n  timeout = "20ms"\n`,
    [/^6:13 expected a duration 1s\.\.10m$/],
  ],
  ['a size in thousands', `${HEAD}[storage]\ncache = "64MB"\n`, [/^5:9 unknown unit "MB"/]],
  [
    'an integer out of range',
    `${HEAD}[p2p]\nmax_peers = 0\n`,
    [/^5:13 expected an integer 1\.\.1000$/],
  ],
  ['an integer in quotes', `${HEAD}[p2p]\nmax_peers = "64"\n`, [/^5:13 expected an integer/]],
  ['a fraction', `${HEAD}[p2p]\nmax_peers = 6.5\n`, [/^5:13 expected an integer/]],
  ['a word of no choice', `${HEAD}role = "king"\n`, [/^4:8 expected one of authority, observer$/]],
  [
    'a name with spaces',
    'config_version = 1\n[node]\nname = "St Mary"\n',
    [/^3:8 expected 1 to 64/],
  ],
  ['a list that is a text', `${HEAD}[p2p]\nlisten = "x"\n`, [/^5:10 expected a multiaddress/]],
  [
    'a list with a bad item',
    `${HEAD}[p2p]\npeers = ["a"]\n`,
    [/^5:9 expected an address that ends/],
  ],
  [
    'an address without port',
    `${HEAD}[http]\nlisten = "127.0.0.1"\n`,
    [/^5:10 expected <host>:<p/],
  ],
  ['a port out of range', `${HEAD}[http]\nlisten = "127.0.0.1:70000"\n`, [/^5:10 expected <host>/]],
  ['a public API', `${HEAD}[http]\nlisten = "0.0.0.0:7421"\n`, [/^5:10 not a loopback address/]],
  ['an unknown level', `${HEAD}[log]\nlevel = "loud"\n`, [/^5:9 expected <level>/]],
  ['a bad module level', `${HEAD}[log]\nlevel = "info,p2p=loud"\n`, [/^5:9 expected <level>/]],
  ['nobody admitted', `${HEAD}[p2p]\nallow = "list"\n`, [/^5:9 admit nobody/]],
  [
    'a list that is not used',
    `${HEAD}[p2p]\nallow_list = ["12D3KooWQbLf4sTqKGqXqVvJfZ5wqz1aA2DxLZy7n1hV1o8cQy6f"]\n`,
    [/^5:14 contradict: set allow/],
  ],
  [
    'one port for two servers',
    `${HEAD}[http]\nlisten = "127.0.0.1:7423"\n`,
    [/^5:10 both take port 7423$/],
  ],
]

for (const [title, text, expected] of BROKEN) {
  test(`acceptance 9: a configuration with ${title} is refused at its place`, () => {
    const problems = problemsOf(text)
    assert.equal(problems.length, expected.length, problems.join('\n'))
    for (const [index, pattern] of expected.entries()) assert.match(problems[index] ?? '', pattern)
  })
}

test('all problems of all sources come at once, those of the file in its order', () => {
  const text = `${HEAD}\n[http]\nlistn = "0.0.0.0:7421"\n\n[p2p]\nmax_peers = "lots"\nallow = "all"\n`
  const { problems } = resolve(text, {
    env: {
      MOORING_P2P_MAX_PEERS: 'lots',
      MOORING_LOG_LEVLE: 'debug',
      MOORING_HTTP_PORT: 'tcp://x',
    },
    flags: { 'storage.cache': '1' },
  })
  assert.deepEqual(
    problems.map(({ where, source }) => [where, source]),
    [
      ['6:1', '[http] listn = "0.0.0.0:7421"'],
      ['9:13', '[p2p] max_peers = "lots"'],
      ['10:9', '[p2p] allow = "all"'],
      ['env', 'MOORING_P2P_MAX_PEERS=lots'],
      ['flag', '--storage-cache=1'],
      ['env', 'MOORING_LOG_LEVLE=debug'],
    ],
  )
  assert.match(problems[5]?.sentence ?? '', /Did you mean "MOORING_LOG_LEVEL"\?$/)
})

test('what other computers reach speaks TLS, with a code of its own where it would not', () => {
  for (const listen of ['127.0.0.1:1', '127.8.0.1:1', 'localhost:1', '[::1]:1']) {
    assert.deepEqual(resolve(`${HEAD}[http]\nlisten = "${listen}"\n`).problems, [], listen)
  }
  for (const listen of ['0.0.0.0:1', '[::]:1', '10.0.0.7:1', 'st-mary.example:1', '128.0.0.1:1']) {
    const { problems } = resolve(null, { flags: { 'node.name': 'a', 'http.listen': listen } })
    assert.equal(problems[0]?.code, 'http_not_loopback', listen)
    const wallets = { flags: { 'node.name': 'a', 'patients.listen': listen } }
    assert.equal(resolve(null, wallets).problems[0]?.code, 'http_not_loopback', listen)
  }
  const http = `${HEAD}[http]\nlisten = "0.0.0.0:1"\n`
  assert.deepEqual(resolve(`${http}tls_cert = "a.crt"\ntls_key = "a.key"\n`).problems, [])
  assert.deepEqual(resolve(`${http}tls_terminated = "on"\n`).problems, [])
  for (const [lines, told] of [
    ['tls_cert = "a.crt"', /belong together/],
    ['tls_cert = "a.crt"\ntls_key = "a.key"\ntls_terminated = "on"', /contradict/],
    ['client_ca = "ca.crt"', /needs tls_cert/],
    ['client_roles = ["a=viewer"]', /needs client_ca/],
    ['tls_terminated = "on"\nopen = "loopback"', /all clients are local/],
    ['client_roles = ["a=king"]', /such as "lab-gateway=submitter"/],
    ['rate = "50"', /such as "50\/s"/],
  ] as const) {
    const { problems } = resolve(`${HEAD}[http]\n${lines}\n`)
    assert.match(problems[0]?.sentence ?? '', told, lines)
  }
})

test('places are found in multi-line values, dotted keys, quoted keys and inline tables', () => {
  const text = `config_version = 1 # [http]
node.name = "a"
"http" = { listen = "nowhere" }

[p2p]
peers = [ # "]"
  "/dns4/a.example/tcp/7420/p2p/12D3KooWQbLf4sTqKGqXqVvJfZ5wqz1aA2DxLZy7n1hV1o8cQy6f",
]
"max_peers" = 0
[log]
file = """
[p2p]
max_peers = 3
"""
level = 'loud'
`
  assert.deepEqual(
    resolve(text).problems.map((problem) => problem.where),
    ['3:10', '9:15', '15:9'],
  )
})

test('the file that init writes is read back to the same settings', () => {
  const text = formatConfigFile({
    'node.name': 'st-mary',
    'node.role': 'authority',
    'p2p.peers': [],
    'shutdown.timeout': 90_000,
    'storage.cache': 32 * 1024 ** 2,
    'p2p.max_peers': 12,
  })
  const { values, problems } = resolve(text)
  assert.deepEqual(problems, [])
  assert.equal(values.node.name, 'st-mary')
  assert.equal(values.shutdown.timeout, 90_000)
  assert.equal(values.storage.cache, 32 * 1024 ** 2)
  assert.equal(values.p2p.max_peers, 12)
  for (const entry of OPTION_ENTRIES) assert.ok(text.includes(`# ${entry.description}`), entry.name)
  // The commented defaults are right as well.
  const all = resolve(text.replaceAll(/^# ([a-z_]+ = .*)$/gm, '$1'))
  assert.deepEqual(
    all.problems.map((problem) => problem.source),
    [],
  )
})

test('durations and sizes need a unit', () => {
  assert.deepEqual(parseDuration('500ms'), { value: 500 })
  assert.deepEqual(parseDuration('1.5h'), { value: 5_400_000 })
  assert.deepEqual(parseSize('64MiB'), { value: 67_108_864 })
  assert.ok('expected' in parseDuration('5 parsecs'))
  assert.ok('expected' in parseDuration('-5s'))
  assert.ok('expected' in parseSize('toString'))
  assert.deepEqual(parseLogLevels('warn,p2p=debug,http=silent'), {
    value: { base: 'warn', modules: { p2p: 'debug', http: 'silent' } },
  })
})

test.run()
