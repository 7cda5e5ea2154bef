import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { formatDidKey, keyPairFromSeed } from '@mooring/crypto'
import { genesisDigest, wholeDayAfter } from '@mooring/ledger'
import {
  createWallet,
  handleKeyAt,
  pairwiseKeyAt,
  parseOffer,
  type Provision,
  type WalletHospital,
} from '@mooring/records'
import { test } from 'uvu'
import { genesisWith } from '../../node/test/chain-members.ts'
import type { Context } from '../src/context.ts'
import { termsOf } from '../src/grant-terms.ts'
import { makeGrant, revokeGrant } from '../src/patient-grants.ts'
import { GrantDeskNode } from './grant-desk.ts'
import { inWorld, NOW, serve, type World } from './world.ts'

type Scene = World & { node: GrantDeskNode; url: string }

const DAY_MS = 86_400_000
const RECORD = 'ab'.repeat(32)
const DID = formatDidKey(keyPairFromSeed(new Uint8Array(32).fill(3)).publicKey)

const json = (text: string): Record<string, unknown> => JSON.parse(text)
const codeOf = ({ stderr }: { stderr: string }) => /MOR-\d{4}/.exec(stderr)?.[0]
const itemsOf = ({ stdout }: { stdout: string }): Record<string, unknown>[] =>
  JSON.parse(stdout).items

async function enrolled(scenario: (scene: Scene) => Promise<void>): Promise<void> {
  await inWorld((world) =>
    serve(world, new GrantDeskNode(NOW.getTime()), async ({ folder, run, node, url }) => {
      const file = join(folder, 'passphrase')
      writeFileSync(file, 'correct horse battery staple\n', { mode: 0o600 })
      const known: World['run'] = (line, rest = {}) =>
        run(line, { ...rest, env: { MOORING_WALLET_PASSPHRASE_FILE: file, ...rest.env } })
      assert.equal((await known('patient new')).code, 0)
      assert.equal((await known(`patient enrol ${node.ticket(url)}`)).code, 0)
      await scenario({ folder, run: known, node, url })
    }),
  )
}

async function create({ run }: Pick<Scene, 'run'>, rest = '--type AllergyIntolerance') {
  const { code, stdout, stderr } = await run(`patient grant create --to lakeview ${rest}`)
  assert.equal(code, 0, stderr)
  return parseOffer(stdout)
}

const limitsOf = (provision: Provision) =>
  Object.fromEntries(
    Object.entries(provision).filter(([, value]) =>
      Array.isArray(value) ? value.length > 0 : value !== null,
    ),
  )

test('a grant is opened at the hospital and offered as a line', () =>
  enrolled(async ({ run, node }) => {
    const { code, stdout, stderr } = await run(
      'patient grant create --to lakeview --type AllergyIntolerance --appointment',
    )
    assert.equal(code, 0, stderr)
    assert.match(stdout, /^mooring-offer:1:[\w-]+\n$/)
    assert.match(stderr, /permit {2,}type AllergyIntolerance\nin force since block 7/)
    const grant = parseOffer(stdout)
    const [{ open, grant: kept } = assert.fail()] = node.patients.opened
    assert.deepEqual(kept, grant)
    assert.deepEqual(
      [grant.custodian, grant.recipient, grant.purposes, grant.types, grant.isNarrow],
      ['st-mary', 'lakeview', ['TREAT'], ['AllergyIntolerance'], true],
    )
    assert.equal(grant.expiresAt - NOW.getTime(), DAY_MS)
    assert.deepEqual([open.kind, open.expiresAt], ['share', wholeDayAfter(grant.expiresAt)])
  }))

test('what is said of a grant is what is signed', () =>
  enrolled(async (scene) => {
    const grant = await create(
      scene,
      `--class general sensitive:psy --record ${RECORD} --field /code --label N PSY` +
        ' --author Practitioner/7 --encounter Encounter/9 --events-from 2020-01-01' +
        ` --events-to 2020-12-31 --purpose TREAT BTG --practitioner ${DID} --until 2026-11-27` +
        ` --deny type:Observation,label:HIV purpose:HOPERAT,practitioner:${DID}`,
    )
    const { start, end, actors, ...content } = limitsOf(grant.consent.root)
    assert.deepEqual([start, end], [NOW.getTime(), Date.parse('2026-11-28T00:00:00Z')])
    const practitioner = keyPairFromSeed(new Uint8Array(32).fill(3)).publicKey
    assert.deepEqual(actors, [{ organisation: 'lakeview', practitioner }])
    assert.deepEqual(content, {
      type: 'permit',
      purposes: ['TREAT', 'BTG'],
      classes: ['general', 'sensitive:psy'],
      records: [new Uint8Array(32).fill(0xab)],
      fields: ['/code'],
      confidentialities: ['N'],
      sensitivities: ['PSY'],
      authors: ['Practitioner/7'],
      encounters: ['Encounter/9'],
      firstDay: '2020-01-01',
      lastDay: '2020-12-31',
    })
    assert.deepEqual(grant.consent.provisions.map(limitsOf), [
      { type: 'deny', types: ['Observation'], sensitivities: ['HIV'] },
      { type: 'deny', purposes: ['HOPERAT'], actors: [{ organisation: 'lakeview', practitioner }] },
    ])
  }))

test('without words it is the general class for thirty days; standing and research are said', () =>
  enrolled(async (scene) => {
    const plain = await create(scene, '')
    assert.deepEqual([plain.classes, plain.isNarrow], [['general'], false])
    assert.equal(plain.expiresAt - NOW.getTime(), 30 * DAY_MS)
    const standing = await create(scene, '--standing')
    assert.equal(standing.expiresAt - NOW.getTime(), 365 * DAY_MS)
    const research = await create(scene, '--research --days 7')
    assert.deepEqual(research.purposes, ['HRESCH'])
    const kinds = scene.node.patients.opened.map(({ open }) => open.kind)
    assert.deepEqual(kinds, ['share', 'standing', 'research'])
    const handles = scene.node.patients.opened.map(({ grant }) => grant.handle.join())
    assert.equal(new Set(handles).size, 3, 'each has a key of its own')
  }))

test('what makes no grant is refused before anything is signed', () =>
  enrolled(async ({ run, node }) => {
    const cases = [
      '--class secret',
      '--type allergies',
      '--record 12',
      '--field code',
      '--label X',
      '--purpose TREATS',
      '--practitioner did:web:x',
      '--until yesterday',
      '--until 2026-02-30',
      '--until 2020-01-01',
      '--until 2029-01-01',
      '--days 0',
      '--days 366',
      '--days 3 --appointment',
      '--standing --research',
      '--events-from 2021-13-01',
      '--events-from 2021-01-02 --events-to 2021-01-01',
      '--deny Claim',
      '--deny field:/code',
      '--deny colour:red',
      '--deny type:Claim,',
      '--everywhere --at st-mary',
    ]
    for (const words of cases) {
      const ran = await run(`patient grant create --to lakeview ${words}`)
      assert.deepEqual([ran.code, codeOf(ran)], [2, 'MOR-5535'], `${words}: ${ran.stderr}`)
    }
    const elsewhere = await run('patient grant create --to lakeview --at riverside')
    assert.equal(codeOf(elsewhere), 'MOR-5558')
    assert.equal(node.patients.opened.length, 0)
    assert.deepEqual(itemsOf(await run('patient grant list --json')), [])
  }))

test('what the hospital refuses for good is not in the wallet; its key is used up', () =>
  enrolled(async ({ run, node }) => {
    node.patients.refusal = 'grant_forged'
    assert.equal((await run('patient grant create --to lakeview')).code, 5)
    assert.deepEqual(itemsOf(await run('patient grant list --json')), [])
    node.patients.refusal = 'relay_timeout'
    assert.notEqual((await run('patient grant create --to lakeview')).code, 0)
    const [kept = assert.fail()] = itemsOf(await run('patient grant list --json'))
    node.patients.refusal = null
    const [made = assert.fail()] = itemsOf(await run('patient grant create --to lakeview --json'))
    assert.notEqual(made['handle'], kept['handle'])
  }))

test('a grant whose fate is not known is in the wallet, so that it can be revoked', () =>
  enrolled(async ({ run, node }) => {
    node.patients.refusal = 'relay_timeout'
    const refused = await run('patient grant create --to lakeview')
    assert.notEqual(refused.code, 0)
    const [item = assert.fail()] = itemsOf(await run('patient grant list --json'))
    node.patients.refusal = null
    const ran = await run(`patient grant revoke ${String(item['id']).slice(0, 10)} --json`)
    assert.equal(ran.code, 0, ran.stderr)
    assert.equal(itemsOf(ran)[0]?.['outcome'], 'unopened')
    const next = await run('patient grant create --to lakeview --json')
    assert.notEqual(itemsOf(next)[0]?.['handle'], item['handle'])
  }))

test('a grant is listed, shown, revoked, and then over', () =>
  enrolled(async (scene) => {
    const { run, node } = scene
    await create(scene)
    await create(scene, '--class imaging')
    const listed = await run('patient grant list')
    assert.match(listed.stdout, /imaging\n.*AllergyIntolerance\n$/)
    const [, first = assert.fail()] = itemsOf(await run('patient grant list --json'))
    const id = String(first['id'])
    const shown = await run(`patient grant show ${id.slice(0, 8)}`)
    assert.equal(parseOffer(shown.stdout).recipient, 'lakeview')
    assert.match(shown.stderr, /state +live/)
    const { resource } = json((await run(`patient grant show ${id} --json`)).stdout)
    assert.equal(Object(resource).resourceType, 'Consent')
    const ran = await run(`patient grant revoke ${id.slice(0, 8)}`)
    assert.match(ran.stdout, /lakeview of st-mary: no holder serves it any more, since block 9/)
    assert.equal(node.patients.revoked.size, 1)
    assert.equal(itemsOf(await run('patient grant list --json')).length, 1)
    const states = itemsOf(await run('patient grant list --all --json')).map(
      (each) => each['state'],
    )
    assert.deepEqual(states, ['live', 'revoked'])
    const again = await run(`patient grant revoke ${id} --json`)
    assert.equal(itemsOf(again)[0]?.['outcome'], 'over')
  }))

test('everything is revoked at once, or what one organisation may read', () =>
  enrolled(async (scene) => {
    const { run, node } = scene
    await create(scene)
    await create(scene)
    assert.equal((await run('patient grant create --to riverside')).code, 0)
    const some = await run('patient grant revoke-all --to lakeview --json')
    assert.deepEqual(
      itemsOf(some).map((each) => each['outcome']),
      ['revoked', 'revoked'],
    )
    const rest = await run('patient grant revoke-all')
    assert.match(rest.stdout, /^\w{8} {2}riverside of st-mary: no holder/)
    assert.equal(node.patients.revoked.size, 3)
    assert.match((await run('patient grant revoke-all')).stderr, /nothing is in force/)
  }))

test('a hospital that knows no handle is not believed while another one may know it', () =>
  inWorld((world) =>
    serve(world, new GrantDeskNode(NOW.getTime()), ({ url: behind }) =>
      serve(world, new GrantDeskNode(NOW.getTime()), async ({ node, url }) => {
        const digest = genesisDigest(genesisWith({}))
        const bare = createWallet({
          label: 'Ada',
          seed: new Uint8Array(32).fill(5),
          deviceSecret: new Uint8Array(32).fill(6),
          createdAt: 0,
        })
        const wallet = { ...bare, genesis: { digest, encoded: new Uint8Array(0) } }
        const hospitalAt = (organisation: string, endpoint: string): WalletHospital => ({
          organisation,
          patient: '',
          name: organisation,
          endpoint,
          patientKey: pairwiseKeyAt(wallet, organisation).publicKey,
          sealEpoch: 1,
          enrolledAt: 0,
          access: null,
          receipts: null,
        })
        const custodian = hospitalAt('st-mary', behind)
        const terms = termsOf({ to: 'lakeview' }, NOW.getTime())
        const made = makeGrant(wallet, custodian, terms, NOW.getTime())
        const { publicKey } = handleKeyAt(made.wallet, made.entry.index)
        const context: Context = {
          stdout: { write: () => true },
          stderr: { write: () => true },
          stdin: ReadableStream.from([]),
          env: {},
          cwd: world.folder,
          now: () => NOW,
          onInterrupt: () => () => undefined,
          startNode: () => assert.fail('nothing is started here'),
        }
        const revokeAt = (...hospitals: WalletHospital[]) =>
          revokeGrant(context, { ...made.wallet, hospitals }, made.entry, { timeout: 5_000 })
        const other = hospitalAt('riverside', url)
        assert.equal((await revokeAt(custodian, other)).outcome, 'unopened')
        await assert.rejects(revokeAt(custodian, hospitalAt('riverside', 'http://127.0.0.1:1')))
        const open = { expiresAt: 0, kind: 'share' as const, signature: new Uint8Array(64) }
        node.patients.opened.push({ grant: made.grant, open: { ...open, publicKey } })
        assert.equal((await revokeAt(custodian, other)).outcome, 'revoked')
      }),
    ),
  ))

test('the hospitals are asked what is in force', () =>
  enrolled(async (scene) => {
    const grant = await create(scene)
    scene.node.patients.revoked.add(Buffer.from(grant.handle).toString('hex'))
    const own = itemsOf(await scene.run('patient grant list --json'))
    const asked = itemsOf(await scene.run('patient grant list --all --ask --json'))
    assert.deepEqual([own[0]?.['state'], asked[0]?.['state']], ['live', 'revoked'])
  }))

test('the grants of a wallet are named by how they begin', () =>
  enrolled(async (scene) => {
    await create(scene)
    const ran = await scene.run('patient grant revoke zz')
    assert.deepEqual([ran.code, codeOf(ran)], [6, 'MOR-5533'])
    for (let made = 0; made < 17; made += 1) await create(scene, '--class imaging')
    const items = itemsOf(await scene.run('patient grant list --json'))
    const firsts = items.map(({ id }) => String(id).slice(0, 1))
    const twice = firsts.find((first, index) => firsts.indexOf(first) !== index) ?? assert.fail()
    assert.equal(codeOf(await scene.run(`patient grant show ${twice}`)), 'MOR-5534')
  }))

test('on a terminal the offer is a code too', () =>
  enrolled(async ({ run }) => {
    const line = 'patient grant create --to lakeview --type AllergyIntolerance'
    const shown = await run(line, { isTty: true })
    assert.match(shown.stdout, /█|▀|▄/)
    const plain = await run(`${line} --no-qr`, { isTty: true })
    assert.match(plain.stdout, /^mooring-offer/)
  }))

test('a recipient accepts the offer, and keeps it as the file that the patient can write too', () =>
  enrolled(async (scene) => {
    const { run, folder, node } = scene
    const { name } = await statusOf(run)
    const made = await run(
      `patient grant create --to ${name} --type AllergyIntolerance -o grant.json --json`,
    )
    assert.equal(made.code, 0, made.stderr)
    const offer = String(itemsOf(made)[0]?.['offer'])
    const taken = await run(`grant accept ${offer} -o taken.json`)
    assert.equal(taken.code, 0, taken.stderr)
    assert.match(taken.stdout, /type AllergyIntolerance/)
    const text = readFileSync(join(folder, 'taken.json'), 'utf8')
    assert.equal(text, readFileSync(join(folder, 'grant.json'), 'utf8'))
    const piped = await run('grant accept - --json', { stdin: `  ${offer}\n` })
    assert.match(String(json(piped.stdout)['file']), /^grant-[0-9a-f]{8}\.json$/)
    assert.equal((await run('grant accept grant.json -o again.json')).code, 0)
    assert.equal(node.patients.opened.length, 1)
  }))

async function statusOf(run: World['run']): Promise<{ name: string }> {
  return JSON.parse((await run('status --json')).stdout).node
}

test('an offer for another, cut, forged or over is refused', () =>
  enrolled(async (scene) => {
    const { run, folder } = scene
    const grant = await create(scene)
    const [offer = assert.fail()] = itemsOf(await run('patient grant list --json')).map((each) =>
      String(each['offer']),
    )
    const refused = async (word: string) => {
      const ran = await run(`grant accept ${word} -o out.json`)
      return [ran.code, codeOf(ran)]
    }
    assert.deepEqual(await refused(offer), [5, 'MOR-5531'])
    assert.deepEqual(await refused(offer.slice(0, -12)), [2, 'MOR-5530'])
    const [header, payload] = grant.signed.jws.split('.')
    const jws = `${header}.${payload}.${'A'.repeat(86)}`
    writeFileSync(join(folder, 'forged.json'), JSON.stringify({ version: 2, jws, delegations: [] }))
    assert.deepEqual(await refused('forged.json'), [8, 'MOR-5311'])
    assert.equal((await run(`grant accept ${offer} --offline -o out.json`)).code, 0)
    assert.deepEqual(await refused('nowhere.json'), [
      6,
      codeOf(await run('grant accept nowhere.json')),
    ])
  }))

test.run()
