// The console in a browser, over the built program: node --test e2e/e2e.mjs, as
// .ci/browser does. One after the other: they share a server, as people do.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { appear } from './appear.mjs'
import { cost } from './cost.mjs'
import { dashboards } from './dashboards.mjs'
import { decide } from './decide.mjs'
import { hostile } from './hostile.mjs'
import { people } from './people.mjs'
import { story } from './story.mjs'
import { begin, chromiumPath, end, shown } from './world.mjs'

if (!chromiumPath) {
  test('the console in a browser', { skip: 'no Chromium: apt-get install chromium, or say where one is with CHROMIUM=PATH' }, () => {})
} else {
  /** Who is signed in, for the tests that follow. */
  const signedIn = {}
  before(begin, { timeout: 240_000 })
  after(end)
  const f = (name, run) =>
    test(name, { timeout: 240_000 }, async () => {
      try {
        await run(signedIn, assert)
      } catch (e) {
        console.error(`${name}:\n${await shown()}`)
        throw e
      }
    })
  for (const [name, run] of [...people, ...decide, ...hostile, ...appear, ...dashboards, ...story, ...cost]) f(name, run)
}
