import { describe, expect, test } from 'vitest'
import type { Event } from '@/api/contract'
import { accepted, calledBy, fieldsLike, placeAt } from './complete'
import { between, ticks } from './histogram'
import { whoOf } from './page'
import { eventsOf, nextUntil } from './pages'
import { moved, panelsOf, rangeOf } from './panels'
import { readTime, spanOf, times, wider, written } from './range'
import { isSecret } from './record'
import { csvOf, plotOf } from './sql'
import { rawPath, rawTerm } from './tree'
import { around, whoTerm } from './who'

const at = (text: string) => {
  const cursor = text.indexOf('|')
  return placeAt(text.replace('|', ''), cursor)
}

describe('what is being written', () => {
  test.each([
    ['|', { kind: 'field', typed: '' }],
    ['oper|', { kind: 'field', typed: 'oper' }],
    ['-acc|', { kind: 'field', typed: 'acc', from: 1 }],
    ['a:b reg|', { kind: 'field', typed: 'reg', from: 4 }],
    ['(user:x or us|', { kind: 'field', typed: 'us' }],
    ['operation:Get|', { kind: 'value', field: 'operation', typed: 'Get', from: 10 }],
    ['operation:|', { kind: 'value', field: 'operation', typed: '' }],
    ['-operation:Get|Secret x', { kind: 'value', field: 'operation', typed: 'Get', from: 11, to: 20 }],
    ['operation:(GetSecretValue or De|', { kind: 'value', field: 'operation', typed: 'De' }],
    ['agent:"aws cli|', { kind: 'value', field: 'agent', typed: 'aws cli', from: 6 }],
    ['agent:~bot|', { kind: 'value', field: 'agent', typed: 'bot', from: 7 }],
    ['actor:arn:aws:iam|', { kind: 'value', field: 'actor', typed: 'arn:aws:iam' }],
    ['operation:(a or b) re|', { kind: 'field', typed: 're' }],
  ])('%s', (text, want) => {
    expect(at(text)).toMatchObject(want)
  })
  test.each(['"some words|', 'position:>=1|', 'time:[2026 TO |', 'operation:Get*|', 'raw.event|', 'a-b|'])('nothing to complete: %s', (text) => {
    expect(at(text)).toBeUndefined()
  })
  test('whatever is typed, a place lies in the text and around the cursor', () => {
    const bits = ['a', ':', '(', ')', '"', '\\', ' ', '-', '~', '*', 'or', 'ア', '\u202e', '[', '>']
    let seed = 7
    const random = () => (seed = (seed * 1103515245 + 12345) % 2147483648) / 2147483648
    for (let n = 0; n < 3000; n++) {
      const text = Array.from({ length: Math.floor(random() * 12) }, () => bits[Math.floor(random() * bits.length)]).join('')
      const cursor = Math.floor(random() * (text.length + 1))
      const p = placeAt(text, cursor)
      if (!p) continue
      expect(p.from).toBeLessThanOrEqual(cursor)
      expect(p.to).toBeGreaterThanOrEqual(cursor)
      expect(p.to).toBeLessThanOrEqual(text.length)
    }
  })
})

describe('what was chosen', () => {
  const put = (text: string, chosen: string) => {
    const cursor = text.indexOf('|')
    const bare = text.replace('|', '')
    const p = placeAt(bare, cursor)
    if (!p) throw new Error('no place')
    const out = accepted(bare, p, chosen)
    return `${out.text.slice(0, out.cursor)}|${out.text.slice(out.cursor)}`
  }
  test('a field waits for its value', () => {
    expect(put('-acc|', 'account')).toBe('-account:|')
    expect(put('acc|:1', 'account')).toBe('account:|1')
  })
  test('a value is quoted where it must be, and the next condition begins', () => {
    expect(put('operation:Get|', 'GetSecretValue')).toBe('operation:GetSecretValue |')
    expect(put('agent:aw|', 'aws cli "2"')).toBe('agent:"aws cli \\"2\\"" |')
    expect(put('agent:"aws| c" region:x', 'aws cli')).toBe('agent:"aws cli"| region:x')
    expect(put('operation:(A or B|)', 'Bee')).toBe('operation:(A or Bee|)')
  })
})

describe('fields', () => {
  const field = (name: string, ...aliases: string[]) => ({ name, aliases, type: 'text', values: [], doc: '' })
  const all = [field('actor_uid', 'actor', 'principal'), field('account_uid', 'account'), field('api_operation', 'operation', 'action'), field('region')]
  test('those that begin so come before those that have it in them', () => {
    expect(fieldsLike(all, 'ac').map((f) => f.name)).toEqual(['actor_uid', 'account_uid', 'api_operation'])
    expect(fieldsLike(all, 'tion').map((f) => f.name)).toEqual(['api_operation'])
    expect(fieldsLike(all, '').length).toBe(4)
  })
  test('they are called as one began to call them', () => {
    expect(calledBy(all[0]!, 'pri')).toBe('principal')
    expect(calledBy(all[0]!, 'actor_')).toBe('actor_uid')
    expect(calledBy(all[2]!, '')).toBe('action')
  })
})

describe('pages', () => {
  const event = (uid: string, time: string) => ({ uid, time }) as Event
  test('the next page begins with the time of the last, and nothing is there twice', () => {
    const one = { events: [event('a', '2026-03-02T10:00:01Z'), event('b', '2026-03-02T10:00:00.5Z')], more: true }
    expect(nextUntil([one])).toBe('2026-03-02T10:00:00.501Z')
    const two = { events: [event('b', '2026-03-02T10:00:00.5Z'), event('c', '2026-03-02T09:00:00Z')], more: false }
    expect(nextUntil([one, two])).toBeUndefined()
    expect(eventsOf([one, two]).map((e) => e.uid)).toEqual(['a', 'b', 'c'])
  })
  test('it ends where a page would come again and again', () => {
    const one = { events: [event('a', '2026-03-02T10:00:00Z')], more: true }
    expect(nextUntil([one, one])).toBeUndefined()
    expect(nextUntil([])).toBeUndefined()
  })
})

describe('time', () => {
  test('spans count from now, times are themselves', () => {
    const now = new Date('2026-03-25T08:00:30Z')
    expect(times({ since: '-24h' }, now)).toEqual({ since: '2026-03-24T08:00:00.000Z' })
    expect(times({}, now)).toEqual({})
    expect(times({ since: '2026-03-02', until: '2026-03-03T09:30' }, now)).toEqual({ since: '2026-03-02T00:00:00.000Z', until: '2026-03-03T09:30:00.000Z' })
    expect(times({ since: 'nonsense' }, now)).toEqual({ since: undefined, until: undefined })
    expect([spanOf({}), spanOf({ since: '-7d' }), spanOf({ since: '-9d' }), spanOf({ since: '-7d', until: '2026-03-02' })]).toEqual(['all', '7d', undefined, undefined])
  })
  test('what is no time is not taken for one', () => {
    expect([readTime('2026-02-31'), readTime('yesterday'), readTime('2026-3-2'), readTime('2026-03-02T25:00')]).toEqual([undefined, undefined, undefined, undefined])
    expect(readTime('2026-03-02 18:14+09:00')).toBe('2026-03-02T09:14:00.000Z')
  })
  test('what is written is read as the same', () => {
    for (const t of ['2026-03-02T00:00:00.000Z', '2026-03-02T09:30:00.000Z', '2026-03-02T09:30:15.000Z']) expect(readTime(written(t))).toBe(t)
    expect(written('2026-03-02T00:00:00.000Z')).toBe('2026-03-02')
  })
  test('wider is three times as much, and at last all', () => {
    const all = { since: '2026-03-01T00:00:00Z', until: '2026-03-05T00:00:00Z' }
    expect(wider('2026-03-02T10:00:00Z', '2026-03-02T11:00:00Z', all)).toEqual({ since: '2026-03-02T09:00:00.000Z', until: '2026-03-02T12:00:00.000Z' })
    expect(wider('2026-03-02T00:00:00Z', '2026-03-04T00:00:00Z', all)).toEqual({})
  })
})

describe('the axis of a histogram', () => {
  const counts = (since: string, width: number, n: number) => ({
    width, buckets: Array.from({ length: n }, (_, i) => ({ time: new Date(new Date(since).getTime() + i * width * 1000).toISOString(), count: i, part: 1 })),
  })
  test('days are named at midnight, hours at round hours', () => {
    const week = counts('2026-03-02T00:00:00Z', 6 * 3600, 96)
    const named = ticks(week, 900)
    expect(named.days).toBe(true)
    expect(named.at.every((i) => week.buckets[i]?.time.includes('T00:00'))).toBe(true)
    const hour = counts('2026-03-02T09:58:00Z', 60, 60)
    expect(ticks(hour, 900).at.map((i) => hour.buckets[i]?.time.slice(14, 16))).toEqual(['00', '15', '30', '45'])
  })
  test('labels have room, and there is always one', () => {
    for (const width of [60, 200, 390, 1000]) {
      for (const [w, n] of [[1, 60], [60, 96], [3600, 90], [86_400, 400], [7 * 86_400, 90]] as const) {
        const { at } = ticks(counts('2026-01-05T00:00:00Z', w, n), width)
        expect(at.length).toBeGreaterThan(0)
        expect(at.length).toBeLessThanOrEqual(Math.max(Math.floor(width / 90), 1) + 1)
      }
    }
  })
  test('a stretch is in order and inside', () => {
    expect([between(5, 2, 10), between(-3, 50, 10), between(4, 4, 10)]).toEqual([[2, 5], [0, 9], [4, 4]])
  })
})

describe('dashboards', () => {
  const panel = (id: string) => ({ id, title: id, kind: 'search' as const, query: 'a:b', show: 'count' as const })
  test('what was kept is read, and what is no panel is left out', () => {
    expect(panelsOf('nonsense')).toEqual([])
    expect(panelsOf([1, null, {}, { id: 'a', kind: 'pie', query: '' }, { ...panel('a'), show: 'table' }, panel('a')])).toEqual([{ ...panel('a'), field: undefined, since: undefined, until: undefined, wide: undefined }])
  })
  test('panels move within the ends, and none is lost', () => {
    const all = ['a', 'b', 'c'].map(panel)
    expect(moved(all, 'a', 1).map((p) => p.id)).toEqual(['b', 'a', 'c'])
    expect(moved(all, 'a', -1).map((p) => p.id)).toEqual(['a', 'b', 'c'])
    expect(moved(all, 'c', 5).map((p) => p.id)).toEqual(['a', 'b', 'c'])
    expect(moved(all, 'x', 1).map((p) => p.id)).toEqual(['a', 'b', 'c'])
  })
  test('the dashboard’s own time goes before the panel’s', () => {
    const p = { ...panel('a'), since: '-7d' }
    expect(rangeOf(p, {})).toEqual({ since: '-7d', until: undefined })
    expect(rangeOf(p, { since: '-1h' })).toEqual({ since: '-1h' })
  })
})

describe('SQL', () => {
  const columns = [{ name: 'who', type: 'VARCHAR' }, { name: 'n', type: 'BIGINT' }, { name: 'at', type: 'TIMESTAMP' }, { name: 'm', type: 'DECIMAL(18,3)' }]
  test('a chart goes along a time where there is one, else along words', () => {
    expect(plotOf({ columns, rows: [['a', 1, 't', 2]] })).toEqual({ x: 2, time: true, ys: [1, 3] })
    expect(plotOf({ columns: columns.slice(0, 2), rows: [['a', 1]] })).toEqual({ x: 0, time: false, ys: [1] })
    expect(plotOf({ columns: columns.slice(1, 2), rows: [[1]] })).toBeUndefined()
    expect(plotOf({ columns, rows: [] })).toBeUndefined()
  })
  test('a file of it is no formula, and lists and nothing are told', () => {
    expect(csvOf({ columns, rows: [['=cmd()|x', -3, null, 'a "b", c'], [['x'], 1, '', '+1']] })).toBe(`who,n,at,m\r\n'=cmd()|x,-3,,"a ""b"", c"\r\n"[""x""]",1,,'+1\r\n`)
  })
})

describe('records', () => {
  test('a place in a record as filters name it', () => {
    expect(rawPath(['requestParameters', 'tags', 0, 'a.b'])).toBe('raw.requestParameters.tags."a.b"')
    expect(rawTerm(['a'], 'x y')).toBe('raw.a:"x y"')
    expect(rawTerm(['a'], false)).toBe('raw.a:false')
    expect([rawTerm(['a'], null), rawTerm(['a'], {})]).toEqual([undefined, undefined])
  })
  test('who did it', () => {
    expect(whoOf({ actor_session: 'kei', actor_name: 'Admin', caller: 'console' })).toBe('kei')
    expect(whoOf({ actor_session: 'i-0123', actor_name: 'web', caller: 'ec2' })).toBe('web')
    expect(whoTerm({ actor_uid: 'arn:aws:iam::1:role/x' } as Event)).toBe('actor:arn:aws:iam::1:role/x')
    expect(whoTerm({ actor_credential_uid: 'AKIA 1' } as Event)).toBe('key:"AKIA 1"')
    expect(whoTerm({ actor_uid: 'arn:aws:iam::1:role/sso', actor_type: 'role', actor_session: 'kei', caller: 'person_cli' } as Event)).toBe('actor:arn:aws:iam::1:role/sso session:kei')
    expect(whoTerm({ actor_uid: 'arn:aws:iam::1:role/web', actor_type: 'role', actor_session: 'i-0', caller: 'ec2' } as Event)).toBe('actor:arn:aws:iam::1:role/web')
    expect(whoTerm({} as Event)).toBeUndefined()
    expect(around('2026-03-20T00:00:00Z')).toEqual({ since: '2026-03-06T00:00:00.000Z', until: '2026-03-21T00:00:00.000Z' })
  })
  test('what has a page as a secret or key', () => {
    const arn = (s: string) => `arn:aws:${s}`
    expect(['secretsmanager:eu-west-1:111122223333:secret:x', 'kms:eu-west-1:111122223333:key/1', 'ssm:eu-west-1:111122223333:parameter/x'].map((s) => isSecret(arn(s)))).toEqual([true, true, true])
    expect(['s3:::bucket', 'ssm:eu-west-1:111122223333:document/x'].map((s) => isSecret(arn(s)))).toEqual([false, false])
  })
})
