import { Button } from '@mantine/core'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { useMemo, useRef } from 'react'
import { fetchOnce, get, Problem } from '@/api/client'
import type { Case, Finding } from '@/api/contract'
import { clock, compact, moment, span } from '@/app/format'
import { open, useTriage } from '@/app/triage'
import { useFindingList } from '@/app/use-list'
import { DecideButtons } from '@/parts/decide'
import { sentenceOf, Standing, useKind } from '@/parts/finding'
import { Icon } from '@/parts/icon'
import { LogText } from '@/parts/log-text'
import { Page } from '@/parts/page'
import { Priority } from '@/parts/priority'
import { Severity } from '@/parts/severity'
import { Asked, Failed, Loading, Nothing } from '@/parts/states'
import { useWidth } from '@/parts/table'
import { When } from '@/parts/when'
import { whoOfCase } from './page'
import { useTexts } from './texts'
import css from './page.module.css'

const page = getRouteApi('/in/cases/$id')
const pageSize = 100

export function CasePage() {
  const t = useTexts()
  const { id } = page.useParams()
  const one = useQuery(get('/api/cases/{id}', { path: { id } }))
  if (one.error instanceof Problem && one.error.status === 404) {
    return (
      <Nothing title={t('goneTitle')} action={<Link to="/cases">{t('back')}</Link>}>
        {t('goneMore')}
      </Nothing>
    )
  }
  const c = one.data
  const who = c ? whoOfCase(c) : ''
  return (
    <Page
      title={t('case')}
      answer={c ? t.rich('sum', { count: c.count, who: who ? <LogText name most={60} copy>{who}</LogText> : t('unknownWho') }) : t('case')}
      more={c && <Summary of={c} />}
      actions={
        <Link to="/cases">
          <Icon name="left" size={12} /> {t('back')}
        </Link>
      }
    >
      <Asked of={one} lines={10}>
        {() => <Whole id={id} />}
      </Asked>
    </Page>
  )
}

function Summary({ of: c }: { of: Case }) {
  const t = useTexts()
  const seconds = (new Date(c.last_seen).getTime() - new Date(c.first_seen).getTime()) / 1000
  return (
    <>
      {c.resource && (
        <>
          <LogText name most={60} copy>{c.resource}</LogText>
          {' · '}
        </>
      )}
      {c.account && (
        <>
          <LogText>{c.account}</LogText>
          {' · '}
        </>
      )}
      <When at={c.first_seen} /> · {seconds >= 1 ? t('within', { span: span(seconds, t.language) }) : t('atOnce')}
      {c.chance > 0 && <> · {t('chanceSays', { n: compact(Math.min(1 / c.chance, 1e12), t.language) })}</>}
      {c.explained && <> · {t('explained')}</>}
    </>
  )
}

/** The findings of a case, a page at a time, in the order they came. */
function Whole({ id }: { id: string }) {
  const t = useTexts()
  const kind = useKind()
  const pages = useInfiniteQuery({
    queryKey: ['/api/findings', { query: { q: `case:${id}` } }, 'case'],
    queryFn: ({ pageParam }) =>
      fetchOnce('/api/findings', { query: { q: `case:${id}`, sort: '-first_seen', demoted: true, staged: true, limit: pageSize, cursor: pageParam } }),
    initialPageParam: '',
    getNextPageParam: (last) => last.next || undefined,
  })
  const ordered = useMemo(() => pages.data?.pages.flatMap((p) => p.findings) ?? [], [pages.data])
  const list = useFindingList({ findings: ordered })
  const { choose } = useTriage()
  const undecided = ordered.filter(open)
  if (pages.error) return <Failed error={pages.error} retry={() => void pages.refetch()} />
  if (!pages.data) return <Loading lines={10} />
  return (
    <>
      {undecided.length > 1 && (
        <div className={css.all}>
          <b>{t(pages.hasNextPage ? 'shown' : 'all', { n: undecided.length })}</b> <DecideButtons choose={(x) => void choose(undecided, x)} small />
        </div>
      )}
      <h2 className={css.order}>{t('order')}</h2>
      <Axis of={ordered} />
      <ol className={css.list}>
        {ordered.map((f, i) => (
          <li
            key={f.key} data-at={list.at === f.key || undefined} className={css.item}
            ref={(el) => {
              if (list.at === f.key) el?.scrollIntoView({ block: 'nearest' })
            }}
          >
            <span className={css.number}>{i + 1}</span>
            <div className={css.what}>
              <Link to="/findings/$key" params={{ key: f.key }} className={css.title} onClick={(e) => { e.preventDefault(); list.openOne(f.key) }}>
                <Severity of={f.severity} /> <LogText wrap>{f.title}</LogText>
              </Link>
              <p>
                <LogText wrap>{sentenceOf(f)}</LogText>
              </p>
              <p className={css.facts}>
                <span>{kind(f.kind)}</span>
                <Priority value={f.priority} parts={f.priority_parts} />
                <span>{moment(f.first_seen, t.language)} UTC</span>
                <Standing of={f} />
              </p>
            </div>
            <DecideButtons of={f} choose={(x) => list.choose(x, f.key)} small />
          </li>
        ))}
      </ol>
      {pages.hasNextPage && (
        <Button variant="subtle" loading={pages.isFetchingNextPage} onClick={() => void pages.fetchNextPage()}>
          {t('moreFindings')}
        </Button>
      )}
    </>
  )
}

/** How high the axis is at most, in pixels: of many findings each gets less. */
const axisHeight = 420

/** The findings on one axis, numbered as in the list below where there is room. */
function Axis({ of }: { of: Finding[] }) {
  const t = useTexts()
  const box = useRef<HTMLDivElement>(null)
  const width = useWidth(box)
  const from = Math.min(...of.map((f) => new Date(f.first_seen).getTime()))
  const to = Math.max(...of.map((f) => new Date(f.last_seen).getTime()), from + 60_000)
  const x = (at: string) => 8 + ((new Date(at).getTime() - from) / (to - from)) * (width - 30)
  const row = Math.min(14, axisHeight / of.length)
  const numbered = row >= 10
  return (
    <div ref={box} className={css.axis} aria-hidden="true">
      {width > 0 && (
        <svg width={width} height={of.length * row + 22}>
          {of.map((f, i) => (
            <g key={f.key} transform={`translate(0 ${i * row + 4})`}>
              <line className={css.guide} x1={8} x2={width - 22} y1={row / 2 - 1} y2={row / 2 - 1} />
              <rect className={css.span} data-severity={f.severity} x={x(f.first_seen) - 2} width={Math.max(x(f.last_seen) - x(f.first_seen), 0) + 4} y={row / 7} height={(row * 4) / 7} />
              {numbered && <text x={width - 14} y={10} className={css.label}>{i + 1}</text>}
            </g>
          ))}
          <text x={8} y={of.length * row + 18} className={css.label}>{moment(new Date(from), t.language)} UTC</text>
          <text x={width - 22} y={of.length * row + 18} textAnchor="end" className={css.label}>{clock(new Date(to), t.language)}</text>
        </svg>
      )}
    </div>
  )
}
