import { fireEvent, screen, waitFor } from '@testing-library/react'
import { describe, expect, test } from 'vitest'
import { answer, session, visit } from '@/test/render'
import { bandsOf, daysOf } from './days'
import { anyOf } from './one'
import { asked, secretAddress, turned } from './page'
import { minuteOf, shade, week, zoneName } from './week'

const known = Array.from({ length: 7 }, (_, weekday) => Array.from({ length: 24 }, (_, hour) => ({ weekday, hour, known: 3, unknown: 0 }))).flat()

describe('week', () => {
  const heat = [{ weekday: 0, hour: 20, caller: 'eks', calls: 5 }, { weekday: 1, hour: 2, caller: 'console', calls: 1 }]
  test('UTC stays where it is, and weeks begin on Monday', () => {
    const grid = week({ heat, heat_known: known }, 0)
    expect(grid[6]?.[20]?.calls).toBe(5)
    expect(grid[0]?.[2]?.calls).toBe(1)
  })
  test('hours go over midnight and the end of the week with the zone', () => {
    const grid = week({ heat, heat_known: known }, 9 * 60)
    expect(grid[0]?.[5]?.calls).toBe(5) // Sunday 20:00 UTC is Monday 05:00 in Tokyo
    expect(week({ heat, heat_known: known }, -5 * 60)[6]?.[21]?.calls).toBe(1)
  })
  test('no call is lost by any zone, and one caller is counted alone', () => {
    for (const offset of [-12 * 60, -210, 0, 330, 345, 14 * 60]) {
      const cells = week({ heat, heat_known: known }, offset).flat()
      expect(cells.reduce((n, c) => n + c.calls, 0)).toBe(6)
      expect(cells.every((c) => c.known === 3)).toBe(true)
    }
    expect(week({ heat, heat_known: known }, 0, 'console').flat().reduce((n, c) => n + c.calls, 0)).toBe(1)
  })
  test('an hour of which nothing is told is not known', () => {
    expect(week({ heat: [], heat_known: [] }, 0)[3]?.[4]).toMatchObject({ known: 0, calls: 0 })
  })
  test('half hours are said', () => {
    expect([minuteOf(330), minuteOf(-210), minuteOf(540)]).toEqual([30, 30, 0])
    expect([zoneName(0), zoneName(540), zoneName(-210), zoneName(345)]).toEqual(['UTC', 'UTC+9', 'UTC-3:30', 'UTC+5:45'])
  })
  test('one use is seen beside thousands', () => {
    expect(shade(0, 5000)).toBe(0)
    expect(shade(1, 5000)).toBe(1)
    expect(shade(5000, 5000)).toBe(5)
    expect(shade(1, 1)).toBe(5)
  })
})

describe('days', () => {
  const base = { first_seen: '2026-03-02T20:00:00Z', since: '2026-03-01T00:00:00Z', until: '2026-03-05T00:00:00Z', days: [{ day: '2026-03-02', caller: 'eks', calls: 3 }, { day: '2026-03-04', caller: 'ci', calls: 2 }, { day: '2026-03-04', caller: 'eks', calls: 1 }] }
  test('every day since the first sight is there, those without use too', () => {
    const days = daysOf({ ...base, gaps: [] })
    expect(days.map((d) => d.day)).toEqual(['2026-03-02', '2026-03-03', '2026-03-04'])
    expect(days.map((d) => d.total)).toEqual([3, 0, 3])
  })
  test('what is not known is counted in hours of its days', () => {
    const days = daysOf({ ...base, gaps: [{ from: '2026-03-02T22:00:00Z', to: '2026-03-04T01:00:00Z' }] })
    expect(days.map((d) => d.unknown)).toEqual([2, 24, 1])
  })
  test('the rarest callers share a band, and none is lost', () => {
    const callers = ['a', 'b', 'c', 'd', 'e', 'f'].map((caller, i) => ({ caller, calls: 10 - i }))
    const bands = bandsOf(callers)
    expect(bands.map((b) => b.of)).toEqual([['a'], ['b'], ['c'], ['d', 'e', 'f']])
    expect(bandsOf(callers.slice(0, 4)).flatMap((b) => b.of)).toEqual(['a', 'b', 'c', 'd'])
  })
})

test('the address becomes what is asked', () => {
  expect(asked({})).toMatchObject({ confirmed: true, sort: '-findings', kind: undefined, quiet: undefined })
  expect(asked({ kind: 'key', quiet: '30', failed: '1', sort: 'name' })).toMatchObject({ kind: 'key', quiet: 30, confirmed: false, sort: 'name' })
  expect(asked({ kind: 'nonsense', quiet: 'x' })).toMatchObject({ kind: undefined, quiet: undefined })
  expect(turned(turned('-calls'))).toBe('-calls')
})

test('a filter for every name of a secret', () => {
  expect(anyOf(['arn:a:b'])).toBe('resource:arn:a:b')
  expect(anyOf(['arn:a:b', 'x y'])).toBe('resource:(arn:a:b or "x y")')
})

test('where there is nothing, the page says what to do', async () => {
  answer({ 'GET /api/session': session, 'GET /api/secrets': { secrets: [], next: '', total: 0, kinds: [], behind: 0, dropped: false } })
  visit('/secrets')
  await waitFor(() => expect(screen.getByText('No secret or key was seen in use.')).toBeTruthy())
  expect(screen.getByRole('link', { name: 'See what arrives' }).getAttribute('href')).toBe('/ledger')
})

test('what narrows stands in the address, and the server is asked for it', async () => {
  const told = answer({ 'GET /api/session': session, 'GET /api/secrets': { secrets: [], next: '', total: 0, kinds: [], behind: 2, dropped: false } })
  const { router } = visit('/secrets?kind=key')
  const box = await screen.findByRole('textbox', { name: 'Filter' })
  fireEvent.change(box, { target: { value: ' billing ' } })
  fireEvent.submit(box)
  await waitFor(() => expect(router.state.location.href).toContain('q=billing'))
  await waitFor(() => expect(told.some((a) => a.query.get('q') === 'billing' && a.query.get('kind') === 'key' && a.query.get('confirmed') === 'true')).toBe(true))
  expect(screen.getByText(/2 more days/).className).toContain('unknown')
})

test('of what no log tells the use of, the page says that nothing can be known', async () => {
  const resource = '//secretmanager.googleapis.com/projects/shop/secrets/db'
  answer({
    'GET /api/session': session,
    'GET /api/secrets/detail': {
      resource, kind: 'secret', name: 'db', forms: [resource], account: 'shop', account_name: '', region: '', cloud_provider: 'GCP', confirmed: true,
      first_seen: '2026-03-02T09:00:00Z', calls: 0, actors: 0, callers: [], regions: [], failures: 0, findings: 0, quiet_days: -1, unknown_days: 3,
      rotation: { calls: 0 }, maturity: { state: 'unseen', days: 0, calls: 0, needs_days: 7, needs_calls: 30 }, unseen: { log: 'data_access', text: 'None of its logs came of project shop.' },
      heat: [], heat_known: known.map((k) => ({ ...k, known: 0, unknown: 3 })), days: [], actor_use: [], group: [], failure_kinds: [],
      gaps: [{ from: '2026-03-02T09:00:00Z', to: '2026-03-05T00:00:00Z' }], unknown_hours: 63, finding_list: [], since: '2026-03-01T00:00:00Z', until: '2026-03-05T00:00:00Z',
    },
  })
  visit(secretAddress(resource))
  const note = await screen.findByRole('note')
  expect(note.textContent).toContain('Nothing can be known of its use')
  expect(note.textContent).toContain('None of its logs came of project shop.')
  expect(screen.queryByText('no use')).toBeNull()
})

test('vaults that wrote nothing are told of as not known', async () => {
  const vault = (name: string) => ({ resource: `/subscriptions/s/resourcegroups/g/providers/microsoft.keyvault/vaults/${name}`, account: 's', first: '2026-03-02T00:00:00Z', last: '2026-03-05T00:00:00Z' })
  answer({ 'GET /api/session': session, 'GET /api/secrets': { secrets: [], next: '', total: 0, kinds: [], behind: 0, dropped: false, silent_vaults: [vault('shop'), vault('pay')] } })
  visit('/secrets')
  const told = await screen.findByText(/2 vaults of Azure wrote no audit event/)
  expect(told.className).toContain('unknown')
})
