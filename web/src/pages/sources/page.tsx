import { Select, Tooltip } from '@mantine/core'
import { keepPreviousData, useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { getRouteApi, useNavigate } from '@tanstack/react-router'
import { useMemo, useState } from 'react'
import { fetchOnce, get } from '@/api/client'
import { term } from '@/app/filter'
import { number, second } from '@/app/format'
import { Icon } from '@/parts/icon'
import { searchAddress, To } from '@/parts/links'
import { LogText } from '@/parts/log-text'
import { Page, Section } from '@/parts/page'
import { Asked, Nothing } from '@/parts/states'
import { column, Table } from '@/parts/table'
import { When } from '@/parts/when'
import { counted, objectName, type Cell, type Matrix, type Report } from './days'
import { DayMatrix } from './matrix'
import { Formats } from './formats'
import { useTexts, type LedgerTexts } from './texts'
import css from './page.module.css'

const page = getRouteApi('/in/ledger')
const spans = ['30', '90', '365'] as const
const objectStates = ['partial', 'failed', 'growing', 'listed', 'aside', 'superseded', 'complete'] as const

export function Ledger() {
  const t = useTexts()
  const { days = '90' } = page.useSearch()
  const span = spans.find((s) => s === days) ?? '90'
  const matrix = useQuery({ ...get('/api/ledger/matrix', { query: { days: Number(span) } }), placeholderData: keepPreviousData })
  const report = useQuery(get('/api/ledger'))
  const sources = useQuery(get('/api/sources'))
  const formats = useQuery(get('/api/ledger/formats'))
  const stopped = sources.data?.sources.filter((s) => s.state === 'stopped').length ?? 0
  return (
    <Page
      title={t('title')} answer={matrix.data ? answerOf(t, matrix.data, stopped) : t('title')}
      more={report.data && t('more', { stored: report.data.totals.stored, objects: report.data.totals.objects, duplicate: report.data.totals.duplicate, quarantined: report.data.totals.quarantined, expired: report.data.totals.expired })}
    >
      <Days matrix={matrix} report={report.data} span={span} />
      <Section title={t('sources')} note={t('sourcesNote')}>
        <Asked of={sources} lines={3}>{(s) => <Sources of={s.sources} />}</Asked>
      </Section>
      <Section title={t('formats')} note={t('formatsNote')}>
        <Asked of={formats} lines={3}>{(f) => <Formats of={f} />}</Asked>
      </Section>
      <Asked of={report} lines={5}>
        {(r) => (
          <>
            <Gaps of={r} />
            <Quarantine of={r} />
            <Incomplete of={r} />
          </>
        )}
      </Asked>
      <Objects />
    </Page>
  )
}

function answerOf(t: LedgerTexts, m: Matrix, stopped: number): string {
  const n = counted(m)
  const bad = n.partial + n.missing + n.late
  const known = n.complete + bad
  const said = known === 0 ? t('answerNone') : bad > 0 || n.unknown > 0 ? t('answer', { count: bad, known }) : t('answerWhole', { count: m.accounts.length, days: m.days.length })
  return stopped > 0 ? `${t('stopped', { count: stopped })} ${said}` : said
}

interface DaysProps {
  matrix: { data: Matrix | undefined; error: unknown; refetch: () => unknown }
  report: Report | undefined
  span: string
}

function Days({ matrix, report, span }: DaysProps) {
  const t = useTexts()
  const navigate = useNavigate()
  const search = page.useSearch()
  const go = (next: typeof search) => void navigate({ to: '/ledger', search: { ...search, ...next }, replace: true })
  const chosen = matrix.data?.accounts.find((a) => a.account === search.account)?.cells.find((c) => c.day === search.day)
  return (
    <Section
      title={t('matrix')} note={t('matrixNote')}
      actions={
        <span className={css.spans} role="group" aria-label={t('span')}>
          {spans.map((s) => <button key={s} type="button" aria-pressed={s === span} onClick={() => go({ days: s === '90' ? undefined : s })}>{t(`span.${s}`)}</button>)}
        </span>
      }
    >
      <Asked of={matrix} lines={8}>
        {(m) =>
          m.accounts.length === 0 ? (
            <Nothing title={t('matrixNone')}>{t('matrixNoneMore')}</Nothing>
          ) : (
            <>
              <DayMatrix of={m} account={search.account} day={search.day} onChoose={(account, day) => go(account === search.account && day === search.day ? { account: undefined, day: undefined } : { account, day })} />
              {m.unplaced > 0 && <p className={`unknown ${css.beside}`}><span>{t('matrixBeside', { count: m.unplaced })}</span></p>}
              {chosen && search.account && <Day of={chosen} account={search.account} report={report} onClose={() => go({ account: undefined, day: undefined })} />}
            </>
          )
        }
      </Asked>
    </Section>
  )
}

/** One account on one day: why it is as it is, and where its records are. */
function Day({ of: c, account, report, onClose }: { of: Cell; account: string; report: Report | undefined; onClose: () => void }) {
  const t = useTexts()
  const regions = report?.coverage.filter((x) => x.account === account && x.day === c.day).sort((a, b) => b.records - a.records) ?? []
  const next = new Date(new Date(`${c.day}T00:00:00Z`).getTime() + 86_400_000).toISOString()
  return (
    <section className={css.day} aria-live="polite">
      <header>
        <b><LogText>{account}</LogText></b> <span>{c.day}</span> <span className={css.state} data-state={c.state}><i className={c.state === 'unknown' ? 'unknown' : undefined} /> {t(`day.${c.state}`)}</span>
        <button type="button" aria-label={t('close')} onClick={onClose}><Icon name="close" size={12} /></button>
      </header>
      <p>{c.reason ? <LogText wrap>{c.reason}</LogText> : t(`dayDoes.${c.state}`)}</p>
      {c.records > 0 && <p><To href={searchAddress(term('account', account), `${c.day}T00:00:00Z`, next)}>{t('accountEvents')} ({number(c.records, t.language)})</To></p>}
      {regions.length > 0 && (
        <p className={css.regions}>
          {regions.map((r) => <span key={r.region}><LogText>{r.region}</LogText> <span className="dim num">{number(r.records, t.language)}</span></span>)}
        </p>
      )}
    </section>
  )
}

type Source = { name: string; type: string; state: 'running' | 'stopped' | 'finished'; since?: string; reason: string; errors: number }

function Sources({ of }: { of: Source[] }) {
  const t = useTexts()
  if (of.length === 0) return <Nothing title={t('sourcesNone')}>{t('sourcesNoneMore')}</Nothing>
  return (
    <div className={css.scroll}>
      <table className={css.table}>
        <thead><tr><th>{t('source')}</th><th>{t('state')}</th><th>{t('since')}</th><th className="num" title={t('errorsDoes')}>{t('errors')}</th><th>{t('reason')}</th></tr></thead>
        <tbody>
          {of.map((s) => (
            <tr key={s.name}>
              <td><LogText>{s.name}</LogText></td>
              <td><Tooltip label={t(`sourceDoes.${s.state}`)}><span className={css.source} data-state={s.state}>{t(`source.${s.state}`)}</span></Tooltip></td>
              <td>{s.since ? <When at={s.since} /> : <span className="dim">{t('sinceStart')}</span>}</td>
              <td className="num">{number(s.errors, t.language)}</td>
              <td className={css.reason}>{s.reason && <LogText wrap>{s.reason}</LogText>}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function Gaps({ of: r }: { of: Report }) {
  const t = useTexts()
  return (
    <Section title={t('gaps')} note={r.gaps.length > 0 ? t('gapsNote') : undefined}>
      {r.gaps.length === 0 ? (
        <p className="dim">{t('gapsNone')} {t('gapsNoneMore')}</p>
      ) : (
        <ul className={css.gaps}>
          {r.gaps.slice(0, 200).map((g, i) => (
            <li key={i}>
              <i className="unknown" />
              <div>
                <p><b>{t.word('gap', g.kind)}</b> {g.account && <LogText>{g.account}</LogText>} {g.region && <LogText>{g.region}</LogText>} <span className="dim">{second(g.from, t.language)} – {second(g.to, t.language)} UTC</span></p>
                <p><LogText wrap>{g.reason}</LogText></p>
              </div>
              {g.account && <To href={searchAddress([term('account', g.account), g.region ? term('region', g.region) : ''].filter(Boolean).join(' '), shifted(g.from, -6), shifted(g.to, 6))}>{t('around')}</To>}
            </li>
          ))}
        </ul>
      )}
    </Section>
  )
}

function shifted(at: string, hours: number): string {
  return new Date(new Date(at).getTime() + hours * 3_600_000).toISOString()
}

function Quarantine({ of: r }: { of: Report }) {
  const t = useTexts()
  return (
    <Section title={t('quarantine')} note={r.quarantine.length > 0 ? t('quarantineNote') : undefined}>
      {r.quarantine.length === 0 ? (
        <p className="dim">{t('quarantineNone')}</p>
      ) : (
        <ul className={css.held}>
          {r.quarantine.map((h, i) => (
            <li key={i}>
              <p><LogText wrap>{h.reason}</LogText></p>
              <p className="dim"><LogText mono copy wrap>{h.object}</LogText>, {t('position')} {number(h.position, t.language)}</p>
            </li>
          ))}
        </ul>
      )}
      {r.quarantine_more > 0 && <p className="dim">{t('quarantineMore', { count: r.quarantine_more })}</p>}
      {r.quarantine_superseded > 0 && <p className="dim">{t('superseded', { count: r.quarantine_superseded })}</p>}
    </Section>
  )
}

/** Objects of which not all could be read. */
function Incomplete({ of: r }: { of: Report }) {
  const t = useTexts()
  return (
    <Section title={t('incomplete')} note={r.incomplete.length > 0 ? t('incompleteNote') : undefined}>
      {r.incomplete.length === 0 ? (
        <p className="dim">{t('incompleteNone')}</p>
      ) : (
        <ul className={css.held}>
          {r.incomplete.map((o) => (
            <li key={`${o.name} ${o.version}`}>
              <p><span className={css.object} data-state={o.state}>{t.word('object', o.state)}</span> {o.reason && <LogText wrap>{o.reason}</LogText>}</p>
              <p className="dim"><LogText mono copy wrap>{o.name}</LogText>, {t('storedOf', { stored: o.stored, records: o.records })}</p>
            </li>
          ))}
        </ul>
      )}
      {r.incomplete_more > 0 && <p className="dim">{t('quarantineMore', { count: r.incomplete_more })}</p>}
    </Section>
  )
}

type LedgerObject = Report['incomplete'][number]

function Objects() {
  const t = useTexts()
  const { state } = page.useSearch()
  const search = page.useSearch()
  const navigate = useNavigate()
  const [at, setAt] = useState<string>()
  const chosen = objectStates.find((s) => s === state)
  const list = useInfiniteQuery({
    queryKey: ['/api/ledger/objects', { query: { state: chosen } }, 'pages'],
    queryFn: ({ pageParam }) => fetchOnce('/api/ledger/objects', { query: { state: chosen ? [chosen] : undefined, limit: 200, cursor: pageParam } }),
    initialPageParam: '',
    getNextPageParam: (last) => last.next || undefined,
    placeholderData: keepPreviousData,
  })
  const objects = useMemo(() => list.data?.pages.flatMap((p) => p.objects) ?? [], [list.data])
  const open = objects.find((o) => `${o.name} ${o.version}` === at)
  const columns = useMemo(
    () => [
      column<LedgerObject>('object', t('object'), (o) => <LogText most={58}>{objectName(o.name)}</LogText>, { grow: 6 }),
      column<LedgerObject>('state', t('state'), (o) => <span className={css.object} data-state={o.state}>{t.word('object', o.state)}</span>, { width: 100 }),
      column<LedgerObject>('stored', t('stored'), (o) => number(o.stored, t.language), { width: 72, right: true, above: 560 }),
      column<LedgerObject>('twice', t('twice'), (o) => number(o.duplicate, t.language), { width: 64, right: true, above: 760 }),
      column<LedgerObject>('held', t('held'), (o) => (o.quarantined ? <b>{number(o.quarantined, t.language)}</b> : <span className="faint">0</span>), { width: 64, right: true, above: 640 }),
      column<LedgerObject>('size', t('size'), (o) => number(o.size, t.language), { width: 90, right: true, above: 900 }),
      column<LedgerObject>('read', t('read'), (o) => (o.read ? <When at={o.read} /> : <span className="dim">{t('notRead')}</span>), { width: 100, right: true, above: 480 }),
    ],
    [t],
  )
  return (
    <Section
      title={t('objects')} note={t('objectsNote')}
      actions={
        <Select
          aria-label={t('state')} placeholder={t('objectsAny')} clearable value={chosen ?? null} data={objectStates.map((s) => ({ value: s, label: t(`object.${s}`) }))}
          onChange={(v) => void navigate({ to: '/ledger', search: { ...search, state: v ?? undefined }, replace: true, resetScroll: false })}
        />
      }
    >
      <Asked of={list} lines={6}>
        {() => (
          <Table
            label={t('objects')} rows={objects} columns={columns} rowKey={(o) => `${o.name} ${o.version}`} height={340} at={at} onOpen={(o) => setAt(at === `${o.name} ${o.version}` ? undefined : `${o.name} ${o.version}`)}
            onEnd={() => list.hasNextPage && !list.isFetchingNextPage && void list.fetchNextPage()} empty={<p className="dim">{t('objectsNone')}</p>} cardHeight={62}
            card={(o) => (
              <>
                <div><LogText most={60}>{objectName(o.name)}</LogText></div>
                <div className="dim"><span className={css.object} data-state={o.state}>{t.word('object', o.state)}</span> · {t('stored')} {number(o.stored, t.language)}{o.quarantined > 0 && ` · ${t('held')} ${number(o.quarantined, t.language)}`}</div>
              </>
            )}
          />
        )}
      </Asked>
      {open && (
        <div className={css.day}>
          <p><LogText mono copy wrap>{open.name}</LogText></p>
          {open.reason && <p><LogText wrap>{open.reason}</LogText></p>}
          {open.sha256 && <p className="dim">SHA-256 <LogText mono copy wrap>{open.sha256}</LogText></p>}
        </div>
      )}
    </Section>
  )
}
