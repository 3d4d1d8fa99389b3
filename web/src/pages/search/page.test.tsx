import { fireEvent, screen, waitFor } from '@testing-library/react'
import { beforeEach, expect, test, vi } from 'vitest'
import { answer, session, visit, type Asked } from '@/test/render'

const buckets = Array.from({ length: 4 }, (_, i) => ({ time: `2026-03-02T0${i}:00:00Z`, count: i === 3 ? 0 : i + 1, part: i === 3 ? 0 : 1 }))
const hostile = 'admin\u202egnp.exe<img src=x onerror=alert(1)>'
const event = {
  uid: 'e1', time: '2026-03-02T01:30:00Z', api_operation: 'GetSecretValue', api_service: 'secretsmanager.amazonaws.com', outcome: 'denied', actor_uid: 'arn:aws:iam::111122223333:role/app',
  actor_name: hostile, actor_type: 'role', caller: 'ec2', account_uid: '111122223333', region: 'eu-west-1', src_ip: '203.0.113.8', format: 'aws.cloudtrail', object: 'a.json', position: 0,
  resource_uid: 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/db-AbCdEf', raw: { eventName: 'GetSecretValue', requestParameters: { secretId: 'prod/db', 'a.b': null } },
}
const answers = {
  'GET /api/session': session,
  'GET /api/columns': { columns: [{ name: 'api_operation', type: 'text', aliases: ['operation'], values: [], doc: 'such as GetSecretValue' }, { name: 'outcome', type: 'enum', aliases: [], values: ['success', 'denied'], doc: 'how the call ended' }], usage: [{ name: 'hour', type: 'time', aliases: [], values: [], doc: 'start of the hour' }] },
  'GET /api/search': { events: [event], more: false },
  'GET /api/search/histogram': { since: '2026-03-02T00:00:00Z', until: '2026-03-02T04:00:00Z', width: 3600, buckets, total: 6, sampled: true, looked: 100, stored: 400 },
  'GET /api/search/fields': { total: 6, sampled: true, looked: 100, stored: 400, fields: [{ field: 'outcome', values: [{ value: 'denied', count: 6 }], more: false }] },
  'GET /api/search/complete': (a: Asked) => ({ values: ['GetSecretValue', 'GetParameter'].filter((v) => v.startsWith(a.query.get('prefix') ?? '')) }),
  'GET /api/findings': { findings: [], next: '' },
  'GET /api/views': { views: [] },
}

beforeEach(() => {
  vi.spyOn(HTMLElement.prototype, 'clientWidth', 'get').mockReturnValue(1000)
  vi.spyOn(HTMLElement.prototype, 'offsetHeight', 'get').mockReturnValue(600)
  vi.spyOn(HTMLElement.prototype, 'offsetWidth', 'get').mockReturnValue(1000)
})

test('a filter is written with what could stand there, by keys alone', async () => {
  const told = answer(answers)
  const { router } = visit('/search')
  const box = await screen.findByRole<HTMLInputElement>('combobox', { name: 'Filter' })
  box.focus()
  const type = (value: string) => {
    fireEvent.change(box, { target: { value } })
    box.setSelectionRange(value.length, value.length)
    fireEvent.select(box)
  }
  type('oper')
  expect(await screen.findByRole('option', { name: /operation/ })).toBeTruthy()
  fireEvent.keyDown(box, { key: 'ArrowDown' })
  fireEvent.keyDown(box, { key: 'Enter' })
  expect(box.value).toBe('operation:')
  type('operation:GetS')
  await screen.findByRole('option', { name: /GetSecretValue/ })
  fireEvent.keyDown(box, { key: 'Tab' })
  expect(box.value).toBe('operation:GetSecretValue ')
  fireEvent.keyDown(box, { key: 'Escape' })
  fireEvent.keyDown(box, { key: 'Enter' })
  await waitFor(() => expect(router.state.location.search).toMatchObject({ q: 'operation:GetSecretValue' }))
  await waitFor(() => expect(told.some((a) => a.path === '/api/search' && a.query.get('q') === 'operation:GetSecretValue')).toBe(true))
})

test('the answer is told as an estimate, and a time is chosen by keys', async () => {
  answer(answers)
  const { router } = visit('/search')
  await screen.findByText(/About 6 events/)
  expect(screen.getByText('An estimate: 100 of 400 events were looked at.')).toBeTruthy()
  const picture = await screen.findByRole('application')
  fireEvent.keyDown(picture, { key: 'ArrowRight' })
  fireEvent.keyDown(picture, { key: 'ArrowRight' })
  fireEvent.keyDown(picture, { key: 'ArrowRight', shiftKey: true })
  fireEvent.keyDown(picture, { key: 'Enter' })
  await waitFor(() => expect(router.state.location.search).toMatchObject({ since: '2026-03-02T01:00:00Z', until: '2026-03-02T03:00:00Z' }))
})

test('what nobody looked at is said to be unknown', async () => {
  answer(answers)
  visit('/search')
  const picture = await screen.findByRole('application')
  fireEvent.keyDown(picture, { key: 'ArrowLeft' })
  expect(screen.getByText(/not known, nothing of it was looked at/)).toBeTruthy()
})

test('a record opens beside the list; what it says cannot do anything, and becomes a condition', async () => {
  answer(answers)
  const { router, container } = visit('/search?open=e1')
  const panel = await screen.findByRole('complementary', { name: 'Record' })
  expect(container.querySelector('img')).toBeNull()
  expect(panel.textContent).not.toContain('\u202e')
  expect(panel.textContent).toContain('U+202E')
  expect(screen.getByRole('link', { name: 'This secret or key' }).getAttribute('href')).toContain('/secrets/one?resource=arn')
  fireEvent.click(screen.getByRole('tab', { name: 'As it came' }))
  fireEvent.click(screen.getByText('prod/db'))
  await waitFor(() => expect(router.state.location.search).toMatchObject({ q: 'raw.requestParameters.secretId:prod/db' }))
})

test('a field is taken and left by a click', async () => {
  answer(answers)
  const { router } = visit('/search?q=region:x')
  fireEvent.click(await screen.findByRole('button', { name: 'All but outcome denied' }))
  await waitFor(() => expect(router.state.location.search).toMatchObject({ q: 'region:x -outcome:denied' }))
})

test('where nothing is stored, the page says what to do', async () => {
  answer({ ...answers, 'GET /api/search': { events: [], more: false }, 'GET /api/search/histogram': { since: '0001-01-01T00:00:00Z', until: '0001-01-01T00:00:00Z', width: 0, buckets: [], total: 0, sampled: false, looked: 0, stored: 0 } })
  visit('/search')
  await waitFor(() => expect(screen.getByText('No event is stored.')).toBeTruthy())
})

test('SQL is for analysts over all accounts', async () => {
  answer({ ...answers, 'GET /api/session': { ...session, role: 'viewer' } })
  visit('/search/sql?sql=select+1')
  await waitFor(() => expect(screen.getByText('SQL needs the role of an analyst, over all accounts.')).toBeTruthy())
})

test('a panel goes onto a new dashboard', async () => {
  const told = answer({ ...answers, 'GET /api/search': { events: [], more: false } })
  const put: Asked[] = []
  const plain = globalThis.fetch
  vi.stubGlobal('fetch', async (input: Request) => {
    if (!(input instanceof Request) || input.method !== 'PUT') return plain(input)
    put.push({ method: 'PUT', path: new URL(input.url).pathname, query: new URLSearchParams(), body: await input.clone().json(), headers: input.headers })
    return Response.json({})
  })
  visit('/search?q=outcome:denied&since=-7d')
  fireEvent.click(await screen.findByRole('button', { name: 'Onto a dashboard' }))
  fireEvent.change(await screen.findByRole('textbox', { name: /Name of the dashboard/ }), { target: { value: 'Morning' } })
  fireEvent.submit(screen.getByRole('textbox', { name: /Name of the panel/ }))
  await waitFor(() => expect(put.length).toBe(1))
  expect(put[0]?.body).toMatchObject({ page: 'dashboard', title: 'Morning', panels: [{ kind: 'search', query: 'outcome:denied', show: 'count', since: '-7d' }] })
  expect(told.length).toBeGreaterThan(0)
})

test('a search is drafted as a rule, or it says why not', async () => {
  answer({
    ...answers,
    'GET /api/search/rule': (a: Asked) =>
      a.query.get('q') === 'caller:lambda' ? Response.json({ status: 422, detail: 'a rule sees the record alone' }, { status: 422 }) : { rule: 'title: drafted' },
  })
  const { router } = visit('/search?q=operation:DeleteTrail')
  fireEvent.click(await screen.findByRole('button', { name: 'As a rule' }))
  expect(await screen.findByText('title: drafted')).toBeTruthy()
  await router.navigate({ to: '/search', search: { q: 'caller:lambda' } })
  expect(await screen.findByText(/a rule sees the record alone/)).toBeTruthy()
})
