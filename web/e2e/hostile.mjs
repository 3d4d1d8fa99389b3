// Texts that attackers choose, in every field that is shown: nothing of them runs,
// turns the text around it, or makes a page wider.
import { arrive, stopLogging } from './decide.mjs'
import { looks, tab, tooWide, visit } from './world.mjs'

const bad = `<img src=x onerror=alert(1)><script>alert(2)</script>"'{{constructor}}\u202egnp.exe\u2066\u0007 ${'W'.repeat(600)}`

async function plant(t) {
  const root = { type: 'AssumedRole', principalId: `AROAEXAMPLE:${bad}`, arn: `arn:aws:sts::111122223335:assumed-role/ops/${bad}`, accountId: '111122223335', sessionContext: { sessionIssuer: { type: 'Role', principalId: 'AROAEXAMPLE', arn: `arn:aws:iam::111122223335:role/${bad}`, accountId: '111122223335', userName: bad } } }
  arrive('hostile', stopLogging({ userIdentity: root, userAgent: bad, errorMessage: bad, requestParameters: { name: bad, [bad.slice(0, 60)]: bad }, awsRegion: bad.slice(0, 40) }))
  const short = bad.slice(0, 120)
  const until = '2026-06-01T00:00:00Z'
  const made = {
    exception: await t.ask('POST', '/api/exceptions', { title: bad.slice(0, 500), scope: 'rule:"<b>x</b>" title:"javascript:alert(1)"', owner: short, reason: bad, until }),
    window: await t.ask('POST', '/api/windows', { title: bad.slice(0, 500), start: '2026-03-25T00:00:00Z', end: until, accounts: [short], owner: short, ticket: bad.slice(0, 200), sort: '<b>x</b>' }),
    proposed: await t.ask('POST', '/api/windows', { title: bad.slice(0, 500), start: '2026-03-28T00:00:00Z', end: until, accounts: [short], owner: short, state: 'proposed' }),
    user: await t.ask('POST', '/api/users', { name: 'hostile', full_name: short, role: 'viewer' }),
    view: await t.ask('PUT', '/api/views/hostile', { page: 'findings', title: short, query: 'q=kind%3Arule', shared: true }),
    token: await t.ask('POST', '/api/tokens', { name: bad.slice(0, 60), expires: until }),
    project: await t.ask('PUT', '/api/register/projects/hostile', { owner: short, applicant: short, purpose: bad, services: [{ id: 'run.googleapis.com', note: bad }], note: bad }),
    decision: await t.ask('POST', '/api/decisions/new', {
      title: bad.slice(0, 500), about: [{ kind: 'other', id: bad }], verdict: 'deferred', reason: bad, owner: short, triggers: [`news:${short}`], saving: { month: '12.5', currency: 'USD' },
      evidence: [{ text: bad, link: 'javascript:alert(3)' }],
    }),
  }
  for (let i = 0; i < 60; i++) {
    const { body } = await t.ask('GET', '/api/findings?q=rule:*%20text:~onerror&limit=1')
    if (body.total) return { key: body.findings[0].key, case: body.findings[0].case, made }
    await new Promise((r) => setTimeout(r, 500))
  }
  throw new Error('the hostile record made no finding')
}

export const hostile = [
  ['hostile texts stay texts', async (signedIn, assert) => {
    const t = await tab(signedIn.admin)
    const planted = await plant(t)
    signedIn.hostile = planted
    const { key, made } = planted
    for (const [what, r] of Object.entries(made)) assert.ok(r.status < 300 || r.status === 422, `${what}: ${r.status} ${JSON.stringify(r.body)}`)
    assert.ok(made.exception.status < 300 && made.window.status < 300 && made.project.status < 300)
    assert.equal(made.decision.status, 201, JSON.stringify(made.decision.body))
    const decision = `/decisions/${made.decision.body.id}`
    const asked = await t.ask('POST', `/api${decision}/questions`, { vendor: bad.slice(0, 300), case: bad.slice(0, 300), question: bad })
    assert.equal((await t.ask('POST', `/api${decision}/answers`, { question: asked.body.asked[0].id, text: bad })).status, 200)
    await t.ask('POST', `/api/findings/${key}/decisions`, { comment: bad })
    const pages = [
      '/', '/findings?show=all&q=text%3A~onerror', `/findings/${key}`, '/cases?show=all', `/cases/${encodeURIComponent(planted.case)}`,
      `/search?q=${encodeURIComponent('api_operation:StopLogging')}&since=2026-03-25T00:00:00Z&until=2026-03-27T00:00:00Z`,
      `/findings?q=${encodeURIComponent(bad.slice(0, 200))}`, `/search?q=${encodeURIComponent(bad.slice(0, 200))}`,
      '/people', `/people?who=${encodeURIComponent(bad.slice(0, 200))}`, '/projects', '/projects/one?project=hostile', '/dashboards', `/dashboards/aws?account=${encodeURIComponent(bad.slice(0, 200))}`,
      '/cost', `/cost?show=changes&account=${encodeURIComponent(bad.slice(0, 200))}`, `/cost?show=advice&open=${encodeURIComponent(bad.slice(0, 200))}`,
      '/decisions', decision, `${decision}?show=dossier`, `${decision}?show=edit`, `/decisions?new=finding&about=${encodeURIComponent(bad.slice(0, 200))}`,
      '/secrets', '/exceptions', `/exceptions?open=${made.exception.body.id}`, '/exceptions?show=windows', `/exceptions?show=windows&open=${made.window.body.id}`,
      '/exceptions?show=proposals', `/exceptions?new=exception&scope=${encodeURIComponent(bad.slice(0, 200))}&from=${key}`, '/settings?show=users', '/settings?show=tokens', '/settings?show=audit',
    ]
    const phone = await tab(signedIn.admin, looks.phone)
    for (const x of [t, phone]) {
      for (const path of pages) {
        await visit(x.page, path)
        const over = await tooWide(x.page)
        assert.ok(over <= 1, `${path.slice(0, 80)} is ${over} px too wide ${x === phone ? 'on a phone' : ''}`)
        assert.equal(await x.page.locator('#root img[src="x"], #root script').count(), 0, path)
      }
    }
    await visit(t.page, pages[5])
    await t.page.locator('[role=rowgroup] [role=row]').first().click()
    await t.page.waitForTimeout(500)
    assert.ok((await tooWide(t.page)) <= 1)
    t.quiet(/status of 4(00|04|22)/)
    phone.quiet(/status of 4(00|04|22)/)
    await phone.close()
    await t.close()
  }],
]
