/**
 * Texts in English and Japanese. A page keeps its own beside itself:
 *
 *     // pages/search/texts.ts
 *     export const useTexts = texts('search', { title: 'Search', hits_one: '{{n}} event', hits_other: '{{n}} events' },
 *                                             { title: '検索', hits_other: '{{n}} 件' })
 *     // in a component
 *     const t = useTexts()
 *     t('hits', { count: 3 }) · t.rich('who', { actor: <LogText>{a}</LogText> })
 *
 * Keys are typed by the English texts; the compiler and test/texts.test.ts see to
 * it that Japanese has the same keys and the same values in them.
 */
import i18next, { type i18n as I18n } from 'i18next'
import { Fragment, createElement, useMemo, useSyncExternalStore, type ReactNode } from 'react'
import { number } from './format'
import { languages, type Language } from './language'

/** The texts themselves are of one instance, so that tests may have others. */
export const i18n: I18n = i18next.createInstance()

void i18n.init({
  lng: 'en',
  fallbackLng: 'en',
  supportedLngs: languages,
  resources: {},
  interpolation: { escapeValue: false }, // React escapes
  returnNull: false,
  keySeparator: false, // keys of data such as 'status.new' are flat
  nsSeparator: false,
  initAsync: false,
})

/** The language that was chosen here before, or that the browser prefers. */
export function preferred(): Language {
  const kept = localStorage.getItem('yagura.language')
  for (const l of [kept, ...navigator.languages]) {
    const found = languages.find((known) => l?.toLowerCase().startsWith(known))
    if (found) return found
  }
  return 'en'
}

/** Changes the language of everything at once. */
export function setLanguage(l: Language) {
  localStorage.setItem('yagura.language', l)
  document.documentElement.lang = l
  void i18n.changeLanguage(l)
}

export function useLanguage(): Language {
  return useSyncExternalStore(
    (changed) => {
      i18n.on('languageChanged', changed)
      return () => i18n.off('languageChanged', changed)
    },
    () => i18n.language as Language,
  )
}

type Bare<K> = K extends `${infer B}_${'one' | 'other'}` ? B : K
type Dictionary = Record<string, string>
/** The same keys; a plural needs only the forms that Japanese has. */
type Japanese<En extends Dictionary> = {
  [K in keyof En as K extends `${string}_one` ? never : K]: string
}

export interface Say<En extends Dictionary> {
  (key: Bare<keyof En & string>, values?: Record<string, string | number>): string
  /** The text with pieces of the page in place of values. */
  rich: (key: Bare<keyof En & string>, values: Record<string, ReactNode>) => ReactNode
  /** The text of a key that comes from data, or the word itself when there is none. */
  word: (prefix: string, value: string) => string
  language: Language
}

export function say<En extends Dictionary>(namespace: string, language: Language): Say<En> {
  const fixed = i18n.getFixedT(language, namespace) as (k: string, v?: Record<string, unknown>) => string
  // Values never go through i18next, which would read what looks like its own
  // language in them; marks do, and are replaced afterwards.
  const split = (key: string, values: Record<string, unknown> = {}) => {
    const marks: Record<string, unknown> = {}
    const kept: unknown[] = []
    for (const [name, v] of Object.entries(values)) {
      if (name === 'count' && typeof v === 'number') marks.count = v // it chooses the plural
      const mark = `\uE000${kept.push(typeof v === 'number' ? number(v, language) : v) - 1}\uE001`
      if (name !== 'count') marks[name] = mark
      else if (!('n' in values)) marks.n = mark
    }
    return { pieces: fixed(key, marks).split(/\uE000(\d+)\uE001/), kept }
  }
  const t = ((key: string, values?: Record<string, string | number>) => {
    const { pieces, kept } = split(key, values)
    return pieces.map((p, i) => (i % 2 ? String(kept[Number(p)]) : p)).join('')
  }) as unknown as Say<En>
  t.rich = (key, values) => {
    const { pieces, kept } = split(key, values)
    return createElement(Fragment, null, ...pieces.map((p, i) => (i % 2 ? createElement(Fragment, { key: i }, kept[Number(p)] as ReactNode) : p)))
  }
  t.word = (prefix, value) => {
    const key = `${prefix}.${value}`
    return i18n.exists(key, { ns: namespace, lng: language }) ? fixed(key) : value.replaceAll('_', ' ')
  }
  t.language = language
  return t
}

/** Every namespace that was registered: what the test of equal keys walks. */
export const registered = new Map<string, { en: Dictionary; ja: Dictionary }>()

/** Registers a page's texts and gives the hook that says them. */
export function texts<const En extends Dictionary>(namespace: string, en: En, ja: Japanese<En>): () => Say<En> {
  registered.set(namespace, { en, ja })
  i18n.addResourceBundle('en', namespace, en)
  i18n.addResourceBundle('ja', namespace, ja)
  return function useTexts() {
    const language = useLanguage()
    return useMemo(() => say<En>(namespace, language), [language])
  }
}
