// Coming in, and who may what.
import { empty, settled, tab, visit, world } from './world.mjs'

const password = 'correct horse battery staple'
const refused = /status of 40[134]/

async function form(page, fields) {
  for (const [name, value] of Object.entries(fields)) await page.locator(`[name=${name}]`).fill(value)
  await page.locator('form [type=submit]').click()
}

export const people = [
  ['the first run goes by the link, once; then by password', async (_, assert) => {
    const first = await empty()
    const t = await tab(undefined, { baseURL: first.url })
    await t.page.goto(first.link)
    await t.page.locator('input[type=password]').last().waitFor() // evaluateAll does not wait
    const fields = await t.page.locator('input[type=password]').evaluateAll((all) => all.map((i) => i.name))
    await form(t.page, { user: 'kei', ...Object.fromEntries(fields.map((n) => [n, password])) })
    await settled(t.page)
    assert.equal(new URL(t.page.url()).pathname, '/')
    assert.equal((await (await t.context.request.get('/api/session')).json()).role, 'admin')
    t.quiet(refused)

    const other = await tab(undefined, { baseURL: first.url })
    await other.page.goto(first.link)
    await form(other.page, { user: 'eve', ...Object.fromEntries(fields.map((n) => [n, password])) })
    await other.page.getByRole('alert').waitFor()

    await other.page.goto('/findings')
    await other.page.waitForURL(/signin/)
    await form(other.page, { user: 'kei', password: 'something else altogether' })
    await other.page.getByRole('alert').waitFor()
    await form(other.page, { user: 'kei', password })
    await other.page.waitForURL((u) => u.pathname === '/findings') // where they wanted to
    await t.close()
    await other.close()
  }],

  ['the demo is entered by its link, and has people made in it', async (signedIn, assert) => {
    const t = await tab()
    await t.page.goto(world.link)
    await settled(t.page)
    t.quiet(refused)
    await visit(t.page, '/settings?show=users')
    for (const [user, role] of [['vera', 'viewer'], ['rin', 'responder']]) {
      await t.page.getByRole('button', { name: 'Add somebody' }).click()
      await t.page.locator('[name=name]').fill(user)
      await t.page.locator('[name=password]').fill(password)
      await t.page.getByRole('combobox', { name: 'Role' }).click()
      await t.page.getByRole('option', { name: role }).click()
      await t.page.getByRole('button', { name: 'Add', exact: true }).click()
      await t.page.getByRole('gridcell', { name: user, exact: true }).waitFor()
    }
    const { body } = await t.ask('GET', '/api/users')
    assert.deepEqual(body.users.filter((u) => u.password_set).map((u) => [u.name, u.role]).sort(), [['rin', 'responder'], ['vera', 'viewer']])
    t.quiet(refused)
    signedIn.admin = await t.context.storageState()
    await t.close()
  }],

  ['a token is shown once', async (signedIn, assert) => {
    const t = await tab(signedIn.admin)
    await visit(t.page, '/settings?show=tokens')
    await t.page.getByRole('button', { name: 'New token' }).click()
    await t.page.locator('[name=name]').fill('nightly export')
    await t.page.getByRole('button', { name: 'Make it' }).click()
    const secret = await t.page.locator('#page code').first().innerText()
    assert.match(secret, /^yagura_/)
    const r = await fetch(`${world.url}/api/session`, { headers: { Authorization: `Bearer ${secret}` } })
    assert.equal((await r.json()).role, 'viewer')
    await t.page.reload()
    await t.page.getByText('nightly export').waitFor()
    assert.ok(!(await t.page.content()).includes(secret))
    t.quiet()
    await t.close()
  }],

  ['a provider vouches for members of its groups, and for nobody else', async (_, assert) => {
    for (const [login, role] of [['mia', 'analyst'], ['outsider', undefined]]) {
      const t = await tab()
      await t.page.goto('/findings')
      await t.page.getByText('Company sign-in').click()
      await t.page.locator('[name=login]').fill(login)
      await t.page.locator('[name=password]').fill('anything')
      await t.page.locator('[type=submit]').click()
      await t.page.locator('[type=submit]').click() // consent
      if (role) {
        await t.page.waitForURL(`${world.url}/findings`) // where they wanted to
        await settled(t.page)
        const { body } = await t.ask('GET', '/api/session')
        assert.deepEqual([body.user, body.role, body.method], ['mia@example.org', role, 'oidc:corp'])
      } else {
        await t.page.waitForURL(/\/signin\?/)
        await t.page.getByRole('alert').waitFor()
        assert.equal((await t.ask('GET', '/api/session')).status, 401)
      }
      await t.close()
    }
  }],

  ['a viewer changes nothing, by the console or past it', async (signedIn, assert) => {
    const t = await tab()
    await t.page.goto('/signin?to=%2Ffindings')
    await form(t.page, { user: 'vera', password })
    await settled(t.page)
    signedIn.viewer = await t.context.storageState()
    const { body } = await t.ask('GET', '/api/findings?limit=1')
    const [{ key, status }] = body.findings
    await t.page.keyboard.press('j')
    await t.page.keyboard.press('e')
    await visit(t.page, `/findings/${key}`)
    assert.equal(await t.page.locator('button[aria-disabled=true]').filter({ hasText: 'Expected' }).count(), 1)
    await visit(t.page, '/exceptions')
    assert.equal(await t.page.getByRole('button', { name: 'New exception' }).count(), 0)
    await visit(t.page, '/settings?show=users')
    await t.page.getByText('This is for admins.').waitFor()
    t.quiet(refused)
    const later = '2030-01-01T00:00:00Z'
    for (const [method, path, data] of [
      ['POST', `/api/findings/${key}/decisions`, { verdict: 'expected' }],
      ['POST', '/api/decisions', { q: '', decision: { verdict: 'expected' } }],
      ['POST', '/api/exceptions', { title: 'x', scope: 'kind:rule', owner: 'vera', reason: 'x', until: later }],
      ['POST', '/api/windows', { title: 'x', start: later, end: '2030-01-02T00:00:00Z' }],
      ['POST', '/api/users', { name: 'eve', role: 'admin' }],
      ['PATCH', '/api/users/vera', { role: 'admin' }],
      ['POST', '/api/tokens', { name: 'x', role: 'admin', expires: later }],
      ['GET', '/api/users', undefined],
      ['POST', '/api/sql', { query: 'select 1' }],
    ]) {
      const r = await t.ask(method, path, data)
      assert.ok(r.status === 403 || r.status === 422, `${method} ${path}: ${r.status} ${JSON.stringify(r.body)}`)
    }
    assert.equal((await t.ask('GET', `/api/findings/${key}`)).body.status, status)
    await t.close()
  }],

  ['a page of another origin changes nothing', async (signedIn, assert) => {
    const t = await tab(signedIn.admin)
    const { body } = await t.ask('GET', '/api/findings?limit=1')
    const path = `/api/findings/${body.findings[0].key}/decisions`
    for (const headers of [{ Origin: world.url }, { 'X-Yagura': '1', Origin: 'http://evil.example' }]) {
      assert.equal((await t.ask('POST', path, { verdict: 'expected' }, headers)).status, 403)
    }
    await t.close()
  }],
]
