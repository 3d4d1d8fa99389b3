// Every page, light and dark: readable by machines that read to people, quiet, and
// no wider than the window.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { looks, tab, tooWide, visit } from './world.mjs'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8') + '\n;0'

/** Serious faults that axe finds by the rules that it has on, or by those given. */
export async function faults(page, only) {
  await page.evaluate(axe) // told by the debugger, which the policy of the page does not bind
  return page.evaluate(async (rules) => {
    const r = await window.axe.run(document, { resultTypes: ['violations'], ...(rules ? { runOnly: { type: 'rule', values: rules } } : {}) })
    return r.violations.filter((v) => ['serious', 'critical'].includes(v.impact)).map((v) => `${v.id}: ${v.nodes.slice(0, 3).map((n) => n.html.slice(0, 160)).join(' | ')}`)
  }, only)
}

/** What keeps people from reading pages, in light and in dark, and what is wider than a phone. The window is a phone's afterwards. */
export async function unreadable(page, pages) {
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
  return wrong
}

export const appear = [
  ['every page is readable, in light and in dark, and keeps to its policy', async (signedIn, assert) => {
    const t = await tab(signedIn.admin)
    const { body } = await t.ask('GET', '/api/findings?q=kind:anomaly&limit=1')
    const f = body.findings[0]
    const secrets = (await t.ask('GET', '/api/secrets?limit=1')).body.secrets
    const rule = (await t.ask('GET', '/api/rules')).body.rules[0]
    const pages = [
      '/', '/findings', `/findings/${f.key}`, '/cases', `/cases/${encodeURIComponent(f.case)}`, '/search?q=outcome:denied&since=2026-03-20T00:00:00Z&until=2026-03-26T00:00:00Z',
      '/search/sql', '/search/dashboards', '/dashboards', '/dashboards/aws', '/secrets', `/secrets/one?resource=${encodeURIComponent(secrets[0].resource)}`, '/people', '/projects', '/projects/one?show=new', '/cost', '/cost?show=changes', '/cost?show=advice', '/cost?show=prices', '/decisions', '/decisions?new=other', '/rules', '/rules/coverage', `/rules/${encodeURIComponent(rule.id)}`, '/ledger',
      '/exceptions', '/exceptions?new=exception&scope=kind:anomaly.time', '/exceptions?show=windows', '/exceptions?show=windows&new=window', '/exceptions?show=proposals', '/exceptions?show=tuning',
      '/settings', '/settings?show=users', '/settings?show=tokens', '/settings?show=server', '/settings?show=audit', '/no/such/page',
    ]
    const wrong = []
    for (const path of pages) {
      await visit(t.page, path).catch((e) => wrong.push(`${path}: ${e.message.split('\n')[0]}`))
      const found = await faults(t.page)
      await t.page.emulateMedia({ colorScheme: 'dark' })
      found.push(...(await faults(t.page, ['color-contrast'])).map((x) => `dark: ${x}`))
      await t.page.emulateMedia({ colorScheme: 'light' })
      const over = await tooWide(t.page)
      if (over > 1) found.push(`${over} px too wide`)
      wrong.push(...found.map((x) => `${path}: ${x}`))
    }
    assert.deepEqual(wrong, [])
    t.quiet()
    await t.close()
  }],

  ['every page is of one column on a phone, in Japanese', async (signedIn, assert) => {
    const t = await tab(signedIn.admin, { ...looks.phone, locale: 'ja-JP' })
    for (const path of ['/', '/findings', '/cases', '/search?q=outcome:denied', '/secrets', '/people', '/projects', '/projects/one?show=new', '/dashboards', '/cost', '/cost?show=advice', '/decisions', '/decisions?new=other', '/rules', '/ledger', '/exceptions', '/exceptions?new=exception', '/exceptions?show=windows&new=window', '/settings', '/settings?show=audit']) {
      await visit(t.page, path)
      const over = await tooWide(t.page)
      assert.ok(over <= 1, `${path} is ${over} px too wide`)
      assert.equal(await t.page.evaluate(() => document.documentElement.lang), 'ja')
    }
    t.quiet()
    await t.close()
  }],
]
