import { expect, test } from 'vitest'
import type { Event, Timeline } from '@/api/contract'
import { lanesOf } from './timeline'
import { touchersOf } from './touched'

const event = (more: object): Timeline['events'][number] => ({ of_finding: false, uid: String(Math.random()), time: '2026-03-24T10:00:00Z', api_operation: 'GetSecretValue', outcome: 'success', caller: 'ecs', actor_uid: 'a', ...more }) as unknown as Timeline['events'][number]

test('the lanes of the finding come first, the rest is gathered', () => {
  const events = [
    ...Array.from({ length: 12 }, (_, i) => [event({ api_operation: `Op${i}` }), event({ api_operation: `Op${i}` })]).flat(),
    event({ api_operation: 'Rare', of_finding: true }),
  ]
  const lanes = lanesOf(events, 'other')
  expect(lanes).toHaveLength(9)
  expect(lanes[0]?.name).toBe('Rare')
  expect(lanes.at(-1)?.name).toBe('other (5)')
  expect(lanes.reduce((n, l) => n + l.events.length, 0)).toBe(events.length)
})

test('who else touched a resource, without the events of the finding', () => {
  const mine = event({ uid: 'mine' })
  const all: Event[] = [mine, event({ time: '2026-03-24T11:00:00Z' }), event({ api_operation: 'Describe' }), event({ caller: 'lambda', time: '2026-03-24T12:00:00Z' }), event({ actor_type: 'masked', actor_uid: 'x' })]
  const got = touchersOf(all, new Set(['mine']))
  expect(got.map((x) => [x.actor, x.caller, x.count])).toEqual([
    ['a', 'lambda', 1],
    ['a', 'ecs', 2],
    ['', 'ecs', 1],
  ])
  expect(got[1]?.last).toBe('2026-03-24T11:00:00Z')
})
