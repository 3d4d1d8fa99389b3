// The story that the pages of a masked caller are made for: somebody is refused
// again and again, the log hides who, and the case is closed as a gap in what was
// applied for. Over a small world of its own, from its logs to the closed case.
import { unreadable } from './appear.mjs'
import { simulated, visit } from './world.mjs'

/** The world of a masked caller, and what came of looking for runs of denials. */
export function begun(options = {}) {
  return simulated(['--story', 'policy-denied', '--seed', '3', '--records', '20000'], (run, world) => {
    run('ingest', `${world}/logs`)
    run('hunt')
  }, options)
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
    assert.deepEqual(await unreadable(page, pages), [])
    t.quiet()
    await t.close()
    t.gone()
  }],
]
