// The story that the pages of a masked caller are made for: somebody is refused
// again and again, the log hides who, and the case is closed as a gap in what was
// applied for. Over a small world of its own, from its logs to the closed case.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { faults } from './appear.mjs'
import { binary, freePort, looks, start, tab, tooWide, visit } from './world.mjs'

/** Writes the world, reads its logs, looks for runs of denials, and serves what came of it. */
export async function begun(options = {}) {
  const home = mkdtempSync(join(tmpdir(), 'yagura-story-'))
  const run = (...args) => execFileSync(binary, ['--data', join(home, 'data'), ...args], { stdio: ['ignore', 'ignore', 'pipe'] })
  run('simulate', '--story', 'policy-denied', '--seed', '3', '--records', '20000', '--out', join(home, 'world'))
  run('ingest', join(home, 'world', 'logs'))
  run('hunt')
  const url = `http://127.0.0.1:${await freePort()}`
  await start(binary, ['--data', join(home, 'data'), 'serve', '--listen', url.slice('http://'.length)], /serving/)
  const token = readFileSync(join(home, 'data', 'token'), 'utf8').trim()
  const t = await tab(undefined, { baseURL: url, extraHTTPHeaders: { Authorization: `Bearer ${token}` }, ...options })
  const { truth } = JSON.parse(readFileSync(join(home, 'world', 'world.json'), 'utf8'))
  const ask = (path) => t.ask('GET', path, undefined, { Authorization: `Bearer ${token}` })
  return { ...t, ask, url, token, truth, gone: () => rmSync(home, { recursive: true, force: true }) }
}

/** How many rows the search page shows that a link leads to. */
async function records(page, link) {
  await link.click()
  // The page that one comes from may have rows too, but no box for a filter; one row is the head.
  const rows = await page.waitForFunction(() => location.pathname === '/search' && document.querySelector('#page [data-search]') && Math.max(document.querySelectorAll('#page [role=row]').length - 1, 0))
  const n = await rows.jsonValue()
  await page.goBack()
  return n
}

export const story = [
  ['a masked caller is found, followed, and the case closed', async (_, assert) => {
    const t = await begun()
    const { page, truth } = t
    const { body } = await t.ask('/api/findings?q=kind:anomaly.denials')
    const f = body.findings.find((x) => x.account === truth.project)
    assert.deepEqual([f.count, f.actor_inferred.uid, f.register_gap.service], [truth.denials, truth.person, truth.service])

    await visit(page, `/findings/${f.key}`)
    const section = (name) => page.locator('section').filter({ has: page.getByRole('heading', { name, exact: true }) })
    const who = section('Who was it')
    await who.getByText('inferred, not logged').first().waitFor()
    await who.getByText(truth.person).first().waitFor()
    assert.ok((await records(page, who.getByRole('link', { name: /^Its records/ }).first())) > 0, 'evidence leads to no records')

    // What they did, in words: each line leads to its records.
    await who.getByRole('link', { name: `What ${truth.person} did` }).click()
    await page.waitForURL(/\/people/)
    const told = section('In words')
    const refused = told.locator('li[data-inferred]').filter({ hasText: 'refused' })
    await refused.first().waitFor()
    assert.ok((await refused.first().innerText()).includes('inferred, not logged'))
    assert.ok((await records(page, refused.first().getByRole('link'))) > 0, 'a line of the story leads to no records')
    const people = page.url().slice(t.url.length)

    // Accepting and applying what is proposed closes it.
    await visit(page, `/findings/${f.key}`)
    await section('Proposed verdict').getByRole('button', { name: 'Accept' }).click()
    await section('Proposed verdict').getByText('Accepted').waitFor()
    await section('Drafts').getByRole('button', { name: 'Apply' }).click()
    await page.getByText(`${truth.project} has applied for ${truth.service} now.`).waitFor()
    await section('Drafts').getByRole('button', { name: 'Apply' }).waitFor({ state: 'detached' })
    const entry = (await t.ask(`/api/register/projects/${truth.project}`)).body
    assert.ok(entry.services.some((s) => s.id === truth.service), 'the register has the service')
    const closed = (await t.ask(`/api/findings/${f.key}`)).body
    assert.deepEqual([closed.verdict, closed.verdict_reason, closed.status], ['expected', 'application_gap', 'resolved'])

    // All of it is readable, and no wider than the window.
    const pages = [`/findings/${f.key}`, people, '/people', '/projects', `/projects/one?project=${truth.project}`, `/projects/one?project=${truth.project}&show=edit`]
    const wrong = []
    for (const path of pages) {
      await visit(page, path)
      wrong.push(...(await faults(page)).map((x) => `${path}: ${x}`))
      await page.emulateMedia({ colorScheme: 'dark' })
      wrong.push(...(await faults(page, ['color-contrast'])).map((x) => `${path}: dark: ${x}`))
      await page.emulateMedia({ colorScheme: 'light' })
    }
    await page.setViewportSize(looks.phone.viewport)
    for (const path of pages) {
      await visit(page, path)
      const over = await tooWide(page)
      if (over > 1) wrong.push(`${path}: ${over} px too wide on a phone`)
    }
    assert.deepEqual(wrong, [])
    t.quiet()
    await t.close()
    t.gone()
  }],
]
