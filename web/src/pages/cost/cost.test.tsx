import { fireEvent, screen, waitFor } from '@testing-library/react'
import { beforeEach, expect, test } from 'vitest'
import { setLanguage } from '@/app/texts'
import { answer, session, visit } from '@/test/render'
import { byType } from './drill'
import { accountsOf, breakEven, currencies, monthAfter, points, ranked, stacked } from './figures'
import type { Advice, Advices, Changes, Month, Shares, Trend } from './types'

const x = '111122223333'
const n = '111122224444'

function month(name: string, services: [string, string, number][], more: Partial<Month> = {}): Month {
  return {
    month: name, currency: 'USD', total: 1000, security: services.reduce((sum, s) => sum + s[2], 0), tax: 100, credit: 0, refund: 0, missing: { rows: 0, said: '' },
    services: services.map(([service, account, amount]) => ({ service, account, account_name: account === n ? 'network' : '', amount })), ...more,
  }
}

const months = [
  month('2026-02', [['AWS Config', x, 60], ['Amazon GuardDuty', n, 30]]),
  month('2026-03', [['AWS Config', x, 80], ['AWS Config', n, 20], ['Amazon GuardDuty', n, 10]], { missing: { rows: 3, said: '3 rows of it could not be read' } }),
]
const shares: Shares = { months, limited: false }

function advice(more: Partial<Advice>): Advice {
  return {
    key: 'k', title: 'Record it daily', kind: 'recording', account: x, account_name: '', region: 'us-east-2', resource_type: 'AWS::EC2::NetworkInterface', items: 510_000, resource_days: 900, saving_month: 1519.2,
    currency: 'USD', verdict: 'not_advised', basis: 'metric', confidence: 0.9, reason: 'Control Tower governs the account.', lost: 'Changes are seen up to a day later.', plan: [], undo: [], sources: [], decision: '', ...more,
  }
}

const advices: Advices = {
  currency: 'USD', total_saving_month: 2275.56, total_actionable_month: 756.36,
  advice: [
    advice({}),
    advice({ key: 's', account: n, account_name: 'network', resource_type: 'AWS::EC2::Subnet', items: 255_000, resource_days: 720, saving_month: 756.36, verdict: 'change', plan: ['aws configservice put-configuration-recorder --x'], undo: ['aws configservice put-configuration-recorder --y'], sources: [{ title: 'AWS Config pricing', url: 'https://example.com/pricing', date: '2026-03-01' }] }),
    advice({ key: 'r', resource_type: 'AWS::IAM::Role', items: 120, resource_days: 118, saving_month: -1.056, verdict: 'keep' }),
    advice({ key: 'c', resource_type: 'AWS::Config::ResourceCompliance', items: 400_000, resource_days: null, saving_month: 0, verdict: 'cannot' }),
  ],
}

const changes: Changes = {
  account: x, since: '2026-03-01T00:00:00Z', until: '2026-03-08T00:00:00Z', total: 34_000,
  days: [{ day: '2026-03-01', operation: 'CreateNetworkInterface', count: 8500 }, { day: '2026-03-01', operation: 'DeleteNetworkInterface', count: 8500 }, { day: '2026-03-03', operation: 'CreateNetworkInterface', count: 17_000 }],
  makers: [{ maker: 'shop/checkout\u202e', kind: 'ecs_service', count: 31_280, share: 0.92, estimated: false, operations: [{ operation: 'CreateNetworkInterface', count: 15_640, share: 0.92 }] }],
  loops: [{ maker: 'shop/checkout', kind: 'ecs_service', service: 'checkout', cluster: 'shop', thing: 'network interface', per_day: 7820, changes_per_day: 15_640, share: 0.92, life_seconds_median: 74, since: '2026-03-01T04:00:00Z', since_before: true, saving_month: 1200, saving_low: 1000, saving_high: 1400, currency: 'USD', saving_note: 'By estimated items.', text: 'The ECS service shop/checkout goes round in a loop.' }],
  schedules: [], items: { basis: 'estimate', items: 100, low: 80, high: 130, days: 7, types: [], text: 'About 100 configuration items.' }, read: { since: '2026-03-01T00:00:00Z', until: '2026-03-08T00:00:00Z', records: 34_000, whole: true },
}

const trend: Trend = { services: [], moves: [], peers: [], forecasts: [{ kind: 'per_account', month: '', service: '', other: '', account: '', currency: 'USD', amount: 0, known: false, said: 'Three months are too few.' }], why: [] }

function asking() {
  return answer({
    'GET /api/session': session, 'GET /api/cost/shares': shares, 'GET /api/cost/advice': advices, 'GET /api/cost/trend': trend, 'GET /api/cost/changes': changes,
    'GET /api/cost/lines': { lines: [{ ...line, usage_type: 'USE2-ConfigurationItemRecorded', amount: 99.99 }], total: 3, next: '' },
    'GET /api/cost/prices': { prices: [], next: '' }, 'GET /api/cost/self': () => Response.json({ status: 403, detail: 'no' }, { status: 403 }),
  })
}

const line = { month: '', day: '', provider: '', payer: '', account: '', service: 'AWSConfig', security: 'AWS Config', usage_type: '', operation: '', region: '', resource: '', kind: '', currency: 'USD', amount: 0, unit: 'ConfigurationItemRecorded', quantity: 33_330, rows: 1 }

beforeEach(() => setLanguage('en'))

/** Waits for the page's answer; amounts have spaces in them that do not break. */
function heading(text: string) {
  return waitFor(() => expect(screen.getByRole('heading', { level: 1 }).textContent?.replaceAll('\u00a0', ' ')).toBe(text))
}

test('the answer says what security costs, of what, and what could be saved', async () => {
  asking()
  visit('/cost')
  await heading('In Mar 2026 security services cost 110.00 USD, 11% of the bill')
  await screen.findByText(/2,275.56 USD a month could be saved: 756.36 USD is advised, 1,519.20 USD is possible and not advised/)
  await screen.findByText('3 rows of it could not be read')
  await screen.findByText('Three months are too few.')
})

test('a service is drilled into, and the address says so', async () => {
  const asked = asking()
  const { router } = visit('/cost')
  fireEvent.click(await screen.findByRole('link', { name: 'AWS Config' }))
  await screen.findByText('USE2-ConfigurationItemRecorded')
  await screen.findByText('2 smaller lines are not shown.')
  expect(router.state.location.search).toMatchObject({ service: 'AWS Config' })
  const one = asked.find((a) => a.path === '/api/cost/lines')
  expect([one?.query.get('since'), one?.query.get('until'), one?.query.get('service'), one?.query.get('by')]).toEqual(['2026-03', '2026-04', 'AWS Config', 'usage_type,unit'])
  fireEvent.click(screen.getByRole('link', { name: 'Resource type' }))
  await screen.findByText('AWS::EC2::NetworkInterface')
})

test('without a bill it says what to import and how', async () => {
  answer({ 'GET /api/session': session, 'GET /api/cost/shares': { months: [], limited: false }, 'GET /api/cost/advice': { advice: [], currency: '', total_saving_month: 0, total_actionable_month: 0 } })
  visit('/cost')
  await screen.findByRole('heading', { level: 1, name: 'What security costs is not known yet' })
  await screen.findByText('yagura cost import bills/')
})

test('advice comes with its plan, or is to be deferred', async () => {
  asking()
  const { router } = visit('/cost?show=advice')
  const defer = await screen.findByRole('link', { name: 'Defer…' })
  expect(defer.getAttribute('href')).toBe(`/decisions?new=advice&about=k&account=${x}`)
  expect(screen.queryByText('AWS::IAM::Role')).toBeNull()
  fireEvent.click(screen.getByRole('button', { name: /2 that stay/ }))
  await screen.findByText('AWS::IAM::Role')
  fireEvent.click(screen.getByRole('link', { name: 'AWS::EC2::Subnet' }))
  await screen.findByText('aws configservice put-configuration-recorder --y')
  expect(router.state.location.search).toMatchObject({ open: 's' })
  expect(screen.getByRole('link', { name: 'AWS Config pricing' }).getAttribute('rel')).toContain('noopener')
})

test('counts that nobody knows are not shown as none', async () => {
  answer({ 'GET /api/session': session, 'GET /api/cost/shares': { months, limited: false }, 'GET /api/cost/advice': { ...advices, advice: [advice({ key: 'u', kind: 'unused_key', resource_type: 'AWS::KMS::Key', items: null, resource_days: null, basis: 'bill', verdict: 'change' })] } })
  visit('/cost?show=advice&open=u')
  await screen.findByText('the bill')
  expect(screen.getAllByText('not known')).toHaveLength(2)
})

test('what runs in circles is named first, and hidden characters are seen', async () => {
  asking()
  visit(`/cost?show=changes&account=${x}`)
  await screen.findByText('The ECS service shop/checkout goes round in a loop.')
  await screen.findByText('Stopping it saves about 1,200.00 USD a month, between 1,000.00 USD and 1,400.00 USD.')
  const headings = screen.getAllByRole('heading', { level: 2 }).map((h) => h.textContent)
  expect(headings.indexOf('Runs in circles')).toBeLessThan(headings.indexOf('Who makes them'))
  expect(document.body.textContent).toContain('U+202E')
})

test('what is of the whole server is not for whoever is limited', async () => {
  asking()
  visit('/cost?show=prices')
  await screen.findByText(/who is limited to accounts does not see it/)
})

test('in Japanese', async () => {
  asking()
  setLanguage('ja')
  visit('/cost')
  await heading('2026年3月のセキュリティサービスは 110.00 USD、請求全体の 11% です')
})

test('services are ranked with their months, and what has no row is not nothing', () => {
  const found = ranked(months, months[1] as Month)
  expect(found.map((s) => [s.service, s.amount, s.past])).toEqual([['AWS Config', 100, [60, 100]], ['Amazon GuardDuty', 10, [30, 10]]])
  expect(found[0]?.change).toBeCloseTo(2 / 3)
  expect(ranked(months, months[1] as Month, x).find((s) => s.service === 'Amazon GuardDuty')).toBeUndefined()
  expect(accountsOf(months[1] as Month, 'AWS Config').map((a) => [a.account, a.amount])).toEqual([[x, 80], [n, 20]])
  expect(currencies([...months, month('2026-03', [], { currency: 'JPY' })])).toEqual(['USD', 'JPY'])
  expect(monthAfter('2026-12')).toBe('2027-01')
})

test('what can be drawn against the break-even', () => {
  const found = points([...advices.advice, advice({ key: 'z', resource_days: 0 })])
  expect(found.map((p) => [p.advice.key, p.ratio > breakEven])).toEqual([['k', true], ['z', true], ['s', true], ['r', false]])
  expect(found.find((p) => p.advice.key === 'z')?.ratio).toBe(Infinity)
  expect(byType(advices.advice).map((y) => [y.type, y.days])).toEqual([['AWS::EC2::NetworkInterface', 900], ['AWS::Config::ResourceCompliance', null], ['AWS::EC2::Subnet', 720], ['AWS::IAM::Role', 118]])
})

test('days without a change are between the others', () => {
  const found = stacked(changes)
  expect(found.days.slice(0, 3)).toEqual(['2026-03-01', '2026-03-02', '2026-03-03'])
  expect(found.days).toHaveLength(7)
  expect(found.operations.map((o) => [o.name, o.counts.slice(0, 3)])).toEqual([['CreateNetworkInterface', [8500, 0, 17_000]], ['DeleteNetworkInterface', [8500, 0, 0]]])
  const short = stacked({ ...changes, read: { ...changes.read, since: '2026-03-03T00:00:00Z', until: '2026-03-05T06:00:00Z' } })
  expect(short.unknown).toEqual([false, true, false, false, false, true, true])
  const many = stacked({ ...changes, days: Array.from({ length: 9 }, (_, i) => ({ day: '2026-03-01', operation: `Op${i}`, count: 9 - i })) }, 4)
  expect(many.operations.map((o) => o.total)).toEqual([9, 8, 7, 21])
})

test('an amount whose currency is none is said as it is', async () => {
  const odd = months.map((m) => ({ ...m, currency: '<b>' }))
  answer({ 'GET /api/session': session, 'GET /api/cost/shares': { months: odd, limited: true }, 'GET /api/cost/advice': advices, 'GET /api/cost/trend': trend })
  visit('/cost')
  await heading('In Mar 2026 security services cost 110.00 <b> in the accounts that you may see')
})
