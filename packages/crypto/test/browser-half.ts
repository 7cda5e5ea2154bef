// Prints which half of the package this process got. Run by browser-half.test.ts.

import { seal } from '#aead'
import { verify } from '#ed25519'
import { derive } from '#scrypt'
import { sha256 } from '#sha256'
import { publicKeyOf } from '#x25519'
import { seal as sealBrowser } from '../src/aead-browser.ts'
import { verify as verifyBrowser } from '../src/ed25519-browser.ts'
import * as crypto from '../src/index.ts'
import { derive as deriveBrowser } from '../src/scrypt-browser.ts'
import { sha256 as sha256Browser } from '../src/sha256-browser.ts'
import { publicKeyOf as publicKeyOfBrowser } from '../src/x25519-browser.ts'

const keyPair = crypto.keyPairFromSeed(new Uint8Array(32).fill(7))
const message = Uint8Array.of(1, 2, 3)
const signature = crypto.sign(keyPair, message)
const report: { sharedObjects?: string[] } = process.report.getReport()

process.stdout.write(
  JSON.stringify({
    verify: verify === verifyBrowser && crypto.verify === verifyBrowser,
    sha256: sha256 === sha256Browser && crypto.sha256 === sha256Browser,
    aead: seal === sealBrowser,
    scrypt: derive === deriveBrowser,
    x25519: publicKeyOf === publicKeyOfBrowser,
    isSodiumLoaded: report.sharedObjects?.some((name) => name.includes('sodium')) ?? null,
    accepted: crypto.verify(keyPair.publicKey, message, signature),
    root: Array.from(crypto.merkleRoot([message, signature])).join(' '),
  }),
)
