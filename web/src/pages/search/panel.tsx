import { useQuery } from '@tanstack/react-query'
import { useMemo, type ReactNode } from 'react'
import { get } from '@/api/client'
import { term } from '@/app/filter'
import { compact, number } from '@/app/format'
import { address, searchAddress, To } from '@/parts/links'
import { LogText } from '@/parts/log-text'
import { Asked } from '@/parts/states'
import { Table } from '@/parts/table'
import { SQLChart, SQLTable } from './answer'
import { useSQL } from './ask'
import { Histogram } from './histogram'
import { EventCard, useEventColumns } from './page'
import { rangeOf, type Panel } from './panels'
import { times, type Range } from './range'
import { useTexts } from './texts'
import css from './dashboards.module.css'

const tall = 240

/** One panel: its question asked anew, and the way to where it was asked. */
export function PanelView({ of: p, own, now, tools }: { of: Panel; own: Range; now: Date; tools?: ReactNode }) {
  const t = useTexts()
  const range = rangeOf(p, own)
  const href = p.kind === 'sql' ? address('/search/sql', { sql: p.query, show: p.show === 'chart' ? 'chart' : undefined }) : searchAddress(p.query, range.since, range.until)
  return (
    <>
      <header>
        <h2><To href={href}><LogText most={60}>{p.title}</LogText></To></h2>
        {tools && <span className={css.tools}>{tools}</span>}
      </header>
      {p.kind === 'sql' ? <SQLPanel of={p} /> : <SearchPanel of={p} range={range} now={now} label={t(`show.${p.show}`)} />}
    </>
  )
}

function SQLPanel({ of: p }: { of: Panel }) {
  const answer = useSQL(p.query)
  return <Asked of={answer} lines={5}>{(a) => (p.show === 'chart' ? <SQLChart of={a} height={tall} /> : <SQLTable of={a} height={tall} />)}</Asked>
}

function SearchPanel({ of: p, range, now, label }: { of: Panel; range: Range; now: Date; label: string }) {
  const { since, until } = range
  const asked = useMemo(() => times({ since, until }, now), [since, until, now])
  switch (p.show) {
    case 'top':
      return <TopPanel q={p.query} asked={asked} range={range} field={p.field ?? 'api_operation'} label={label} />
    case 'rows':
      return <RowsPanel q={p.query} asked={asked} label={label} />
    default:
      return <CountPanel q={p.query} asked={asked} over={p.show === 'histogram'} />
  }
}

function CountPanel({ q, asked, over }: { q: string; asked: Range; over: boolean }) {
  const t = useTexts()
  const counts = useQuery(get('/api/search/histogram', { query: { q, ...asked, buckets: 60 } }))
  return (
    <Asked of={counts} lines={3}>
      {(c) => (
        <>
          <p className={over ? css.small : css.number}>{c.sampled ? t('about', { n: c.total }) : number(c.total, t.language)}</p>
          {over && c.buckets.length > 0 && <Histogram of={c} height={110} />}
          {c.sampled && <p className="dim">{t('sampled', { looked: c.looked, stored: c.stored })}</p>}
        </>
      )}
    </Asked>
  )
}

function TopPanel({ q, asked, range, field, label }: { q: string; asked: Range; range: Range; field: string; label: string }) {
  const t = useTexts()
  const values = useQuery(get('/api/search/fields', { query: { q, ...asked, fields: [field], most: 10 } }))
  return (
    <Asked of={values} lines={5}>
      {(v) => (
        <ol className={css.top} aria-label={label}>
          {(v.fields[0]?.values ?? []).map((x) => (
            <li key={x.value}>
              <To href={searchAddress(q ? `(${q}) ${term(field, x.value)}` : term(field, x.value), range.since, range.until)}>
                {x.value === '' ? <span className="faint">{t('fieldEmpty')}</span> : <LogText name most={44}>{x.value}</LogText>}
              </To>
              <span className="num">{v.sampled && '≈'}{compact(x.count, t.language)}</span>
              <i style={{ width: `${v.total ? Math.min((x.count / v.total) * 100, 100) : 0}%` }} aria-hidden="true" />
            </li>
          ))}
        </ol>
      )}
    </Asked>
  )
}

function RowsPanel({ q, asked, label }: { q: string; asked: Range; label: string }) {
  const t = useTexts()
  const columns = useEventColumns()
  const found = useQuery(get('/api/search', { query: { q, ...asked, limit: 50 } }))
  return (
    <Asked of={found} lines={5}>
      {(f) => <Table label={label} rows={f.events} columns={columns} rowKey={(e) => e.uid} height={tall} cardHeight={78} card={(e) => <EventCard of={e} />} empty={<p className="dim">{t('none')}</p>} />}
    </Asked>
  )
}
