import { Button, Select, TextInput } from '@mantine/core'
import { useQueries, useQuery } from '@tanstack/react-query'
import { getRouteApi, useNavigate } from '@tanstack/react-router'
import { useMemo, useState } from 'react'
import { get } from '@/api/client'
import type { Board } from '@/api/contract'
import { useKeys } from '@/app/keys'
import { times, type Range } from '@/pages/search/range'
import { TimeRange } from '@/pages/search/time'
import { LogText } from '@/parts/log-text'
import { To } from '@/parts/links'
import { Page } from '@/parts/page'
import { Asked, Nothing } from '@/parts/states'
import { serverNow } from '@/parts/when'
import { paramsOf, timeOf, withWords, type Words } from './ask'
import { PanelView } from './panel'
import { useTexts } from './texts'
import css from './page.module.css'

const page = getRouteApi('/in/dashboards/$id')

/** One dashboard of a file, over one time and with its parameters, all of which its address says. */
export function BoardPage() {
  const t = useTexts()
  const { id } = page.useParams()
  const all = useQuery(get('/api/dashboards'))
  const found = all.data?.dashboards.find((d) => d.id === id)
  if (found) return <Shown key={id} of={found} />
  return (
    <Page title={t('title')} answer={t('title')}>
      <Asked of={all}>{() => <Nothing title={t('gone')} action={<To href="/dashboards">{t('title')}</To>} />}</Asked>
    </Page>
  )
}

function Shown({ of: d }: { of: Board }) {
  const t = useTexts()
  const navigate = useNavigate()
  const words: Words = page.useSearch()
  const [now, setNow] = useState(serverNow)
  const range: Range = words.since || words.until ? { since: words.since, until: words.until } : { since: `-${Math.round(d.span / 86_400)}d` }
  const asked = useMemo(() => timeOf(d, times({ since: words.since, until: words.until }, now), now), [d, words.since, words.until, now])
  const param = paramsOf(d, words)
  const set = (more: Record<string, string | undefined>) => {
    setNow(serverNow())
    void navigate({ to: '/dashboards/$id', params: { id: d.id }, search: withWords(words, more) })
  }
  const panels = useQueries({ queries: d.panels.map((p) => get('/api/dashboards/{id}', { path: { id: d.id }, query: { ...asked, param, panel: [p.id] } })) })
  const answers = panels.map((p) => p.data?.panels[0]?.answer)
  const left = panels.filter((p) => p.isPending).length
  const marks = answers.reduce((n, a) => n + (a?.marks.length ?? 0), 0)
  const unseen = answers.filter((a) => a?.state === 'no_log').length
  const told = () => {
    if (unseen === panels.length) return t('noLogs')
    // Unmarked is not usual where nothing could be marked.
    const judged = answers.some((a) => a && a.state !== 'no_log' && a.past.state === 'judged')
    const usual = marks > 0 ? t('unusual', { count: marks }) : t(judged ? 'unusualNone' : 'unjudged')
    return unseen > 0 ? `${usual}, ${t('unseen', { count: unseen })}` : usual
  }
  useKeys(d.title, [{ keys: 'r', label: t('refresh'), run: () => setNow(serverNow()) }])
  return (
    <Page
      title={d.title}
      answer={<><LogText most={60}>{d.title}</LogText>{left === 0 && `: ${told()}`}</>}
      more={left > 0 ? t('working', { left, all: panels.length }) : <><LogText wrap>{d.description}</LogText> <span className="faint">{t('version', { version: d.version })}</span></>}
      actions={<TimeRange value={range} onChange={(r) => set({ since: r.since, until: r.until })} />}
    >
      {d.parameters.length > 0 && (
        <div className={css.parameters}>
          {d.parameters.map((p) => <Parameter key={p.name} board={d.id} of={p} value={words[p.name] ?? p.default} asked={asked} onSet={(v) => set({ [p.name]: v })} />)}
        </div>
      )}
      <div className={css.grid}>
        {d.panels.map((p, i) => {
          const one = panels[i]
          return (
            <section key={p.id} className={css.panel} data-wide={p.wide || undefined} aria-label={p.title}>
              <header>
                <h2><LogText most={90}>{p.title}</LogText></h2>
                {p.description && <p className="dim"><LogText wrap>{p.description}</LogText></p>}
              </header>
              {one && <Asked of={one} lines={5}>{(a) => (a.panels[0] ? <PanelView of={a.panels[0]} /> : null)}</Asked>}
            </section>
          )
        })}
      </div>
    </Page>
  )
}

/** A parameter: chosen among the values that occur, or written. */
function Parameter({ board, of: p, value, asked, onSet }: { board: string; of: Board['parameters'][number]; value: string; asked: Range; onSet: (v: string | undefined) => void }) {
  const t = useTexts()
  const choices = useQuery(get('/api/dashboards/{id}/choices', { path: { id: board }, query: { of: p.name, ...asked } }))
  if (p.type !== 'text') {
    return (
      <form onSubmit={(e) => { e.preventDefault(); onSet(String(new FormData(e.currentTarget).get('value')).trim() || undefined) }} className={css.parameter}>
        <TextInput key={value} name="value" label={p.title} defaultValue={value} spellCheck={false} autoComplete="off" />
        <Button type="submit" variant="default">{t('refresh')}</Button>
      </form>
    )
  }
  const known = choices.data?.values ?? []
  return (
    <Select
      className={css.parameter} label={p.title} placeholder={t('any')} searchable clearable value={value || null}
      data={value && !known.includes(value) ? [value, ...known] : known} onChange={(v) => onSet(v ?? undefined)}
    />
  )
}
