import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { money, price, saving } from './money'

test('money is written as the commands write it', () => {
  const cases = JSON.parse(readFileSync('../say/testdata/money.json', 'utf8')) as Record<'amount' | 'currency' | 'money' | 'saving' | 'price', string>[]
  expect(cases.length).toBeGreaterThan(20)
  const plain = (s: string) => s.replace('\u00a0', ' ')
  for (const { amount, currency, ...want } of cases) {
    const n = Number(amount)
    expect({ money: plain(money(n, currency)), saving: plain(saving(n, currency)), price: plain(price(n, currency)) }, `${amount} ${currency}`).toEqual(want)
  }
})
