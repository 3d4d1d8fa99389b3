// Dashboards of files: what was counted, what is marked, where it leads, and what
// nobody can know.
import { tab, visit } from './world.mjs'

export const dashboards = [
  ['a dashboard counts, leads to the events, and says which log is missing', async (signedIn, assert) => {
    const { page, quiet, close } = await tab(signedIn.admin)
    await visit(page, '/dashboards')
    await page.getByRole('link', { name: 'AWS', exact: true }).click()
    await page.waitForURL(/\/dashboards\/aws/)
    const h1 = page.getByRole('heading', { level: 1 })
    await h1.filter({ hasText: /unusual/ }).waitFor() // all panels have answered
    const panel = (name) => page.getByRole('region', { name, exact: true })
    const callers = panel('Reads of secrets and uses of keys: most')
    const n = Number((await callers.locator('tbody tr').first().locator('td').nth(2).innerText()).replace(/\D/g, ''))
    assert.ok(n > 0, 'nothing was counted')
    await callers.getByRole('link').first().click()
    await page.waitForURL(/\/search/)
    await page.locator('#page [role=row]').nth(1).waitFor()
    await page.goBack()

    // What is chosen stands in the address, and holds for every panel.
    await page.getByRole('combobox', { name: 'Account' }).click()
    const first = page.getByRole('option').first()
    const account = await first.innerText()
    await first.click()
    await page.waitForURL((u) => u.searchParams.get('account') === account)
    await h1.filter({ hasText: /unusual/ }).waitFor()

    await visit(page, '/dashboards/azure')
    await page.getByText('Nothing can be known').first().waitFor()
    quiet()
    await close()
  }],
]
