import { Textarea } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { get } from '@/api/client'
import type { Finding } from '@/api/contract'
import { conditions, has, term, toggled } from '@/app/filter'
import { LogText } from '@/parts/log-text'
import { useTexts } from './texts'
import css from './page.module.css'

/** Fields of a finding that a scope may be made of, the most telling first. */
export function termsOf(f: Finding): [field: string, value: string][] {
  const all: [string, string | undefined][] = [
    ['kind', f.kind], ['rule', f.rule], ['person', f.person], ['actor', f.actor], ['resource', f.resource], ['account', f.account], ['region', f.region],
    ['environment', f.environment], ['source', f.source === 'yagura' ? '' : f.source],
  ]
  return all.filter((x): x is [string, string] => !!x[1])
}

const there = ['kind', 'severity', 'environment', 'account', 'source']

/** The filter over findings, with what it can be made of at hand. */
export function ScopeField({ value, onChange, of, error, label, readOnly }: { value: string; onChange: (q: string) => void; of?: Finding; error?: string; label: string; readOnly?: boolean }) {
  const t = useTexts()
  const facets = useQuery({ ...get('/api/findings/facets', { query: { q: '' } }), enabled: !of && !readOnly })
  const terms = of
    ? termsOf(of)
    : there.flatMap((field) => (facets.data?.facets.find((f) => f.field === field)?.values ?? []).slice(0, 4).map((v): [string, string] => [field, v.value]))
  return (
    <div className={css.form}>
      <Textarea
        className={css.mono} label={label} description={t('scopeHelp')} placeholder={t('scopeHint')} value={value} onChange={(e) => onChange(e.currentTarget.value)}
        autosize minRows={2} maxRows={8} maxLength={8192} spellCheck={false} autoCapitalize="none" data-search error={error && <LogText wrap>{error}</LogText>} readOnly={readOnly}
      />
      {terms.length > 0 && !readOnly && (
        <div className={css.chips} role="group" aria-label={of ? t('scopeFrom') : t('scopeThere')}>
          <span className="dim">{of ? t('scopeFrom') : t('scopeThere')}</span>
          {terms.map(([field, v]) => (
            <button key={term(field, v)} type="button" aria-pressed={has(value, field, v)} onClick={() => onChange(toggled(value, field, v))}>
              <LogText most={46}>{term(field, v)}</LogText>
            </button>
          ))}
        </div>
      )}
    </div>
  )
}

/** Whether it would be everything. */
export const everything = (scope: string) => conditions(scope).length === 0
