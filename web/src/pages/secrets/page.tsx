import { Button, Checkbox, Select, TextInput, Tooltip } from '@mantine/core'
import { keepPreviousData, useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { getRouteApi, useNavigate } from '@tanstack/react-router'
import { useMemo, useState } from 'react'
import { fetchOnce, get } from '@/api/client'
import { day, number } from '@/app/format'
import { useKeys } from '@/app/keys'
import { useEventTexts } from '@/parts/event.texts'
import { Icon } from '@/parts/icon'
import { address, To } from '@/parts/links'
import { LogText } from '@/parts/log-text'
import { Page } from '@/parts/page'
import { Failed, Loading, Nothing } from '@/parts/states'
import { column, Table } from '@/parts/table'
import { Tabs } from '@/parts/tabs'
import { When } from '@/parts/when'
import { Callers } from './callers'
import { useTexts, type SecretsTexts } from './texts'
import type { Secret, SecretsPage } from './types'
import css from './page.module.css'

const page = getRouteApi('/in/secrets')
const kinds = ['', 'secret', 'key', 'parameter', 'certificate'] as const
const callers = ['lambda', 'ecs', 'ec2', 'eks', 'ci', 'console', 'person_cli', 'aws_service', 'static_key', 'unknown']
const quiets = ['7', '30', '90']
const quietAnswer = 30

interface Narrowed {
  q?: string
  account?: string
  kind?: string
  caller?: string
  quiet?: string
  failed?: string
  sort?: string
}

type Sort = NonNullable<Parameters<typeof fetchOnce<'/api/secrets'>>[1]>['query'] extends infer Q ? (Q extends { sort?: infer S } ? S : never) : never

/** What the server is asked, of what the address says. */
export function asked(s: Narrowed) {
  return {
    q: s.q,
    account: s.account,
    kind: kinds.find((k) => k !== '' && k === s.kind) as Secret['kind'] | undefined,
    caller: s.caller,
    quiet: Number(s.quiet) || undefined,
    confirmed: !s.failed,
    sort: (s.sort ?? '-findings') as Sort,
  }
}

export function secretAddress(resource: string): string {
  return address('/secrets/one', { resource })
}

export function Secrets() {
  const t = useTexts()
  const search = page.useSearch()
  const navigate = useNavigate()
  const [at, setAt] = useState<string>()
  const asking = asked(search)
  const list = useInfiniteQuery({
    queryKey: ['/api/secrets', { query: asking }, 'pages'],
    queryFn: ({ pageParam }) => fetchOnce('/api/secrets', { query: { ...asking, limit: 200, cursor: pageParam } }),
    initialPageParam: '',
    getNextPageParam: (last) => last.next || undefined,
    placeholderData: keepPreviousData,
  })
  const narrowed = !!(search.q || search.account || search.kind || search.caller || search.quiet)
  const quiet = useQuery({ ...get('/api/secrets', { query: { quiet: quietAnswer, confirmed: true, limit: 1 } }), enabled: !narrowed })
  const secrets = useMemo(() => list.data?.pages.flatMap((p) => p.secrets) ?? [], [list.data])
  const first = list.data?.pages[0]
  const go = (next: Narrowed, replace = false) => void navigate({ to: '/secrets', search: { ...search, ...next }, replace })
  const open = (s: Secret) => void navigate({ to: '/secrets/one', search: { resource: s.resource } })

  const index = secrets.findIndex((s) => s.resource === at)
  const move = (by: number) => setAt(secrets[Math.min(Math.max(index + by, 0), secrets.length - 1)]?.resource)
  useKeys(t('keys'), [
    { keys: 'j', label: t('next'), run: () => move(1) },
    { keys: 'k', label: t('before'), run: () => move(-1) },
    { keys: 'Enter', label: t('open'), run: () => { const s = secrets[index]; if (s) open(s) } },
  ])

  return (
    <Page fill title={t('title')} answer={first ? answer(t, first, narrowed, quiet.data?.total) : t('title')} more={first && <Reach of={first} />}>
      <Tabs
        label={t('kind')}
        tabs={kinds.map((k) => ({ text: t(`kinds.${k}`), current: (search.kind ?? '') === k, href: address('/secrets', { ...search, kind: k }) }))}
      />
      <Filter search={search} go={go} />
      {list.error ? <Failed error={list.error} retry={() => void list.refetch()} /> : null}
      {list.data ? (
        <List of={secrets} narrowed={narrowed} sort={asking.sort ?? ''} at={at} onAt={setAt} onOpen={open} go={go} onEnd={() => list.hasNextPage && !list.isFetchingNextPage && void list.fetchNextPage()} />
      ) : list.error ? null : (
        <Loading lines={14} />
      )}
    </Page>
  )
}

function answer(t: SecretsTexts, first: SecretsPage, narrowed: boolean, quiet: number | undefined): string {
  if (narrowed) return t('answerFiltered', { count: first.total })
  if (quiet) return t('answerQuiet', { count: quiet, total: first.total, days: quietAnswer })
  return t('answer', { count: first.total })
}

/** How far the figures reach, and what is missing of them. */
function Reach({ of }: { of: SecretsPage }) {
  const t = useTexts()
  return (
    <>
      {of.since && of.until && t('reach', { since: day(of.since, t.language), until: day(new Date(new Date(of.until).getTime() - 1), t.language) })}
      {of.behind > 0 && <> <span className={`unknown ${css.note}`}>{t('behind', { count: of.behind })}</span></>}
      {of.silent_vaults && of.silent_vaults.length > 0 && (
        <> <Tooltip label={of.silent_vaults.slice(0, 12).map((v) => v.resource.slice(v.resource.lastIndexOf('/') + 1)).join(', ')}>
          <span tabIndex={0} className={`unknown ${css.note}`}>{t('silentVaults', { count: of.silent_vaults.length })}</span>
        </Tooltip></>
      )}
      {of.dropped && <> <span className={`unknown ${css.note}`}>{t('dropped')}</span></>}
    </>
  )
}

function Filter({ search, go }: { search: Narrowed; go: (next: Narrowed, replace?: boolean) => void }) {
  const t = useTexts()
  const words = useEventTexts()
  const [text, setText] = useState(search.q ?? '')
  const [said, setSaid] = useState(search.q)
  if (said !== search.q) {
    setSaid(search.q)
    setText(search.q ?? '')
  }
  const keep = (q: string) => {
    setSaid(q.trim() || undefined)
    go({ q: q.trim() || undefined }, true)
  }
  return (
    <form className={css.filter} onSubmit={(e) => { e.preventDefault(); keep(text) }}>
      <TextInput
        className={css.input} data-search value={text} onChange={(e) => setText(e.currentTarget.value)} onBlur={() => text.trim() !== (search.q ?? '') && keep(text)}
        aria-label={t('filter')} placeholder={t('filterHint')} spellCheck={false} autoComplete="off" leftSection={<Icon name="search" size={13} />}
        rightSectionWidth={60} rightSection={text && <button type="button" className={css.clear} onClick={() => { setText(''); keep('') }}>{t('clear')}</button>}
      />
      <Select
        className={css.select} aria-label={t('callers')} placeholder={t('anyCaller')} clearable value={search.caller ?? null} onChange={(v) => go({ caller: v ?? undefined })}
        data={callers.map((c) => ({ value: c, label: words.word('caller', c) }))}
      />
      <Select
        className={css.select} aria-label={t('quiet')} placeholder={t('anyUse')} clearable value={search.quiet ?? null} onChange={(v) => go({ quiet: v ?? undefined })}
        data={quiets.map((days) => ({ value: days, label: t('quietFor', { days: Number(days) }) }))}
      />
      <Checkbox size="xs" label={t('failedOnly')} checked={!!search.failed} onChange={(e) => go({ failed: e.currentTarget.checked ? '1' : undefined })} />
      {search.account && (
        <button type="button" className={css.chip} onClick={() => go({ account: undefined })} aria-label={`${t('accountOnly', { account: search.account })}: ${t('clear')}`}>
          {t.rich('accountOnly', { account: <LogText most={20}>{search.account}</LogText> })} <Icon name="close" size={9} />
        </button>
      )}
    </form>
  )
}

interface ListProps {
  of: Secret[]
  narrowed: boolean
  sort: string
  at: string | undefined
  onAt: (key: string) => void
  onOpen: (s: Secret) => void
  go: (next: Narrowed) => void
  onEnd: () => void
}

/** The server's orders go up; a minus turns them round. The table's first order of a column is the other one. */
export function turned(sort: string): string {
  return sort.startsWith('-') ? sort.slice(1) : `-${sort}`
}

function List({ of, narrowed, sort, at, onAt, onOpen, go, onEnd }: ListProps) {
  const t = useTexts()
  const columns = useMemo(
    () => [
      column<Secret>('name', t('name'), (s) => <Name of={s} />, { grow: 6, sort: 'name' }),
      column<Secret>('callers', t('callers'), (s) => <Callers of={s.callers} />, { grow: 3, above: 640 }),
      column<Secret>('account', t('account'), (s) => (
        <button type="button" className={css.link} title={s.account_name || undefined} onClick={() => go({ account: s.account })}><LogText most={16}>{s.account_name || s.account}</LogText></button>
      ), { width: 104, above: 820 }),
      column<Secret>('regions', t('regions'), (s) => <LogText most={26}>{s.regions.join(', ') || s.region}</LogText>, { width: 120, above: 960 }),
      column<Secret>('last_use', t('lastUse'), (s) => <When at={s.last_use} />, { width: 96, right: true, sort: 'last_use' }),
      column<Secret>('quiet', <span title={t('quietDoes')}>{t('quiet')}</span>, (s) => <Quiet of={s} />, { width: 60, right: true, sort: 'quiet_days' }),
      column<Secret>('calls', t('calls'), (s) => number(s.calls, t.language), { width: 72, right: true, above: 1060, sort: 'calls' }),
      column<Secret>('actors', t('actors'), (s) => number(s.actors, t.language), { width: 76, right: true, above: 1160, sort: 'actors' }),
      column<Secret>('findings', t('findings'), (s) => (s.findings ? <b>{number(s.findings, t.language)}</b> : <span className="faint">0</span>), { width: 76, right: true, sort: 'findings' }),
      column<Secret>('maturity', t('maturity'), (s) => <Maturity of={s.maturity} />, { width: 84, above: 860 }),
    ],
    [t, go], // eslint-disable-line
  )
  return (
    <Table
      label={t('title')} rows={of} columns={columns} rowKey={(s) => s.resource} at={at} onAt={onAt} onOpen={onOpen} href={(s) => secretAddress(s.resource)}
      sort={turned(sort)} onSort={(s) => go({ sort: turned(s) === '-findings' ? undefined : turned(s) })} onEnd={onEnd} cardHeight={84}
      card={(s) => (
        <div className={css.card}>
          <Name of={s} />
          <div className={css.facts}><Callers of={s.callers} /></div>
          <div className={css.facts}>
            <span>{t('lastUse')}: <When at={s.last_use} /></span> {s.findings > 0 && <b>{t('findings')}: {number(s.findings, t.language)}</b>} <Maturity of={s.maturity} />
          </div>
        </div>
      )}
      empty={
        narrowed ? (
          <Nothing title={t('noneFound')} action={<Button variant="default" onClick={() => go({ q: undefined, account: undefined, kind: undefined, caller: undefined, quiet: undefined })}>{t('showAll')}</Button>}>
            {t('noneFoundMore')}
          </Nothing>
        ) : (
          <Nothing title={t('none')} action={<To href="/ledger">{t('toSources')}</To>}>{t('noneMore')}</Nothing>
        )
      }
    />
  )
}

function Name({ of }: { of: Secret }) {
  const t = useTexts()
  return (
    <span className={css.name}>
      <span className={css.kind}>{t(`kind.${of.kind}`)}</span>
      <To href={secretAddress(of.resource)}>
        <LogText most={60}>{of.name}</LogText>
      </To>
      {!of.confirmed && <span className="faint">{t('unconfirmed')}</span>}
    </span>
  )
}

function Quiet({ of }: { of: Secret }) {
  const t = useTexts()
  const days = of.quiet_days < 0 ? '–' : number(of.quiet_days, t.language)
  if (of.unknown_days === 0) return <span className={of.quiet_days >= quietAnswer ? undefined : 'dim'}>{days}</span>
  return (
    <Tooltip label={of.unseen ? t('unseen') : t('unknownDays', { count: of.unknown_days })}>
      <span className={`unknown ${css.note}`}>{days}</span>
    </Tooltip>
  )
}

/** How far what is usual is known. Learning is not fine: it is hatched. */
export function Maturity({ of }: { of: Secret['maturity'] }) {
  const t = useTexts()
  const part = of.state === 'learned' ? 1 : Math.min(of.days / Math.max(of.needs_days, 1), of.calls / Math.max(of.needs_calls, 1), 1)
  return (
    <Tooltip label={t(`maturitySays.${of.state}`, { days: of.days, calls: of.calls, needsDays: of.needs_days, needsCalls: of.needs_calls })}>
      <span className={css.maturity} data-state={of.state}>
        {of.state !== 'learned' && <span className={`unknown ${css.learning}`}><i style={{ width: `${part * 100}%` }} /></span>}
        <span className={of.state === 'learned' ? 'dim' : undefined}>{t(`maturity.${of.state}`)}</span>
      </span>
    </Tooltip>
  )
}
