import { Tooltip } from '@mantine/core'
import { useState } from 'react'
import type { Facets as Answer } from '@/api/contract'
import { has, toggled } from '@/app/filter'
import { compact } from '@/app/format'
import { useTriageTexts } from '@/app/triage.texts'
import { Icon } from '@/parts/icon'
import { LogText } from '@/parts/log-text'
import { Severity, severities } from '@/parts/severity'
import { useTexts } from './texts'
import css from './facets.module.css'

const order = ['severity', 'kind', 'environment', 'account', 'source', 'owner', 'assignee', 'status', 'verdict', 'person', 'actor', 'resource', 'region', 'attack', 'rule']
const most = 6

interface Props {
  of: Answer
  filter: string
  onFilter: (q: string) => void
}

/** What there is, counted, to narrow the list by a click. */
export function Facets({ of, filter, onFilter }: Props) {
  const t = useTexts()
  const shown = order
    .map((field) => of.facets.find((f) => f.field === field))
    .filter((f): f is Answer['facets'][number] => !!f && (f.values.length > 1 || f.values.some((v) => has(filter, f.field, v.value) || has(filter, f.field, v.value, true))))
  return (
    <div className={css.facets} role="group" aria-label={t('facets')}>
      {shown.map((f) => (
        <Facet key={f.field} of={f} total={of.total} filter={filter} onFilter={onFilter} />
      ))}
    </div>
  )
}

function Facet({ of, total, filter, onFilter }: { of: Answer['facets'][number]; total: number } & Omit<Props, 'of'>) {
  const t = useTexts()
  const triage = useTriageTexts()
  const [all, setAll] = useState(false)
  const rank = (v: string) => severities.findIndex((s) => s === v)
  const values = of.field === 'severity' ? of.values.toSorted((a, b) => rank(a.value) - rank(b.value)) : of.values
  const said = (v: string) => {
    if (v === '') return <span className="faint">{t('none')}</span>
    if (of.field === 'severity') return <Severity of={v} word />
    if (of.field === 'kind' || of.field === 'status' || of.field === 'verdict' || of.field === 'cause' || of.field === 'source') return triage.word(of.field, v)
    return <LogText name most={26}>{v}</LogText>
  }
  return (
    <section>
      <h2>{t.word('field', of.field)}</h2>
      <ul>
        {(all ? values : values.slice(0, most)).map(({ value, count }) => {
          const on = has(filter, of.field, value)
          const off = has(filter, of.field, value, true)
          return (
            <li key={value} data-on={on || undefined} data-off={off || undefined}>
              <button type="button" className={css.value} aria-pressed={on} onClick={() => onFilter(toggled(filter, of.field, value))}>
                <span className={css.name}>{said(value)}</span>
                <span className={css.count}>{compact(count, t.language)}</span>
                <i style={{ width: `${total ? (count / total) * 100 : 0}%` }} aria-hidden="true" />
              </button>
              <Tooltip label={t('exclude', { value })}>
                <button type="button" className={css.not} aria-label={t('exclude', { value })} aria-pressed={off} onClick={() => onFilter(toggled(filter, of.field, value, true))}>
                  −
                </button>
              </Tooltip>
            </li>
          )
        })}
      </ul>
      {values.length > most && (
        <button type="button" className={css.more} onClick={() => setAll(!all)}>
          <Icon name={all ? 'up' : 'down'} size={10} /> {all ? '' : values.length - most}
        </button>
      )}
    </section>
  )
}
