import { Select, Tooltip } from '@mantine/core'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useMemo, useState } from 'react'
import { get } from '@/api/client'
import { has, toggled } from '@/app/filter'
import { compact, number } from '@/app/format'
import { useEventTexts } from '@/parts/event.texts'
import { LogText } from '@/parts/log-text'
import { Asked } from '@/parts/states'
import { useColumns } from './box'
import type { Range } from './range'
import { useTexts } from './texts'
import css from './fields.module.css'

interface Props {
  q: string
  times: Range
  onFilter: (q: string) => void
}

const first = ['api_operation', 'outcome', 'caller', 'actor_name', 'account_uid', 'region', 'resource_uid', 'src_ip', 'status_code', 'api_service', 'actor_type', 'user_agent']
const few = 5

/** The fields of what was found with their top values, to take or leave by a click. */
export function Fields({ q, times, onFilter }: Props) {
  const t = useTexts()
  const columns = useColumns()
  const [more, setMore] = useState<string[]>([])
  const fields = useMemo(() => [...more, ...first.filter((f) => !more.includes(f))], [more])
  const values = useQuery({ ...get('/api/search/fields', { query: { q, ...times, fields, most: 12 } }), placeholderData: keepPreviousData })
  const others = columns.filter((c) => c.type !== 'json' && !fields.includes(c.name))
  return (
    <div className={css.fields} role="group" aria-label={t('fields')}>
      <Asked of={values} lines={10}>
        {(v) => (
          <>
            {v.fields.filter((f) => f.values.some((x) => x.value !== '') || more.includes(f.field)).map((f) => <Top key={f.field} of={f} total={v.total} about={v.sampled} q={q} onFilter={onFilter} />)}
            {v.sampled && <p className="faint">{t('fieldsSampled', { looked: v.looked, stored: v.stored })}</p>}
          </>
        )}
      </Asked>
      <Select
        aria-label={t('fieldsMore')} placeholder={t('fieldsMore')} searchable clearable value={null} data={others.map((c) => c.name)} comboboxProps={{ position: 'top-start' }}
        onChange={(name) => name && setMore([name, ...more])}
      />
    </div>
  )
}

interface TopProps {
  of: { field: string; values: { value: string; count: number }[]; more: boolean }
  total: number
  /** Counts are estimates. */
  about: boolean
  q: string
  onFilter: (q: string) => void
}

function Top({ of, total, about, q, onFilter }: TopProps) {
  const t = useTexts()
  const words = useEventTexts()
  const [all, setAll] = useState(false)
  const prefix = of.field === 'outcome' || of.field === 'caller' ? of.field : undefined
  const said = (v: string) => (v === '' ? t('fieldEmpty') : prefix ? words.word(prefix, v) : v)
  return (
    <section>
      <h3><code>{of.field}</code></h3>
      <ul>
        {(all ? of.values : of.values.slice(0, few)).map(({ value, count }) => {
          const on = has(q, of.field, value)
          const off = has(q, of.field, value, true)
          const name = { field: of.field, value: said(value) }
          return (
            <li key={value} data-on={on || undefined} data-off={off || undefined}>
              <button type="button" className={css.value} aria-pressed={on} title={t('include', name)} onClick={() => onFilter(toggled(q, of.field, value))}>
                <span className={css.name}>{value === '' ? <span className="faint">{said(value)}</span> : <LogText name most={28}>{said(value)}</LogText>}</span>
                <span className={css.count} title={number(count, t.language)}>{about && '≈'}{compact(count, t.language)}</span>
                <i style={{ width: `${total ? Math.min((count / total) * 100, 100) : 0}%` }} aria-hidden="true" />
              </button>
              <Tooltip label={t('exclude', name)}>
                <button type="button" className={css.not} aria-label={t('exclude', name)} aria-pressed={off} onClick={() => onFilter(toggled(q, of.field, value, true))}>−</button>
              </Tooltip>
            </li>
          )
        })}
      </ul>
      {!all && of.values.length > few ? (
        <button type="button" className={css.more} onClick={() => setAll(true)}>+{of.values.length - few}</button>
      ) : (
        of.more && all && <span className={css.more}>{t('fieldMore')}</span>
      )}
    </section>
  )
}
