// What security costs: from the bill down to a usage type, who makes the changes that
// are paid for, what could be cheaper, and a decision that waits with its dossier.
// Over the story of a service that restarts all the time.
import { unreadable } from './appear.mjs'
import { simulated, visit } from './world.mjs'

/** The world of six accounts with their bills and counts. */
export function begun(options = {}) {
  return simulated(['--story', 'config-cost', '--seed', '3', '--records', '5000'], (run, world) => {
    run('ingest', `${world}/logs`)
    run('cost', 'import', `${world}/bills`, `${world}/counts`)
  }, options)
}

/** An amount as the page writes it, without spaces that do not break. */
const plain = (text) => text.replaceAll('\u00a0', ' ')
const usd = (n) => `${n.toLocaleString('en-GB', { minimumFractionDigits: 2, maximumFractionDigits: 2 })} USD`

/** The text of a part of the page once it holds something. */
async function holds(locator, text) {
  await locator.filter({ hasText: text }).first().waitFor()
  return plain(await locator.first().innerText())
}

export const cost = [
  ['a bill is drilled into, its reason found, and a decision about it waits', async (_, assert) => {
    const t = await begun()
    const { page, truth } = t
    const section = (name) => page.locator('section').filter({ has: page.getByRole('heading', { name, exact: typeof name === 'string' }) })
    const last = truth.months.at(-1)

    // Shares equal the bill to the cent, and so does every service.
    await visit(page, '/cost')
    const h1 = page.getByRole('heading', { level: 1 })
    assert.ok((await holds(h1, 'of the bill')).includes(usd(last.security)), await h1.innerText())
    const config = last.services.filter((s) => s.service === 'AWS Config').reduce((n, s) => n + s.amount, 0)
    const row = page.locator('li').filter({ has: page.getByRole('link', { name: 'AWS Config', exact: true }) }).first()
    assert.ok(plain(await row.innerText()).includes(usd(config)))

    // Down to usage types, accounts and resource types; each of them is a link.
    await row.getByRole('link', { name: 'AWS Config', exact: true }).click()
    await page.getByText(/ConfigurationItemRecorded/).first().waitFor()
    await page.getByRole('link', { name: 'Account', exact: true }).click()
    await page.waitForURL((u) => u.searchParams.get('by') === 'account')
    await row.getByText(truth.account).first().waitFor()
    await page.getByRole('link', { name: 'Resource type', exact: true }).click()
    await row.getByText('AWS::EC2::NetworkInterface').first().waitFor()
    assert.ok(plain(await row.innerText()).includes('510,000'))

    // What changes: 17,000 a day, and the service that makes them is named first.
    await visit(page, `/cost?show=changes&account=${truth.account}`)
    assert.match(await holds(section('Runs in circles'), truth.service), /92 %/)
    const graph = page.locator('figure[role=img]').first()
    assert.match(await graph.getAttribute('aria-label'), /at most 17,\d{3} a day/)
    assert.match(await holds(section('Who makes them'), truth.service), /9[12]%/)
    await graph.locator('svg').first().waitFor()

    // Advice: what is advised has a plan that can be undone, what Control Tower governs has none.
    await visit(page, '/cost?show=advice')
    const more = plain(await page.locator('#page header p').first().innerText())
    for (const n of [truth.total_saving_month, truth.total_actionable_month]) assert.ok(more.includes(usd(n)), `${more} lacks ${n}`)
    const advised = section(/^Advised/)
    await advised.getByRole('link', { name: 'AWS::EC2::Subnet' }).first().click()
    await advised.getByText('How to undo it').waitFor()
    await advised.getByText(/put-configuration-recorder/).first().waitFor()
    const against = section(/^Possible, not advised/)
    await against.getByRole('link', { name: 'AWS::EC2::NetworkInterface' }).first().click()
    await against.getByText(/No plan is given/).waitFor()
    assert.equal(await against.getByText(/aws configservice put-configuration-recorder/).count(), 0, 'a plan touches the recorder under Control Tower')

    // It is deferred where one stands, and says so from then on.
    await against.locator('li').filter({ hasText: 'AWS::EC2::NetworkInterface' }).getByRole('link', { name: 'Defer…' }).click()
    await page.getByLabel('Why', { exact: true }).fill('Control Tower keeps the recorder as it is: the vendor is asked.')
    await page.getByRole('button', { name: 'Take this one' }).first().click()
    await page.getByRole('button', { name: 'In 90 days' }).click()
    await page.getByRole('button', { name: 'Keep the decision' }).click()
    await page.waitForURL(/\/decisions\/dec/)
    const decision = page.url().slice(t.url.length)
    await section('What reopens it').getByText(/612,000/).waitFor()
    await section('What it rests on, as it was then').getByText('510,000').first().waitFor()

    // The vendor was asked, and the dossier says so, in both languages, and masked.
    await page.getByRole('button', { name: 'Note what was asked' }).click()
    await page.getByLabel('Who was asked').fill('AWS Support')
    await page.getByLabel('Number of their case').fill('CASE-17')
    await page.getByLabel('Question').fill('When can a governed account record daily?')
    await page.getByRole('button', { name: 'Keep', exact: true }).click()
    await section('Asked and answered').getByText('CASE-17').waitFor()
    await page.getByRole('button', { name: 'Show it' }).click()
    const dossier = page.locator('pre')
    await dossier.filter({ hasText: 'CASE-17' }).waitFor()
    assert.ok((await dossier.innerText()).includes(truth.account))
    await page.getByText('Accounts and people under aliases').click()
    await page.waitForFunction((account) => document.querySelector('pre') && !document.querySelector('pre').textContent.includes(account), truth.account)
    await page.getByText('日本語', { exact: true }).last().click()
    await dossier.filter({ hasText: /[ぁ-ん]/ }).waitFor()

    await visit(page, '/decisions')
    await holds(h1, '1 decision waits')
    await visit(page, '/cost?show=advice')
    await section(/^Possible, not advised/).getByRole('link', { name: /^deferred to/ }).first().waitFor()

    // Pictures are files; masked ones name no account.
    for (const file of ['shares.svg', `changes.svg?account=${truth.account}&masked=1`, 'break-even.svg?masked=1&lang=ja']) {
      const r = await t.ask(`/api/cost/pictures/${file}`)
      assert.equal(r.status, 200, file)
      assert.ok(String(r.body).includes('<svg') && !(file.includes('masked') && String(r.body).includes(truth.account)), file)
    }

    // All of it is readable, and no wider than the window.
    const pages = ['/cost', '/cost?service=AWS+Config&by=resource_type', `/cost?show=changes&account=${truth.account}`, '/cost?show=advice', '/cost?show=prices', '/decisions', '/decisions?new=other', `${decision}?show=dossier`, `${decision}?show=edit`]
    assert.deepEqual(await unreadable(page, pages), [])
    t.quiet()
    await t.close()
    t.gone()
  }],
]
