import { Button } from '@mantine/core'
import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query'
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router'
import { useCallback, useMemo, useState } from 'react'
import { fetchOnce } from '@/api/client'
import type { Case } from '@/api/contract'
import { useKeys } from '@/app/keys'
import { useTriageTexts } from '@/app/triage.texts'
import { compact, number } from '@/app/format'
import { useKind } from '@/parts/finding'
import { LogText } from '@/parts/log-text'
import { Page } from '@/parts/page'
import { Priority } from '@/parts/priority'
import { Severity } from '@/parts/severity'
import { Failed, Loading, Nothing } from '@/parts/states'
import { column, Table } from '@/parts/table'
import { When } from '@/parts/when'
import { useTexts } from './texts'
import css from './page.module.css'

const page = getRouteApi('/in/cases')

/** The person that a case is about, where one is known. */
export function whoOfCase(c: Pick<Case, 'actor' | 'person'>): string {
  return c.person || c.actor
}

export function Cases() {
  const t = useTexts()
  const words = useTriageTexts()
  const kind = useKind()
  const navigate = useNavigate()
  const { show } = page.useSearch()
  const [at, setAt] = useState<string>()
  const q = show === 'all' ? '' : 'status:(new or in_progress) explained:false'
  const list = useInfiniteQuery({
    queryKey: ['/api/cases', { query: { q } }, 'pages'],
    queryFn: ({ pageParam }) => fetchOnce('/api/cases', { query: { q, limit: 200, cursor: pageParam } }),
    initialPageParam: '',
    getNextPageParam: (last) => last.next || undefined,
    placeholderData: keepPreviousData,
  })
  const cases = useMemo(() => list.data?.pages.flatMap((p) => p.cases) ?? [], [list.data])
  const index = cases.findIndex((c) => c.id === at)
  const move = (by: number) => setAt(cases[Math.min(Math.max(index + by, 0), cases.length - 1)]?.id)
  const open = (id: string | undefined) => id && void navigate({ to: '/cases/$id', params: { id } })
  useKeys(t('title'), [
    { keys: 'j', label: words('keyNext'), run: () => move(1) },
    { keys: 'k', label: words('keyBefore'), run: () => move(-1) },
    { keys: 'Enter', label: words('keyOpen'), run: () => open(at) },
  ])
  const signsOf = useCallback((c: Case) => [...new Set(c.kinds.map(kind))], [kind])
  const columns = useMemo(
    () => [
      column<Case>('priority', t('priority'), (c) => <span className={css.rank}><Severity of={c.severity} /><Priority value={c.priority} parts={[]} /></span>, { width: 100, by: (c) => c.priority }),
      column<Case>('who', t('who'), (c) => <CaseLink of={c} />, { grow: 3, by: whoOfCase }),
      column<Case>('resource', t('resource'), (c) => <LogText name most={34}>{c.resource}</LogText>, { grow: 2, above: 620, by: (c) => c.resource }),
      column<Case>('signs', t('signs'), (c) => signsOf(c).join(', '), { grow: 3, above: 820 }),
      column<Case>('findings', t('findings'), (c) => number(c.count, t.language), { width: 80, right: true, by: (c) => c.count }),
      column<Case>('chance', <span title={t('chanceDoes')}>{t('chance')}</span>, (c) => (c.chance <= 0 ? '' : c.chance < 1e-9 ? t('rarer', { n: compact(1e9, t.language) }) : `1 : ${compact(1 / c.chance, t.language)}`), { width: 100, right: true, above: 960, by: (c) => -c.chance }),
      column<Case>('account', t('account'), (c) => <LogText most={16}>{c.account}</LogText>, { width: 104, above: 720, by: (c) => c.account }),
      column<Case>('seen', t('seen'), (c) => <When at={c.last_seen} />, { width: 100, right: true, by: (c) => c.last_seen }),
    ],
    [t, signsOf],
  )
  const count = list.data?.pages[0]?.total ?? cases.length
  return (
    <Page fill title={t('title')} answer={list.data ? t(show === 'all' ? 'answerAll' : 'answer', { count }) : t('title')} more={t('note')}>
      <nav className={css.tabs} aria-label={t('shows')}>
        {([undefined, 'all'] as const).map((s) => (
          <button key={s ?? 'open'} type="button" aria-current={show === s || (!s && show !== 'all') ? 'page' : undefined} onClick={() => void navigate({ to: '/cases', search: { show: s } })}>
            {t(s ? 'show.all' : 'show.open')}
          </button>
        ))}
      </nav>
      {list.error ? <Failed error={list.error} retry={() => void list.refetch()} /> : null}
      {list.data ? (
        <Table
          label={t('title')} rows={cases} columns={columns} rowKey={(c) => c.id} at={at} onAt={setAt} onOpen={(c) => open(c.id)} href={(c) => `/cases/${encodeURIComponent(c.id)}`}
          onEnd={() => list.hasNextPage && !list.isFetchingNextPage && void list.fetchNextPage()} empty={<Nothing title={t('none')}>{t('noneMore')}</Nothing>} cardHeight={84}
          card={(c) => (
            <>
              <div className={css.rank}>
                <Severity of={c.severity} /> <CaseLink of={c} />
              </div>
              <div className="dim">
                <LogText name most={40}>{c.resource}</LogText>
              </div>
              <div className="dim">
                {number(c.count, t.language)} · {signsOf(c).slice(0, 2).join(', ')} · <When at={c.last_seen} />
              </div>
            </>
          )}
        />
      ) : list.error ? null : (
        <Loading lines={12} />
      )}
      {list.hasNextPage && <Button variant="subtle" onClick={() => void list.fetchNextPage()}>{t('more')}</Button>}
    </Page>
  )
}

function CaseLink({ of: c }: { of: Case }) {
  const t = useTexts()
  const who = whoOfCase(c)
  return (
    <Link to="/cases/$id" params={{ id: c.id }} className={css.who}>
      {who ? <LogText name most={44}>{who}</LogText> : t('unknownWho')}
    </Link>
  )
}
