import { fireEvent, screen, waitFor } from '@testing-library/react'
import { expect, test } from 'vitest'
import { answer, session, visit } from '@/test/render'
import { choose, counted, followed, offered, type Coverage, type Rule } from './choose'
import { techniques } from './page'

const rule = (more: Partial<Rule>): Rule => ({
  id: 'r', title: 'Trail stopped', level: 'high', status: 'test', kind: 'rule', logsource: 'aws/cloudtrail', attack: ['TA0005', 'T1562.008'], file: 'builtin/a.yml', builtin: true, stage: '',
  demoted: false, findings: 0, open: 0, logs: true, cases: { passed: 1, failed: 0 }, description: 'Someone stops a trail.', ...more,
})
const rules = [rule({}), rule({ id: 'b', title: 'Grants', level: 'low', logsource: 'gcp/gcp.audit', logs: false, attack: ['T1078.004'] }), rule({ id: 'c', title: 'Sign-in', findings: 3, cases: { passed: 1, failed: 1 } })]
const ids = (all: Rule[]) => all.map((r) => r.id)

test('rules are chosen by words, level, source and state', () => {
  expect(ids(choose(rules, { q: 'TRAIL stops' }))).toEqual(['r', 'b', 'c'])
  expect(ids(choose(rules, { q: 't1078' }))).toEqual(['b'])
  expect(ids(choose(rules, { level: 'high', q: 'sign' }))).toEqual(['c'])
  expect(ids(choose(rules, { source: 'gcp/gcp.audit' }))).toEqual(['b'])
  expect(ids(choose(rules, { show: 'blind' }))).toEqual(['b'])
  expect(ids(choose(rules, { show: 'failing' }))).toEqual(['c'])
  expect(ids(choose(rules, { show: 'no such' }))).toEqual(['r', 'b', 'c'])
})

test('only lists with something in them are offered', () => {
  expect(offered(rules)).toEqual(['all', 'fired', 'blind', 'failing'])
  expect(offered([])).toEqual(['all'])
})

test('a technique of two tactics is counted once', () => {
  const x = (id: string, state: 'covered' | 'present' | 'fired') => ({ id, state, name: id, rules: ['r'], findings: 0 })
  const c: Coverage = { version: '19', rules_without_technique: 0, tactics: [{ id: 'A', name: 'A', techniques: [x('T1', 'fired'), x('T2', 'covered')] }, { id: 'B', name: 'B', techniques: [x('T1', 'fired'), x('T3', 'present')] }] }
  expect(counted(c)).toEqual({ all: 3, present: 2, fired: 1 })
  expect(techniques(['TA0005', 'T1562.008'])).toEqual(['T1562.008'])
})

test('references lead to the web or nowhere', () => {
  expect(followed('https://example.com/x')).toBe('https://example.com/x')
  expect(['javascript:alert(1)', 'data:text/html,x', 'a book'].map(followed)).toEqual([undefined, undefined, undefined])
})

test('what cannot find anything is hatched, and numbers that are not told are not zero', async () => {
  answer({ 'GET /api/session': session, 'GET /api/rules': { rules: [rule({ logs: false, findings: -1, open: -1, cases: { passed: 0, failed: 0 } })] } })
  visit('/rules')
  const box = await screen.findByRole('textbox', { name: 'Filter' })
  expect(screen.getByText('1 rule has nothing to judge: no record of its log source is stored.')).toBeTruthy()
  fireEvent.change(box, { target: { value: 'nothing like it' } })
  await waitFor(() => expect(screen.getByText('No rule is like that.')).toBeTruthy())
})
