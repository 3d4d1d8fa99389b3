import { fireEvent } from '@testing-library/react'
import { expect, test } from 'vitest'
import { show } from '@/test/render'
import { LogText, pieces, shorten, shortName } from './log-text'

test('what nobody would see is shown', () => {
  expect(pieces('a\u202Egnp.exe\u001b[31m\n')).toEqual([
    { text: 'a' }, { text: 'U+202E', control: true }, { text: 'gnp.exe' }, { text: 'ESC', control: true }, { text: '[31m' }, { text: 'LF', control: true },
  ])
  for (const c of ['\u0000', '\u00ad', '\u061c', '\u200b', '\u200f', '\u2066', '\ufeff', '\u3164', '\u{e0041}']) expect(pieces(`x${c}`), c.codePointAt(0)?.toString(16)).toHaveLength(2)
})

test('what is to be seen stays as it is', () => {
  for (const text of ['日本語', 'שלום', 'é', '👩', 'a b']) expect(pieces(text)).toEqual([{ text }])
})

test('nothing that is logged becomes markup', async () => {
  const { container } = await show(<LogText>{'<img src=x onerror=alert(1)><script>alert(1)</script>'}</LogText>)
  expect(container.querySelector('img, script')).toBeNull()
  expect(container.querySelector('bdi')?.textContent).toBe('<img src=x onerror=alert(1)><script>alert(1)</script>')
})

test('it stands isolated', async () => {
  const { container } = await show(<LogText>x</LogText>)
  expect(container.querySelector('bdi')?.getAttribute('dir')).toBe('auto')
})

test('long names keep their ends', () => {
  expect(shorten('arn:aws:iam::111122223333:role/team/application', 20)).toBe('arn:aws:…application')
  expect([...shorten('𠮷'.repeat(100), 10)]).toHaveLength(10)
  expect(shorten('short', 20)).toBe('short')
})

test('names that people say', () => {
  expect(['arn:aws:iam::1:role/app', 'arn:aws:secretsmanager:r:1:secret:prod/db-AbCdEf', 'arn:aws:ssm:r:1:parameter/a/b', 'arn:aws:s3:::b', 'kei@example.com'].map(shortName)).toEqual([
    'app', 'prod/db-AbCdEf', 'a/b', 'b', 'kei@example.com',
  ])
})

test('a text that would fill the page is folded until it is asked for', async () => {
  const { container, findByRole } = await show(<LogText wrap>{'x'.repeat(5000)}</LogText>)
  expect(container.querySelector('bdi')?.textContent?.length).toBeLessThan(1000)
  fireEvent.click(await findByRole('button', { name: 'show all 5,000 characters' }))
  expect(container.querySelector('bdi')?.textContent).toHaveLength(5000)
})
