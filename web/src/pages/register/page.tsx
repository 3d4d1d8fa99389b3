import { Button, TextInput } from '@mantine/core'
import { keepPreviousData, useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { getRouteApi, useNavigate } from '@tanstack/react-router'
import { useMemo, useState } from 'react'
import { fetchOnce, get } from '@/api/client'
import { number } from '@/app/format'
import { useKeys } from '@/app/keys'
import { useMay } from '@/app/session'
import { address, To } from '@/parts/links'
import { LogText } from '@/parts/log-text'
import { Page } from '@/parts/page'
import { Failed, Loading, Nothing } from '@/parts/states'
import { column, Table } from '@/parts/table'
import { When } from '@/parts/when'
import { Import } from './import'
import { useTexts } from './texts'
import { entryAddress, type Differences, type Entry } from './types'
import css from './page.module.css'

const page = getRouteApi('/in/projects')
const namesShown = 5

/** What projects and accounts applied for, and where that differs from what is used. */
export function Register() {
  const t = useTexts()
  const { q, show } = page.useSearch()
  const navigate = useNavigate()
  const may = useMay('responder')
  const [at, setAt] = useState<string>()
  const list = useInfiniteQuery({
    queryKey: ['/api/register/projects', { query: { q } }, 'pages'],
    queryFn: ({ pageParam }) => fetchOnce('/api/register/projects', { query: { q, limit: 200, cursor: pageParam } }),
    initialPageParam: '',
    getNextPageParam: (last) => last.next || undefined,
    placeholderData: keepPreviousData,
  })
  const differences = useQuery(get('/api/register/differences'))
  const entries = useMemo(() => list.data?.pages.flatMap((p) => p.projects) ?? [], [list.data])
  const total = list.data?.pages[0]?.total ?? 0
  const search = (next: { q?: string; show?: string }) => void navigate({ to: '/projects', search: { q, show, ...next }, replace: true })
  const move = (by: number) => setAt(entries[Math.min(Math.max(entries.findIndex((e) => e.project === at) + by, 0), entries.length - 1)]?.project)
  useKeys(t('keys'), [
    { keys: 'j', label: t('next'), run: () => move(1) },
    { keys: 'k', label: t('before'), run: () => move(-1) },
    { keys: 'Enter', label: t('open'), run: () => at && void navigate({ to: '/projects/one', search: { project: at } }) },
    ...(may ? [{ keys: 'n', label: t('add'), run: () => void navigate({ to: '/projects/one', search: { show: 'new' } }) }] : []),
  ])
  return (
    <Page
      title={t('title')} fill
      answer={list.data ? t(q ? 'answerFound' : 'answer', { count: total, n: number(total, t.language) }) : t('title')}
      more={differences.data && <Differ of={differences.data} />}
      actions={
        <>
          {may && <To href="/projects/one?show=new" className={css.button}>{t('add')}</To>}
          {may && <button type="button" className={css.button} aria-pressed={show === 'import'} onClick={() => search({ show: show === 'import' ? undefined : 'import' })}>{t('import')}</button>}
          <a className={css.button} href={address('/api/register/export', { q })} download="register.csv">{t('export')}</a>
        </>
      }
    >
      {show === 'import' && may && <Import done={() => search({ show: undefined })} />}
      <TextInput
        className={css.filter} data-search aria-label={t('filter')} placeholder={t('filterHint')} value={q ?? ''}
        onChange={(e) => search({ q: e.currentTarget.value || undefined })}
      />
      {list.error && !list.data ? (
        <Failed error={list.error} retry={() => void list.refetch()} />
      ) : !list.data ? (
        <Loading lines={10} />
      ) : (
        <Entries
          of={entries} differences={differences.data} at={at} onAt={setAt} narrowed={!!q} onAll={() => search({ q: undefined })} may={may}
          onEnd={() => list.hasNextPage && !list.isFetchingNextPage && void list.fetchNextPage()}
        />
      )}
    </Page>
  )
}

function Differ({ of }: { of: Differences }) {
  const t = useTexts()
  if (!of.at) return t('notCompared')
  return (
    <>
      {of.projects.length > 0 && <>{t('differ', { count: of.projects.length })} </>}
      {of.unregistered.length > 0 && (
        <>
          {t.rich('unregistered', {
            count: of.unregistered.length,
            n: number(of.unregistered.length, t.language),
            names: of.unregistered.slice(0, namesShown).map((c, i) => (
              <span key={c.project}>
                {i > 0 && ', '}
                <To href={entryAddress(c.project)}><LogText most={30}>{c.project}</LogText></To>
              </span>
            )),
          })}
          {of.unregistered.length > namesShown && ' …'}{' '}
        </>
      )}
      {t.rich('compared', { when: <When at={of.at} /> })}
    </>
  )
}

interface EntriesProps {
  of: Entry[]
  differences: Differences | undefined
  at: string | undefined
  onAt: (key: string) => void
  onEnd: () => void
  narrowed: boolean
  onAll: () => void
  may: boolean
}

function Entries({ of, differences, at, onAt, onEnd, narrowed, onAll, may }: EntriesProps) {
  const t = useTexts()
  const navigate = useNavigate()
  const differ = useMemo(() => new Map(differences?.projects.map((c) => [c.project, c.lines])), [differences])
  const columns = useMemo(() => {
    const said = (e: Entry) => {
      if (!differences?.at) return <span className={`unknown ${css.state}`}>{t('unknown')}</span>
      const lines = differ.get(e.project)
      if (!lines) return <span className="dim">{t('fine')}</span>
      return <span className={css.differs}><LogText>{lines.map((l) => l.name).join(', ')}</LogText></span>
    }
    return [
      column<Entry>('project', t('project'), (e) => <To href={entryAddress(e.project)}><LogText most={40}>{e.project}</LogText></To>, { grow: 2, by: (e) => e.project }),
      column<Entry>('services', t('services'), (e) => <LogText>{e.services.map((s) => s.name).join(', ')}</LogText>, { grow: 3, above: 640 }),
      column<Entry>('difference', t('difference'), said, { grow: 2, by: (e) => differ.get(e.project)?.length ?? 0 }),
      column<Entry>('applicant', t('applicant'), (e) => <LogText most={30}>{e.applicant}</LogText>, { width: 210, above: 960, by: (e) => e.applicant }),
      column<Entry>('owner', t('owner'), (e) => <LogText most={24}>{e.owner}</LogText>, { width: 150, above: 1060, by: (e) => e.owner }),
      column<Entry>('approved', t('approvedOn'), (e) => (e.approved ? e.approved.slice(0, 10) : <span className="faint">{t('notApproved')}</span>), { width: 120, right: true, above: 860, by: (e) => e.approved ?? '' }),
    ]
  }, [t, differences, differ])
  return (
    <Table
      label={t('title')} rows={of} columns={columns} rowKey={(e) => e.project} at={at} onAt={onAt} onEnd={onEnd} href={(e) => entryAddress(e.project)}
      onOpen={(e) => void navigate({ to: '/projects/one', search: { project: e.project } })} cardHeight={76}
      card={(e) => (
        <div className={css.card}>
          <To href={entryAddress(e.project)}><LogText>{e.project}</LogText></To>
          <div className="dim"><LogText>{e.services.map((s) => s.name).join(', ')}</LogText></div>
          <div className={css.differs}>{differ.get(e.project) && <LogText>{`${t('difference')}: ${differ.get(e.project)?.map((l) => l.name).join(', ')}`}</LogText>}</div>
        </div>
      )}
      empty={
        narrowed ? (
          <Nothing title={t('noneFound')} action={<Button variant="default" onClick={onAll}>{t('showAll')}</Button>} />
        ) : (
          <Nothing title={t('none')} action={may && <To href="/projects/one?show=new">{t('add')}</To>}>{may ? t('noneMore') : t('needs')}</Nothing>
        )
      }
    />
  )
}
