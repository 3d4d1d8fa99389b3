import { describe, expect, test } from 'vitest'
import { registered, say, texts } from '@/app/texts'

// Every file of texts registers itself when it is loaded.
const files = import.meta.glob<object>(['../**/texts.ts', '../**/*.texts.ts', '../**/texts.*.ts', '!../app/texts.ts', '!../**/*.test.ts'], { eager: true })

// Of the forms that i18next knows, English and Japanese have these.
const forms = /_(one|other)$/
const base = (keys: string[]) => [...new Set(keys.map((k) => k.replace(forms, '')))].toSorted()
/** The values that a text takes; count and n are the same one. */
const values = (text: string) => [...text.matchAll(/\{\{\s*(\w+)\s*\}\}/g)].map((m) => m[1]).toSorted()

describe('texts', () => {
  test('there are some of every page', () => {
    expect(Object.keys(files).length).toBeGreaterThan(5)
    expect([...registered.keys()].filter((name) => name !== 'trial')).toHaveLength(Object.keys(files).length)
  })

  test.each([...registered])('%s has the same keys in both languages', (_, { en, ja }) => {
    expect(base(Object.keys(ja))).toEqual(base(Object.keys(en)))
    for (const k of Object.keys(ja)) expect(k, 'Japanese has one form of a plural').not.toMatch(/_one$/)
    for (const k of Object.keys(en)) if (k.endsWith('_one')) expect(en, 'a plural needs _other').toHaveProperty([k.replace('_one', '_other')])
  })

  test.each([...registered])('%s has the same values in both languages', (_, { en, ja }) => {
    for (const [k, text] of Object.entries(ja)) expect({ [k]: values(text) }).toEqual({ [k]: values(en[k] ?? '') })
  })

  test.each([...registered])('%s is written out in Japanese', (_, { en, ja }) => {
    for (const [k, text] of Object.entries(en)) {
      if (text === '') continue
      const said = ja[k] ?? ja[k.replace(/_one$/, '_other')] ?? ''
      expect(said, k).not.toBe('')
    }
  })
})

describe('saying', () => {
  texts('trial', { hits_one: '{{n}} event', hits_other: '{{n}} events', who: '{{actor}} did {{what}}' }, { hits_other: '{{n}} 件', who: '{{actor}} が {{what}}' })
  const en = say<{ hits_one: string; hits_other: string; who: string }>('trial', 'en')
  const ja = say<{ hits_one: string; hits_other: string; who: string }>('trial', 'ja')

  test('counts as the language does', () => {
    expect([en('hits', { count: 1 }), en('hits', { count: 12_345 }), ja('hits', { count: 12_345 })]).toEqual(['1 event', '12,345 events', '12,345 件'])
  })

  test('values are values, whatever is in them', () => {
    expect(en('who', { actor: '{{what}} $t(hits) <b>', what: '$&' })).toBe('{{what}} $t(hits) <b> did $&')
  })

  test('a word that is not known is said as it is', () => {
    expect(en.word('status', 'half_done')).toBe('half done')
  })
})
