// Takes the pictures of docs/tour.md from the demo: node scripts/tour.mjs, with
// bin/yagura built. They are made anew as a whole, so that they tell one story.
// Those of docs/timeline.md, of a masked caller, are of a small world of its own:
// YAGURA_E2E='- -' node scripts/tour.mjs story makes these alone, and
// YAGURA_E2E='- -' node scripts/tour.mjs cost those of docs/cost.md.
import { mkdirSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { begun as costly } from '../e2e/cost.mjs'
import { begun } from '../e2e/story.mjs'
import { begin, end, settled, tab, visit, world } from '../e2e/world.mjs'

const out = fileURLToPath(new URL('../../docs/tour/', import.meta.url))
mkdirSync(out, { recursive: true })

/** A masked caller: who it probably was, what they did, what was applied for. */
async function masked() {
  const t = await begun({ viewport: { width: 1100, height: 760 }, deviceScaleFactor: 1, colorScheme: 'light' })
  const { page, truth } = t
  const f = (await t.ask('/api/findings?q=kind:anomaly.denials')).body.findings.find((x) => x.account === truth.project)
  const last = new Date(Date.parse(f.last_seen) + 3600_000).toISOString()
  const since = new Date(Date.parse(f.last_seen) - 5 * 3600_000).toISOString()
  for (const [name, path, scroll] of [
    ['masked-1-finding', `/findings/${f.key}`, 0],
    ['masked-2-drafts', `/findings/${f.key}`, 780],
    ['masked-3-person', `/people?who=${encodeURIComponent(truth.person)}&around=${f.key}&since=${since}&until=${last}`, 0],
    ['masked-4-register', `/projects/one?project=${truth.project}`, 360],
  ]) {
    await visit(page, path)
    await page.evaluate((y) => document.querySelector('#page').scrollTo(0, y), scroll)
    await page.mouse.move(1090, 750)
    await page.waitForTimeout(800)
    await page.screenshot({ path: `${out}${name}.png` })
  }
  t.quiet()
  await t.close()
  t.gone()
}

/** What security costs: its shares, what changes, what could be cheaper, and what waits. */
async function cost() {
  const t = await costly({ viewport: { width: 1100, height: 760 }, deviceScaleFactor: 1, colorScheme: 'light' })
  const { page, truth } = t
  const { advice } = (await t.ask('/api/cost/advice')).body
  const governed = advice.find((a) => a.verdict === 'not_advised')
  const { body: decision } = await t.ask('/api/decisions/new', 'POST', {
    about: [{ kind: 'advice', id: governed.key }], verdict: 'deferred', owner: 'platform', revisit: '2027-03-01',
    reason: 'Control Tower keeps the recorder as it is. The vendor is asked for a supported way.', triggers: [`items:${governed.account}:${governed.resource_type}>612000`],
  })
  await t.ask(`/api/decisions/${decision.id}/questions`, 'POST', { vendor: 'AWS Support', case: 'CASE-17', question: 'Is there a supported way to record this type daily in a governed account?' })
  for (const [name, path] of [
    ['cost-1-shares', '/cost?service=AWS+Config&by=account'],
    ['cost-2-changes', `/cost?show=changes&account=${truth.account}`],
    ['cost-3-advice', '/cost?show=advice'],
    ['cost-4-decision', `/decisions/${decision.id}`],
  ]) {
    await visit(page, path)
    await page.mouse.move(1090, 750)
    await page.waitForTimeout(1500)
    await page.screenshot({ path: `${out}${name}.png` })
  }
  t.quiet()
  await t.close()
  t.gone()
}

try {
  await begin()
  const only = process.argv[2]
  if (only !== 'cost') await masked()
  if (only !== 'story') await cost()
  if (!only) await demo()
} finally {
  await end()
}

async function demo() {
  const t = await tab(undefined, { viewport: { width: 1100, height: 660 }, deviceScaleFactor: 1, colorScheme: 'light' })
  const { page } = t
  let bytes = 0
  const picture = async (name) => {
    await page.mouse.move(1090, 650) // no tooltip
    await page.waitForTimeout(800) // charts are drawn after the page
    await page.screenshot({ path: `${out}${name}.png` })
    bytes += statSync(`${out}${name}.png`).size
  }
  await page.goto(world.link)
  await settled(page)
  await picture('1-today')

  // The most pressing of secrets read more often than usual.
  const { body } = await t.ask('GET', `/api/findings?limit=1&q=${encodeURIComponent('kind:anomaly.frequency explained:false -status:resolved')}`)
  const f = body.findings[0]
  await visit(page, `/findings/${f.key}`)
  await picture('2-finding')
  await page.evaluate(() => document.querySelector('#page').scrollTo(0, 700))
  await picture('3-evidence')

  const secret = f.resource.includes(':secret:') ? f.resource : (await t.ask('GET', '/api/secrets?limit=1&kind=secret')).body.secrets[0].resource
  await visit(page, `/secrets/one?resource=${encodeURIComponent(secret)}`)
  await picture('4-secret')

  const expected = (await t.ask('GET', `/api/findings?limit=1&q=${encodeURIComponent('kind:anomaly.time explained:false')}`)).body.findings[0]
  await visit(page, `/exceptions?new=exception&scope=${encodeURIComponent(`kind:anomaly.time account:${expected.account}`)}&from=${expected.key}`)
  await page.locator('[name=reason]').fill('Operators work at night until the move is done')
  await picture('5-exception')

  // What is proposed is worked out behind the back of who asks first.
  for (let i = 0; i < 20 && !(await t.ask('GET', '/api/proposals')).body.proposals.some((p) => p.from === 'learned'); i++) await page.waitForTimeout(500)
  await visit(page, '/exceptions?show=proposals')
  await picture('6-proposals')

  await visit(page, `/findings?q=${encodeURIComponent('kind:anomaly.time')}`)
  for (const key of ['j', 'j', 'e']) await page.keyboard.press(key)
  await page.getByRole('status').getByText('Undo').first().waitFor({ timeout: 5000 }).catch(() => {})
  await picture('7-decided')
  await page.keyboard.press('u')

  await visit(page, '/ledger')
  await picture('8-ledger')
  t.quiet(/status of 401/)
  console.log(`docs/tour: ${Math.round(bytes / 1024)} KB`)
}
