import { expect, test } from 'vitest'
import { finding } from '@/test/render'
import { changed, decisionOf, reasons } from './triage'

test('a decision shows in every list that the finding is in, and nowhere else', () => {
  const other = finding({ key: 'k2' })
  const data = { pages: [{ findings: [finding(), other], next: '' }] }
  const next = changed(data, new Set(['k1']), { verdict: 'expected', status: 'resolved', comment: 'said' }) as typeof data
  expect(next.pages[0]?.findings[0]).toMatchObject({ key: 'k1', verdict: 'expected', status: 'resolved' })
  expect(next.pages[0]?.findings[0]).not.toHaveProperty('comment')
  expect(next.pages[0]?.findings[1]).toBe(other)
})

test('what has none of the findings stays what it is', () => {
  const data = { needs: [finding()], similar: [{ finding: finding(), why: '' }] }
  expect(changed(data, new Set(['other']), { status: 'resolved' })).toBe(data)
})

test('each key decides what it says', () => {
  expect(decisionOf('expected', 'kei')).toEqual({ verdict: 'expected', status: 'resolved' })
  expect(decisionOf('mine', 'kei')).toEqual({ assignee: 'kei', status: 'in_progress' })
  for (const choice of ['expected', 'false_positive', 'true_positive'] as const) expect(reasons[decisionOf(choice, '').verdict ?? '']?.length).toBeGreaterThan(0)
})
