import { Button, SegmentedControl, TextInput } from '@mantine/core'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router'
import { useMemo, useState } from 'react'
import { get } from '@/api/client'
import { clock, moment, number } from '@/app/format'
import { useKeys } from '@/app/keys'
import { Icon } from '@/parts/icon'
import { address, searchAddress, To } from '@/parts/links'
import { LogText } from '@/parts/log-text'
import { Page, Section } from '@/parts/page'
import { Asked, Nothing } from '@/parts/states'
import { column, Table } from '@/parts/table'
import { useNow, When } from '@/parts/when'
import { failed, Lanes, nameOf } from './lanes'
import { useTexts } from './texts'
import type { Run, Told } from './types'
import css from './page.module.css'

const page = getRouteApi('/in/people')

/** The page of what somebody did, around a finding or in a time. */
export function personAddress(who: string, search: { around?: string; since?: string; until?: string } = {}): string {
  return address('/people', { who, ...search })
}

export function Person() {
  const { who = '', since, until, around } = page.useSearch()
  if (!who) return <Whose />
  return <OfPerson key={who} who={who} since={since} until={until} around={around} />
}

/** Nobody is named yet. */
function Whose() {
  const t = useTexts()
  const [typed, setTyped] = useState('')
  const navigate = useNavigate()
  return (
    <Page title={t('title')} answer={t('ask')} more={t('askMore')}>
      <form
        className={css.ask}
        onSubmit={(e) => {
          e.preventDefault()
          if (typed.trim()) void navigate({ to: '/people', search: { who: typed.trim() } })
        }}
      >
        <TextInput data-search aria-label={t('askLabel')} placeholder="mei.tanaka@example.com" value={typed} onChange={(e) => setTyped(e.currentTarget.value)} />
        <Button type="submit" disabled={!typed.trim()}>{t('askGo')}</Button>
      </form>
    </Page>
  )
}

interface Shown {
  who: string
  since: string | undefined
  until: string | undefined
  around: string | undefined
}

function OfPerson({ who, since, until, around }: Shown) {
  const t = useTexts()
  const navigate = useNavigate()
  const now = useNow()
  const told = useQuery({ ...get('/api/people/{uid}/timeline', { path: { uid: who }, query: { since, until, around } }), placeholderData: keepPreviousData })
  const d = told.data
  /** Moves or stretches the time that is looked at. */
  const look = (by: number, stretch: number) => {
    if (!d) return
    const from = Date.parse(d.since)
    const half = (Date.parse(d.until) - from) / 2
    const middle = from + half + by * half
    const next = { since: new Date(middle - half * stretch).toISOString(), until: new Date(middle + half * stretch).toISOString() }
    void navigate({ to: '/people', search: { who, around, ...next } })
  }
  useKeys(t('title'), [
    { keys: 'h', label: t('earlier'), run: () => look(-1, 1) },
    { keys: 'l', label: t('later'), run: () => look(1, 1) },
    { keys: '+', label: t('narrower'), run: () => look(0, 0.5) },
    { keys: '-', label: t('wider'), run: () => look(0, 2) },
  ])
  const name = <LogText most={60} copy>{who}</LogText>
  const notable = d?.runs.filter((r) => r.notable).length ?? 0
  return (
    <Page
      title={who}
      answer={!d ? name : d.runs.length === 0 ? t.rich('nothing', { who: name }) : t.rich('did', { who: name, count: notable, n: number(notable, t.language), events: t('events', { count: d.events }) })}
      more={
        d && (
          <>
            {t('span', { since: moment(d.since, t.language), until: moment(d.until, t.language) })}
            {d.finding && (
              <>
                {' · '}
                {t.rich('around', { title: <Link to="/findings/$key" params={{ key: d.finding.key }}><LogText most={80}>{d.finding.title}</LogText></Link> })}
              </>
            )}
          </>
        )
      }
      actions={
        <span className={css.moves}>
          <Button variant="default" size="compact-sm" onClick={() => look(-1, 1)}><Icon name="left" size={11} /> {t('earlier')}</Button>
          <Button variant="default" size="compact-sm" onClick={() => look(0, 0.5)} title={t('narrower')}>½</Button>
          <Button variant="default" size="compact-sm" onClick={() => look(0, 2)} title={t('wider')}>2×</Button>
          <Button variant="default" size="compact-sm" disabled={!d || new Date(d.until) > now} onClick={() => look(1, 1)}>{t('later')} <Icon name="right" size={11} /></Button>
        </span>
      }
    >
      <Asked of={told} lines={12}>{(d) => <Whole of={d} who={who} />}</Asked>
    </Page>
  )
}

function Whole({ of, who }: { of: Told; who: string }) {
  const t = useTexts()
  const [chosen, setChosen] = useState<Run>()
  return (
    <>
      {of.runs.length === 0 && <Empty of={of} who={who} />}
      {of.more && <p role="note" className={`unknown ${css.note}`}>{t('more')}</p>}
      <Notes of={of} />
      {of.lanes.length > 0 && (
        <Section title={t('lanes')}>
          <Lanes of={of} chosen={chosen} onChoose={setChosen} />
          {chosen && <ol className={css.story}><Line of={chosen} /></ol>}
        </Section>
      )}
      {of.runs.length > 0 && (
        <>
          <Story of={of} />
          <Runs of={of} />
          <Identities of={of} />
        </>
      )}
    </>
  )
}

function Empty({ of, who }: { of: Told; who: string }) {
  const t = useTexts()
  if (!of.latest) return <Nothing title={t.rich('nothingAtAll', { who: <LogText most={60}>{who}</LogText> })}>{t('nothingMore')}</Nothing>
  const until = new Date(Date.parse(of.latest) + 3600_000).toISOString()
  return (
    <Nothing title={t.rich('latest', { when: <When at={of.latest} /> })} action={<To href={personAddress(who, { until })}>{t('toLatest')}</To>}>
      {t('nothingMore')}
    </Nothing>
  )
}

/** What cannot be known, and where logs have gaps: before anything is made of what is seen. */
function Notes({ of }: { of: Told }) {
  const t = useTexts()
  const gaps = [...new Set(of.lanes.flatMap((l) => l.gaps.map((g) => g.reason)))]
  if (of.notes.length + gaps.length === 0) return null
  return (
    <ul role="note" aria-label={t('notes')} className={`unknown ${css.note}`}>
      {[...of.notes, ...gaps].slice(0, 6).map((n) => (
        <li key={n}><LogText wrap>{n}</LogText></li>
      ))}
    </ul>
  )
}

/** The story: a line for each thing that matters, and what came of it. */
function Story({ of }: { of: Told }) {
  const t = useTexts()
  const told = of.runs.filter((r) => r.notable)
  return (
    <Section title={t('story')} note={t('storyNote')}>
      {told.length === 0 && <p className="dim">{t('storyNone')}</p>}
      <ol className={css.story}>
        {told.map((r, i) => {
          const day = dayOf(r.first)
          const before = told[i - 1]
          return <Line key={i} of={r} day={!before || dayOf(before.first) !== day} />
        })}
        {of.end && (
          <li className={css.end} data-unknown={!of.end.known || undefined}>
            <time dateTime={of.end.at}>{clock(of.end.at, t.language)}</time>
            <span><LogText wrap>{of.end.text}</LogText></span>
          </li>
        )}
      </ol>
    </Section>
  )
}

const dayOf = (at: string) => at.slice(0, 10)

function Line({ of: r, day }: { of: Run; day?: boolean }) {
  const t = useTexts()
  return (
    <li data-inferred={r.inferred || undefined} data-failed={failed(r) || undefined}>
      <time dateTime={r.first} title={`${moment(r.first, t.language)} UTC`}>{day ? moment(r.first, t.language) : clock(r.first, t.language)}</time>
      <span>
        <To href={searchAddress(r.query, r.since, r.until)} label={t('toRecords', { what: r.text })}><LogText wrap>{r.text}</LogText></To>
        {r.inferred && <Inferred />}
      </span>
    </li>
  )
}

/** Marks what no record says. */
export function Inferred() {
  const t = useTexts()
  return <em className={css.inferred} title={t('inferredDoes')}>{t('inferred')}</em>
}

function Runs({ of }: { of: Told }) {
  const t = useTexts()
  const [show, setShow] = useState('all')
  const lanes = useMemo(() => new Map(of.lanes.map((l) => [l.id, nameOf(t, l)])), [of.lanes, t])
  const rows = useMemo(() => of.runs.filter((r) => show === 'all' || r.notable), [of.runs, show])
  const columns = useMemo(
    () => [
      column<Run>('time', t('time'), (r) => <When at={r.first} as="exact" />, { width: 150, by: (r) => r.first }),
      column<Run>('lane', t('lane'), (r) => <LogText most={34}>{lanes.get(r.lane)}</LogText>, { width: 210, above: 760, by: (r) => lanes.get(r.lane) ?? '' }),
      column<Run>('what', t('what'), (r) => <span className={css.what} data-inferred={r.inferred || undefined}><LogText>{r.text}</LogText>{r.inferred && <Inferred />}</span>, { grow: 1 }),
      column<Run>('count', t('count'), (r) => number(r.count, t.language), { width: 76, right: true, by: (r) => r.count }),
      column<Run>('records', t('records'), (r) => <To href={searchAddress(r.query, r.since, r.until)} label={t('toRecords', { what: r.text })}><Icon name="search" size={12} /></To>, { width: 80, right: true }),
    ],
    [t, lanes],
  )
  return (
    <Section
      title={t('runs')} note={t('runsNote')}
      actions={<SegmentedControl size="xs" aria-label={t('show')} value={show} onChange={setShow} data={[{ value: 'all', label: t('all') }, { value: 'notable', label: t('notable') }]} />}
    >
      <Table
        label={t('runs')} rows={rows} columns={columns} rowKey={(r) => `${r.lane} ${r.first} ${r.query}`} height={Math.min(rows.length * 32 + 34, 480)} cardHeight={64}
        card={(r) => (
          <div className={css.card}>
            <To href={searchAddress(r.query, r.since, r.until)}><LogText>{r.text}</LogText></To>
            <div className="dim">{moment(r.first, t.language)} · {t('events', { count: r.count })} {r.inferred && <Inferred />}</div>
          </div>
        )}
        empty={<p className="dim">{t('storyNone')}</p>}
      />
    </Section>
  )
}

function Identities({ of }: { of: Told }) {
  const t = useTexts()
  return (
    <Section title={t('identities')} note={t('identitiesNote')}>
      <ul className={css.identities}>
        {of.identities.map((i) => (
          <li key={`${i.rule} ${i.uid}`} data-inferred={i.inferred || undefined}>
            <span><LogText wrap>{i.text}</LogText></span>
            <To href={searchAddress(i.query, of.since, of.until)}>{t('events', { count: i.events })}</To>
          </li>
        ))}
      </ul>
    </Section>
  )
}
