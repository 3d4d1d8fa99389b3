import { Button, Menu, TextInput, Tooltip } from '@mantine/core'
import { keepPreviousData, useInfiniteQuery, useQuery, useQueryClient } from '@tanstack/react-query'
import { getRouteApi, useNavigate } from '@tanstack/react-router'
import { useEffect, useMemo, useRef, useState } from 'react'
import { fetchOnce, get, Problem } from '@/api/client'
import type { Finding } from '@/api/contract'
import { useLive } from '@/app/live'
import { useSession } from '@/app/session'
import { open, type Choice } from '@/app/triage'
import { useTriageTexts } from '@/app/triage.texts'
import { useFindingList } from '@/app/use-list'
import { AlsoBy, FindingLink, Standing, whoOf, useKind } from '@/parts/finding'
import { Icon } from '@/parts/icon'
import { LogText } from '@/parts/log-text'
import { Page } from '@/parts/page'
import { Priority } from '@/parts/priority'
import { Severity } from '@/parts/severity'
import { Failed, Loading, Nothing } from '@/parts/states'
import { column, Table } from '@/parts/table'
import { When } from '@/parts/when'
import { number } from '@/app/format'
import { asideOf, asked, asWritten, showOf, shows, type Aside, type Show } from './ask'
import { Bulk } from './bulk'
import { Facets } from './facets'
import { useTexts } from './texts'
import { SaveView, SavedViews } from './views'
import css from './page.module.css'

const page = getRouteApi('/in/findings')
const pageSize = 200
const none: ReadonlySet<string> = new Set()

export function Findings() {
  const t = useTexts()
  const { q = '', sort, show: shownAs, aside: asideAs } = page.useSearch()
  const show = showOf(shownAs)
  const me = useSession()?.user ?? ''
  const navigate = useNavigate()
  const queries = useQueryClient()
  const filter = asked(show, q, me)
  const aside = asideOf(asideAs)
  const [selected, setSelected] = useState(none)
  const [everything, setEverything] = useState(false)
  const [narrowing, setNarrowing] = useState(false)
  useEffect(() => {
    setSelected(none)
    setEverything(false)
  }, [filter, asideAs])

  const list = useInfiniteQuery({
    queryKey: ['/api/findings', { query: { q: filter, sort, ...aside } }, 'pages'],
    queryFn: ({ pageParam }) => fetchOnce('/api/findings', { query: { q: filter, sort, ...aside, limit: pageSize, cursor: pageParam } }),
    initialPageParam: '',
    getNextPageParam: (last) => last.next || undefined,
    placeholderData: keepPreviousData,
  })
  const facets = useQuery({ ...get('/api/findings/facets', { query: { q: filter, ...aside } }), placeholderData: keepPreviousData })

  // What was just decided leaves the open list at once; the server says the same a moment later.
  const findings = useMemo(() => {
    const all = list.data?.pages.flatMap((p) => p.findings) ?? []
    return show === 'open' || show === 'mine' ? all.filter(open) : all
  }, [list.data, show])
  const total = list.data?.pages[0]?.total ?? facets.data?.total ?? findings.length

  const go = (next: { q?: string; sort?: string; show?: string; aside?: string }) =>
    void navigate({ to: '/findings', search: { q, sort, show: shownAs, aside: asideAs, ...next }, replace: 'q' in next })
  const [asking, setAsking] = useState<Choice>()
  // All that the filter chooses is always asked about, since most of it is not on the page.
  const keys = useFindingList({ findings, selected, onSelect: setSelected, ask: setAsking })
  const fresh = useFresh(list.dataUpdatedAt)

  return (
    <Page
      fill
      title={t('title')}
      answer={!list.data ? t('title') : total === 0 && show === 'open' && !q ? t('noneOpen') : t(`answer.${show}`, { count: total })}
      more={q ? t('filtered') : undefined}
      actions={
        <>
          {fresh > 0 && (
            <Button variant="light" onClick={() => void queries.invalidateQueries({ queryKey: ['/api/findings'] })}>
              {t('fresh', { count: fresh })}
            </Button>
          )}
          <SaveView query={{ q, sort, show: shownAs, aside: asideAs }} />
          <Export q={filter} aside={aside} />
        </>
      }
    >
      <nav className={css.tabs} aria-label={t('views')}>
        {shows.map((s) => (
          <button key={s} type="button" aria-current={s === show ? 'page' : undefined} onClick={() => go({ show: s === 'open' ? undefined : s })}>
            {t(`show.${s}`)}
          </button>
        ))}
        <Tooltip label={t('asideMore')} multiline maw={360}>
          <button type="button" aria-pressed={!!asideAs} onClick={() => go({ aside: asideAs ? undefined : 'true' })}>
            {t('aside')}
          </button>
        </Tooltip>
        <SavedViews onChoose={(v) => void navigate({ to: '/findings', search: v })} />
      </nav>
      <Filter show={show} value={q} onChange={(next) => go({ q: next || undefined })} error={list.error} onNarrow={() => setNarrowing(!narrowing)} narrowing={narrowing} />
      <div className={css.body}>
        <div className={css.side} data-open={narrowing || undefined}>
          {facets.data && <Facets of={facets.data} filter={q} onFilter={(next) => go({ q: next || undefined })} />}
        </div>
        <div className={css.list}>
          {list.error && !wrongFilter(list.error) ? <Failed error={list.error} retry={() => void list.refetch()} /> : null}
          {list.data ? (
            <List
              findings={findings} show={show} filtered={!!q} keys={keys} selected={selected} onSelect={(s) => { setSelected(s); setEverything(false) }}
              sort={sort ?? 'priority'} onSort={(s) => go({ sort: s === 'priority' ? undefined : s })} onAll={() => go({ q: undefined, show: 'all' })}
              onEnd={() => list.hasNextPage && !list.isFetchingNextPage && void list.fetchNextPage()}
            />
          ) : list.error ? null : (
            <Loading lines={14} />
          )}
          {(selected.size > 0 || everything) && (
            <Bulk
              count={everything ? total : selected.size} total={total} everything={everything} onEverything={() => setEverything(true)}
              onNone={() => { setSelected(none); setEverything(false) }}
              findings={findings.filter((f) => selected.has(f.key))} q={filter} aside={aside} asking={asking} onAsk={setAsking}
            />
          )}
        </div>
      </div>
    </Page>
  )
}

/** Whether it is the filter that the server could not read. */
function wrongFilter(e: unknown): boolean {
  return e instanceof Problem && (e.status === 422 || e.status === 400)
}

/** How many findings came since the list was asked for: they are shown when somebody wants them, not under the hand. */
function useFresh(since: number): number {
  const [keys, setKeys] = useState(none)
  useEffect(() => setKeys(none), [since])
  useLive('finding', (f) => f.change === 'new' && setKeys((k) => new Set(k).add(f.key)))
  return keys.size
}

interface FilterProps {
  show: Show
  value: string
  onChange: (q: string) => void
  error: unknown
  onNarrow: () => void
  narrowing: boolean
}

function Filter({ show, value, onChange, error, onNarrow, narrowing }: FilterProps) {
  const t = useTexts()
  const [text, setText] = useState(value)
  const said = useRef(value)
  useEffect(() => {
    if (value !== said.current) setText(value)
    said.current = value
  }, [value])
  const wrong = error instanceof Problem && wrongFilter(error) ? asWritten(error.detail, show) : undefined
  const keep = () => {
    said.current = text.trim()
    onChange(text.trim())
  }
  return (
    <form
      className={css.filter}
      onSubmit={(e) => {
        e.preventDefault()
        keep()
      }}
    >
      <Button variant="default" className={css.narrow} onClick={onNarrow} aria-expanded={narrowing} leftSection={<Icon name="filter" size={12} />}>
        {t('facetsShow')}
      </Button>
      <TextInput
        className={css.input} data-search classNames={{ input: css.mono }} value={text} onChange={(e) => setText(e.currentTarget.value)}
        aria-label={t('filter')} placeholder={t('filterHint')} title={t('filterHelp')} spellCheck={false} autoCapitalize="none" autoComplete="off"
        leftSection={<Icon name="search" size={13} />} error={wrong && <LogText wrap>{wrong}</LogText>} onBlur={() => text.trim() !== value && keep()}
        onKeyDown={(e) => {
          if (e.key !== 'Escape') return
          setText(value)
          e.currentTarget.blur()
        }}
        rightSectionWidth={60}
        rightSection={
          text && (
            <button type="button" className={css.clear} onClick={() => { setText(''); onChange('') }}>
              {t('clear')}
            </button>
          )
        }
      />
    </form>
  )
}

interface ListProps {
  findings: Finding[]
  show: Show
  filtered: boolean
  keys: ReturnType<typeof useFindingList>
  selected: ReadonlySet<string>
  onSelect: (s: Set<string>) => void
  sort: string
  onSort: (s: string) => void
  onAll: () => void
  onEnd: () => void
}

function List({ findings, show, filtered, keys, selected, onSelect, sort, onSort, onAll, onEnd }: ListProps) {
  const t = useTexts()
  const triage = useTriageTexts()
  const kind = useKind()
  const columns = useMemo(
    () => [
      column<Finding>('priority', t('priority'), (f) => <span className={css.rank}><Severity of={f.severity} /><Priority value={f.priority} parts={f.priority_parts} /></span>, { width: 100, sort: 'priority' }),
      column<Finding>('title', t('what'), (f) => <><FindingLink of={f} /><AlsoBy of={f} /></>, { grow: 5, sort: 'title' }),
      column<Finding>('who', t('who'), (f) => <LogText name most={30}>{whoOf(f)}</LogText>, { grow: 2, above: 620, sort: 'actor' }),
      column<Finding>('resource', t('resource'), (f) => <LogText name most={30}>{f.resource}</LogText>, { grow: 2, above: 960, sort: 'resource' }),
      column<Finding>('account', t('account'), (f) => <LogText most={16}>{f.account}</LogText>, { width: 104, above: 900, sort: 'account' }),
      column<Finding>('count', t('events'), (f) => number(f.count, t.language), { width: 60, right: true, above: 1080, sort: 'count' }),
      column<Finding>('seen', t('seen'), (f) => <When at={f.last_seen} />, { width: 92, right: true, sort: 'last_seen' }),
      column<Finding>('standing', t('standing'), (f) => <Standing of={f} />, { width: 132, above: 640, sort: 'status' }),
    ],
    [t],
  )
  return (
    <Table
      label={t('title')} rows={findings} columns={columns} rowKey={(f) => f.key} at={keys.at} onAt={keys.setAt} onOpen={(f) => keys.openOne(f.key)}
      href={(f) => `/findings/${encodeURIComponent(f.key)}`} selected={selected} onSelect={onSelect} sort={sort} onSort={onSort} onEnd={onEnd} cardHeight={84}
      card={(f) => (
        <div className={css.card}>
          <div className={css.cardTop}>
            <Severity of={f.severity} />
            <FindingLink of={f} />
          </div>
          <div className={css.cardFacts}>
            <span>{kind(f.kind)}</span> <LogText name most={30}>{f.resource || whoOf(f)}</LogText> <AlsoBy of={f} />
          </div>
          <div className={css.cardFacts}>
            <Priority value={f.priority} parts={f.priority_parts} /> <When at={f.last_seen} /> {f.status !== 'new' && triage.word('status', f.status)}
          </div>
        </div>
      )}
      empty={
        filtered || show === 'all' ? (
          <Nothing title={t('noneFound')} action={<Button variant="default" onClick={onAll}>{t('showAll')}</Button>}>
            {t('noneFoundMore')}
          </Nothing>
        ) : (
          <Nothing title={show === 'open' ? t('noneOpen') : t('noneFound')}>{t('noneOpenMore')}</Nothing>
        )
      }
    />
  )
}

const formats = [
  { label: 'CSV', query: 'format=csv' },
  { label: 'JSON', query: 'format=json' },
  { label: 'OCSF 1.6', query: 'format=ocsf&version=1.6' },
  { label: 'ASFF', query: 'format=asff' },
  { label: 'SARIF', query: 'format=sarif' },
] as const

function Export({ q, aside }: { q: string; aside: Aside }) {
  const t = useTexts()
  const set = Object.keys(aside).map((k) => `&${k}=true`).join('')
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <Button variant="default">{t('export')}</Button>
      </Menu.Target>
      <Menu.Dropdown>
        {formats.flatMap((f) =>
          [false, true].map((masked) => (
            <Menu.Item key={f.label + String(masked)} component="a" download href={`/api/findings/export?${f.query}${masked ? '&masked=true' : ''}${set}&q=${encodeURIComponent(q)}`}>
              {f.label} {masked && <span className="dim">({t('export.masked')})</span>}
            </Menu.Item>
          )),
        )}
      </Menu.Dropdown>
    </Menu>
  )
}
