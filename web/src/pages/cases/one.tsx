import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { useRef } from 'react'
import { get, Problem } from '@/api/client'
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
import { Asked, Nothing } from '@/parts/states'
import { useWidth } from '@/parts/table'
import { When } from '@/parts/when'
import { whoOfCase } from './page'
import { useTexts } from './texts'
import css from './page.module.css'

const page = getRouteApi('/in/cases/$id')

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
      answer={c ? t.rich('sum', { count: c.findings.length, who: who ? <LogText name most={60} copy>{who}</LogText> : t('unknownWho') }) : t('case')}
      more={c && <Summary of={c} />}
      actions={
        <Link to="/cases">
          <Icon name="left" size={12} /> {t('back')}
        </Link>
      }
    >
      <Asked of={one} lines={10}>
        {(c) => <Whole of={c} />}
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

function Whole({ of: c }: { of: Case }) {
  const t = useTexts()
  const kind = useKind()
  const ordered = c.findings.toSorted((a, b) => a.first_seen.localeCompare(b.first_seen))
  const list = useFindingList({ findings: ordered })
  const { choose } = useTriage()
  const undecided = c.findings.filter(open)
  return (
    <>
      {undecided.length > 1 && (
        <div className={css.all}>
          <b>{t('all', { n: undecided.length })}</b> <DecideButtons choose={(x) => void choose(undecided, x)} small />
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
    </>
  )
}

/** The findings on one axis, numbered as in the list below. */
function Axis({ of }: { of: Finding[] }) {
  const t = useTexts()
  const box = useRef<HTMLDivElement>(null)
  const width = useWidth(box)
  const from = Math.min(...of.map((f) => new Date(f.first_seen).getTime()))
  const to = Math.max(...of.map((f) => new Date(f.last_seen).getTime()), from + 60_000)
  const x = (at: string) => 8 + ((new Date(at).getTime() - from) / (to - from)) * (width - 30)
  return (
    <div ref={box} className={css.axis} aria-hidden="true">
      {width > 0 && (
        <svg width={width} height={of.length * 14 + 22}>
          {of.map((f, i) => (
            <g key={f.key} transform={`translate(0 ${i * 14 + 4})`}>
              <line className={css.guide} x1={8} x2={width - 22} y1={6} y2={6} />
              <rect className={css.span} data-severity={f.severity} x={x(f.first_seen) - 2} width={Math.max(x(f.last_seen) - x(f.first_seen), 0) + 4} y={2} height={8} />
              <text x={width - 14} y={10} className={css.label}>{i + 1}</text>
            </g>
          ))}
          <text x={8} y={of.length * 14 + 18} className={css.label}>{moment(new Date(from), t.language)} UTC</text>
          <text x={width - 22} y={of.length * 14 + 18} textAnchor="end" className={css.label}>{clock(new Date(to), t.language)}</text>
        </svg>
      )}
    </div>
  )
}
