// From what was found to what is decided.
import { cpSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { arriving, settled, tab, visit } from './world.mjs'

/** A record that a rule finds trouble in: somebody stops the trail. */
export function stopLogging(more = {}) {
  return {
    eventVersion: '1.11',
    userIdentity: { type: 'IAMUser', principalId: 'AIDAEXAMPLE', arn: 'arn:aws:iam::111122223335:user/mallory', accountId: '111122223335', accessKeyId: 'AKIAEXAMPLE0000MALLO', userName: 'mallory' },
    eventTime: '2026-03-25T23:40:00Z', eventSource: 'cloudtrail.amazonaws.com', eventName: 'StopLogging', awsRegion: 'ap-northeast-1',
    sourceIPAddress: '203.0.113.66', userAgent: 'aws-cli/2.31.7', requestParameters: { name: 'arn:aws:cloudtrail:ap-northeast-1:111122223335:trail/main' },
    responseElements: null, requestID: crypto.randomUUID(), eventID: crypto.randomUUID(), readOnly: false, eventType: 'AwsApiCall', managementEvent: true,
    recipientAccountId: '111122223335', eventCategory: 'Management', ...more,
  }
}

export function arrive(name, ...records) {
  // As a collector does: whole, under another name, and then there.
  writeFileSync(join(arriving, `.${name}.tmp`), JSON.stringify({ Records: records }))
  cpSync(join(arriving, `.${name}.tmp`), join(arriving, `${name}.json`))
}

export const decide = [
  ['a finding is decided by key, and the decision taken back', async (signedIn, assert) => {
    const t = await tab(signedIn.admin)
    await visit(t.page, '/findings')
    const first = t.page.locator('#page a[href^="/findings/"]').first()
    const key = decodeURIComponent((await first.getAttribute('href')).split('/').pop())
    const finding = async () => (await t.ask('GET', `/api/findings/${key}`)).body
    await t.page.keyboard.press('j')
    await t.page.keyboard.press('e')
    await t.page.locator(`#page a[href="/findings/${key}"]`).waitFor({ state: 'detached' }) // it needs nobody any more
    await t.page.waitForFunction(async (k) => (await (await fetch(`/api/findings/${k}`)).json()).verdict === 'expected', key)
    assert.equal((await finding()).status, 'resolved')
    await t.page.keyboard.press('u')
    await t.page.waitForFunction(async (k) => (await (await fetch(`/api/findings/${k}`)).json()).verdict === '', key)
    const f = await finding()
    assert.deepEqual([f.status, f.decisions.some((d) => d.verdict === 'expected' && d.undone)], ['new', true])
    await t.page.locator(`#page a[href="/findings/${key}"]`).waitFor()
    t.quiet()
    await t.close()
  }],

  ['an exception says what it would explain, and then explains that', async (signedIn, assert) => {
    const t = await tab(signedIn.admin)
    const { body } = await t.ask('GET', '/api/findings?q=kind:anomaly.time%20explained:false&limit=1')
    const f = body.findings[0]
    await visit(t.page, `/findings/${f.key}`)
    await t.page.locator('#page a[href^="/exceptions?new=exception"]').click()
    const would = t.page.getByText(/^It would explain/)
    await would.waitFor()
    const scope = t.page.getByRole('textbox', { name: 'Scope' })
    await scope.fill('kind:anomaly.time and (')
    await t.page.locator('[id$=-error]').first().waitFor() // says what it cannot read
    await scope.fill(`kind:anomaly.time account:${f.account}`)
    await t.page.waitForFunction(() => !document.querySelector('[aria-busy=true]'))
    const said = Number(/explain (\d+)/.exec(await would.innerText())[1])
    const open = (await t.ask('GET', `/api/findings?q=${encodeURIComponent(`kind:anomaly.time account:${f.account}`)}&limit=1`)).body.total
    assert.equal(said, open)
    await t.page.locator('[name=reason]').fill('The new rota of the operators')
    await t.page.getByRole('button', { name: 'Let it hold' }).click()
    await t.page.waitForURL(/\/exceptions$/)
    await settled(t.page)
    await t.page.getByText('2 exceptions hold.').waitFor() // the other is the demo's
    const x = (await t.ask('GET', '/api/exceptions')).body.exceptions.find((x) => x.reason === 'The new rota of the operators')
    assert.deepEqual([x.explains, x.evidence, x.state], [said, [f.key], 'active'])
    assert.ok((await t.ask('GET', `/api/findings/${f.key}`)).body.explained_by.some((e) => e.kind === 'exception'))
    await t.page.locator(`#page a[href^="/exceptions?open=${x.id}"]`).click()
    await t.page.getByRole('button', { name: 'Take it back' }).click()
    await t.page.getByText('1 exception holds.').waitFor()
    assert.ok(!(await t.ask('GET', `/api/findings/${f.key}`)).body.explained_by.some((e) => e.kind === 'exception'))
    t.quiet(/status of 422/)
    await t.close()
  }],

  ['a window repeats without anybody writing a rule, and a calendar is read before it is imported', async (signedIn, assert) => {
    const t = await tab(signedIn.admin)
    await visit(t.page, '/exceptions?show=windows&new=window')
    await t.page.locator('[name=title]').fill('Patch Sunday')
    await t.page.getByLabel('Begins').fill('2026-03-29T02:00')
    await t.page.getByLabel('Ends').fill('2026-03-29T05:30')
    await t.page.getByLabel('Time zone').fill('Europe/Berlin')
    await t.page.getByRole('combobox', { name: 'Repeats' }).click()
    await t.page.getByRole('option', { name: 'weekly' }).click()
    const accounts = t.page.getByRole('combobox', { name: 'Accounts' })
    await accounts.fill('111122223335')
    await accounts.press('Enter')
    await t.page.getByRole('button', { name: 'Plan it' }).click()
    await t.page.waitForURL(/show=windows$/)
    const w = (await t.ask('GET', '/api/windows')).body.windows.find((x) => x.title === 'Patch Sunday')
    assert.deepEqual([w.repeat, w.zone, w.start, w.end, w.accounts], ['FREQ=WEEKLY;BYDAY=SU', 'Europe/Berlin', '2026-03-29T01:00:00Z', '2026-03-29T03:30:00Z', ['111122223335']])

    const before = (await t.ask('GET', '/api/windows')).body.windows.length
    await t.page.getByRole('button', { name: 'Import a calendar' }).click()
    await t.page.getByLabel('Or its text').fill('BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART:20260401T000000Z\r\nDTEND:20260401T020000Z\r\nSUMMARY:Moving the database\r\nX-YAGURA-ACCOUNTS:111122223335\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n')
    await t.page.getByRole('button', { name: 'Read it' }).click()
    await t.page.getByText('It has 1 window.').waitFor()
    assert.equal((await t.ask('GET', '/api/windows')).body.windows.length, before)
    await t.page.getByRole('button', { name: 'Import 1 window' }).click()
    await t.page.getByRole('link', { name: 'Moving the database' }).waitFor()
    t.quiet()
    await t.close()
  }],

  ['a team tells of its work through its link, and a responder accepts it', async (signedIn, assert) => {
    const t = await tab(signedIn.admin)
    await visit(t.page, '/exceptions?show=windows')
    await t.page.getByRole('button', { name: 'Link for a team' }).click()
    await t.page.locator('[name=team]').fill('payments')
    const accounts = t.page.getByRole('combobox', { name: 'Accounts' })
    await accounts.fill('111122223335')
    await accounts.press('Enter')
    await t.page.getByRole('button', { name: 'Make the link' }).click()
    const link = await t.page.locator('#page code').first().innerText()
    const team = await tab()
    await team.page.goto(link)
    await team.page.locator('[name=title]').fill('New ledger goes live')
    await team.page.getByLabel('Begins').fill('2026-03-27T09:00') // in the demo's time
    await team.page.getByLabel('Ends').fill('2026-03-27T12:00')
    await team.page.getByRole('button', { name: 'Tell them' }).click()
    await team.page.getByText('They know of “New ledger goes live” now').waitFor()
    team.quiet()
    await team.close()
    await visit(t.page, '/exceptions?show=proposals')
    const item = t.page.getByRole('listitem').filter({ hasText: 'New ledger goes live' })
    await item.getByRole('button', { name: 'Accept' }).click()
    await item.waitFor({ state: 'detached' })
    const w = (await t.ask('GET', '/api/windows')).body.windows.find((x) => x.title === 'New ledger goes live')
    assert.deepEqual([w.state, w.accounts, w.owner], ['active', ['111122223335'], 'payments'])
    t.quiet()
    await t.close()
  }],

  ['from a search to the record, and from there to the finding', async (signedIn, assert) => {
    const t = await tab(signedIn.admin)
    const { body } = await t.ask('GET', '/api/findings?q=kind:rule%20actor:*&limit=1')
    const f = body.findings[0]
    const { body: evidence } = await t.ask('GET', `/api/findings/${f.key}/evidence`)
    await visit(t.page, `/search?q=${encodeURIComponent(`event_uid:"${evidence.events[0].event_uid}"`)}&since=2026-02-01T00:00:00Z&until=2026-04-01T00:00:00Z`)
    const rows = t.page.locator('[role=rowgroup] [role=row]')
    await rows.first().click()
    await t.page.getByRole('tab', { name: 'Who is this' }).click()
    await t.page.getByRole('tabpanel').locator(`a[href="/findings/${f.key}"]`).first().click()
    await t.page.waitForURL(/\/findings\/\w+$/)
    await settled(t.page)
    await t.page.locator('#page h1').getByText(f.title).waitFor()
    t.quiet()
    await t.close()
  }],

  ['what arrives is told to whoever looks', async (signedIn, assert) => {
    const t = await tab(signedIn.admin)
    await visit(t.page, '/findings?sort=last_seen') // the latest stands first, however pressing others are
    await t.page.getByRole('img', { name: /^Live/ }).waitFor()
    arrive('stopped', stopLogging())
    const fresh = t.page.getByRole('button', { name: /new finding/ }).first()
    await fresh.waitFor({ timeout: 30_000 })
    await fresh.click()
    await t.page.locator('#page').getByText('mallory').first().waitFor()
    assert.equal((await t.ask('GET', '/api/findings?q=actor:*mallory&limit=5')).body.total, 1)
    t.quiet()
    await t.close()
  }],
]
