import { ActionIcon, Button, Tooltip } from '@mantine/core'
import { keepPreviousData, useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { getRouteApi, useNavigate } from '@tanstack/react-router'
import { useCallback, useMemo, useState } from 'react'
import { fetchOnce, get, Problem } from '@/api/client'
import type { Event } from '@/api/contract'
import { moment, number } from '@/app/format'
import { useKeys } from '@/app/keys'
import { Outcome } from '@/parts/event'
import { useEventTexts } from '@/parts/event.texts'
import { Icon } from '@/parts/icon'
import { To } from '@/parts/links'
import { LogText } from '@/parts/log-text'
import { Page } from '@/parts/page'
import { Failed, Loading, Nothing } from '@/parts/states'
import { column, Table } from '@/parts/table'
import { serverNow, When } from '@/parts/when'
import { AsRule } from './as-rule'
import { FilterBox } from './box'
import { Fields } from './fields'
import { Histogram, type Counts } from './histogram'
import { eventsOf, nextUntil } from './pages'
import { times, wider, type Range } from './range'
import { RecordPanel } from './record'
import { SearchTabs } from './tabs'
import { useTexts, type SearchTexts } from './texts'
import { TimeRange } from './time'
import { SavedViews, SaveView, ToDashboard } from './views'
import css from './page.module.css'

const page = getRouteApi('/in/search')
const pageSize = 200
const buckets = 96

interface Said extends Range {
  q?: string
  open?: string
}

/** The filter was not one, so that nothing was searched for. */
function wrongFilter(e: unknown): boolean {
  return e instanceof Problem && (e.status === 422 || e.status === 400)
}

export function Search() {
  const t = useTexts()
  const search = page.useSearch()
  const { q = '', since, until, open } = search
  const navigate = useNavigate()
  const [now, setNow] = useState(serverNow)
  const [fieldsOpen, setFieldsOpen] = useState(false)
  const asked = useMemo(() => times({ since, until }, now), [since, until, now])

  const list = useInfiniteQuery({
    queryKey: ['/api/search', { query: { q, ...asked } }, 'pages'],
    queryFn: ({ pageParam }) => fetchOnce('/api/search', { query: { q, since: asked.since, until: pageParam || asked.until, limit: pageSize } }),
    initialPageParam: '',
    getNextPageParam: (_, pages) => nextUntil(pages),
    placeholderData: keepPreviousData,
    staleTime: 60_000,
  })
  const counts = useQuery({ ...get('/api/search/histogram', { query: { q, ...asked, buckets } }), placeholderData: keepPreviousData, staleTime: 60_000 })
  const events = useMemo(() => eventsOf(list.data?.pages ?? []), [list.data])
  const opened = events.find((e) => e.uid === open)

  const go = useCallback(
    (next: Said, replace = false) => void navigate({ to: '/search', search: (before) => ({ ...(before as Said), ...next }), replace }),
    [navigate],
  )
  const filter = (next: string) => go({ q: next || undefined, open: undefined })
  const range = (r: Range) => {
    setNow(serverNow())
    go({ since: r.since, until: r.until, open: undefined })
  }
  const zoomOut = () => counts.data && range(wider(asked.since ?? counts.data.since, asked.until ?? counts.data.until))
  const again = () => {
    setNow(serverNow())
    void list.refetch()
    void counts.refetch()
  }
  const index = events.findIndex((e) => e.uid === open)
  const move = (by: number) => {
    const next = events[Math.min(Math.max(index + by, 0), events.length - 1)]
    if (next) go({ open: next.uid }, true)
  }
  useKeys(t('keys'), [
    { keys: 'j', label: t('keyNext'), run: () => move(1) },
    { keys: 'k', label: t('keyBefore'), run: () => move(-1) },
    { keys: 'Escape', label: t('keyClose'), run: () => opened && go({ open: undefined }, true) },
    { keys: '-', label: t('keyOut'), run: zoomOut },
  ])
  const loadMore = useCallback(() => {
    if (list.hasNextPage && !list.isFetchingNextPage) void list.fetchNextPage()
  }, [list.hasNextPage, list.isFetchingNextPage, list.fetchNextPage]) // eslint-disable-line

  const nothingStored = counts.data && counts.data.stored === 0 && !since && !until
  return (
    <Page fill title={t('title')} answer={answerOf(t, counts.data, counts.error)} more={counts.data?.sampled ? t('sampled', { looked: counts.data.looked, stored: counts.data.stored }) : undefined}
      actions={
        <>
          <SaveView page="search" query={{ q, since, until }} />
          <AsRule q={q} />
          <ToDashboard kind="search" query={q} range={{ since, until }} />
        </>
      }
    >
      <SearchTabs at="events"><SavedViews page="search" onChoose={(v) => void navigate({ to: '/search', search: v })} /></SearchTabs>
      <div className={css.bar}>
        <Button variant="default" className={css.narrow} onClick={() => setFieldsOpen(!fieldsOpen)} aria-expanded={fieldsOpen} leftSection={<Icon name="filter" size={12} />}>{t('fieldsShow')}</Button>
        <FilterBox value={q} onChange={filter} error={list.error} />
        <TimeRange value={{ since, until }} shown={counts.data && { since: asked.since ?? counts.data.since, until: asked.until ?? counts.data.until }} onChange={range} />
        <span className={css.again}>
          {(since || until) && <Tooltip label={`${t('out')} (-)`}><ActionIcon aria-label={t('out')} onClick={zoomOut}>−</ActionIcon></Tooltip>}
          <Tooltip label={t('refresh')}><ActionIcon aria-label={t('refresh')} onClick={again}>↻</ActionIcon></Tooltip>
        </span>
      </div>
      {list.error && !wrongFilter(list.error) ? <Failed error={list.error} retry={() => void list.refetch()} /> : null}
      {nothingStored ? (
        <Nothing title={t('empty')} action={<To href="/ledger">{t('toSources')}</To>}>{t('emptyMore')}</Nothing>
      ) : (
        <>
          {counts.data && counts.data.buckets.length > 0 && <Histogram of={counts.data} onChoose={(a, b) => range({ since: a, until: b })} />}
          <div className={css.body} data-record={opened ? '' : undefined}>
            <div className={css.side} data-open={fieldsOpen || undefined}>{!wrongFilter(list.error) && <Fields q={q} times={asked} onFilter={filter} />}</div>
            <div className={css.list}>
              {list.data ? (
                <>
                  <Rows of={events} open={open} onOpen={(uid) => go({ open: open === uid ? undefined : uid }, true)} onEnd={loadMore} onAll={() => range({})} onClear={() => filter('')} q={q} bounded={!!(since || until)} />
                  {events.length > 0 && <p className={css.foot}>{list.hasNextPage ? t('shown', { count: events.length }) : t('end', { count: events.length })}</p>}
                </>
              ) : list.error ? null : (
                <Loading lines={14} />
              )}
            </div>
            {opened && <RecordPanel of={opened} q={q} onFilter={filter} onClose={() => go({ open: undefined }, true)} />}
          </div>
        </>
      )}
    </Page>
  )
}

function answerOf(t: SearchTexts, c: Counts | undefined, error: unknown): string {
  if (!c) return error && !wrongFilter(error) ? t('notCounted') : t('title')
  if (c.stored === 0 && c.buckets.length === 0) return t('title')
  const span = { since: moment(c.since, t.language), until: moment(c.until, t.language) }
  return c.sampled ? t('answerAbout', { ...span, n: number(c.total, t.language) }) : t('answer', { ...span, count: c.total })
}

interface RowsProps {
  of: Event[]
  open: string | undefined
  q: string
  bounded: boolean
  onOpen: (uid: string) => void
  onEnd: () => void
  onAll: () => void
  onClear: () => void
}

/** Who did it as people say it: a role that people share is told by its session. */
export function whoOf(e: Pick<Event, 'actor_session' | 'actor_name' | 'actor_uid' | 'caller'>): string | undefined {
  return (e.caller === 'console' || e.caller === 'person_cli' ? e.actor_session : '') || e.actor_name || e.actor_uid
}

export function useEventColumns() {
  const words = useEventTexts()
  return useMemo(
    () => [
      column<Event>('time', words('time'), (e) => <When at={e.time} as="exact" />, { width: 128 }),
      column<Event>('operation', words('operation'), (e) => <LogText>{e.api_operation || e.process || e.url || e.format}</LogText>, { grow: 3 }),
      column<Event>('who', words('actor'), (e) => <LogText name most={34}>{whoOf(e)}</LogText>, { grow: 3 }),
      column<Event>('resource', words('resource'), (e) => <LogText name most={40}>{e.resource_uid}</LogText>, { grow: 4, above: 520 }),
      column<Event>('outcome', words('outcome'), (e) => <Outcome of={e.outcome} />, { width: 92, above: 440 }),
      column<Event>('caller', words('caller'), (e) => words.word('caller', e.caller), { width: 92, above: 760 }),
      column<Event>('from', words('from'), (e) => <LogText mono most={22}>{e.src_ip || e.src_host}</LogText>, { grow: 2, above: 860 }),
      column<Event>('account', words('account'), (e) => <LogText most={16}>{e.account_uid}</LogText>, { width: 104, above: 980 }),
      column<Event>('region', words('region'), (e) => <LogText most={16}>{e.region}</LogText>, { width: 104, above: 1100 }),
    ],
    [words],
  )
}

export function EventCard({ of: e }: { of: Event }) {
  return (
    <div className={css.card}>
      <div><b><LogText>{e.api_operation || e.format}</LogText></b> <Outcome of={e.outcome} /></div>
      <div className="dim"><LogText name most={34}>{whoOf(e)}</LogText></div>
      <div className={css.cardFacts}><When at={e.time} as="exact" /> <LogText name most={26}>{e.resource_uid}</LogText></div>
    </div>
  )
}

function Rows({ of, open, q, bounded, onOpen, onEnd, onAll, onClear }: RowsProps) {
  const t = useTexts()
  const columns = useEventColumns()
  return (
    <Table
      label={t('rows')} rows={of} columns={columns} rowKey={(e) => e.uid} at={open} onOpen={(e) => onOpen(e.uid)} onEnd={onEnd} cardHeight={78} card={(e) => <EventCard of={e} />}
      empty={
        <Nothing
          title={t('none')}
          action={
            <>
              {bounded && <Button variant="default" onClick={onAll}>{t('noneAll')}</Button>}
              {q && <Button variant="default" onClick={onClear}>{t('noneClear')}</Button>}
            </>
          }
        >
          {t('noneMore')}
        </Nothing>
      }
    />
  )
}
