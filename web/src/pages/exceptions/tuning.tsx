import { Tooltip } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useCallback, useMemo } from 'react'
import { get } from '@/api/client'
import { number, percent, span } from '@/app/format'
import { term } from '@/app/filter'
import { useTriageTexts } from '@/app/triage.texts'
import { address, To } from '@/parts/links'
import { LogText } from '@/parts/log-text'
import { Page, Section } from '@/parts/page'
import { Severity } from '@/parts/severity'
import { Asked } from '@/parts/states'
import { column, Table } from '@/parts/table'
import { Shows } from './shows'
import { useTexts } from './texts'
import type { Response, Tuned } from './types'
import css from './page.module.css'

const tuning = get('/api/tuning')
const advised = (r: Tuned) => r.advice !== 'keep' && r.advice !== 'too_few'

/** How good rules and products are by what people decided, and how soon people decide. */
export function Tuning() {
  const t = useTexts()
  const asked = useQuery(tuning)
  const rules = asked.data?.rules ?? []
  const better = rules.filter(advised).length
  const findings = rules.reduce((n, r) => n + r.findings, 0)
  const decided = rules.reduce((n, r) => n + r.decided, 0)
  return (
    <Page
      title={t('title')} answer={asked.data ? (better ? t('tuningAnswer', { count: better }) : rules.some((r) => r.advice !== 'too_few') ? t('tuningNone') : t('tuningUnknown')) : t('title')}
      more={asked.data && t('tuningNote', { count: findings, decided })}
    >
      <Shows />
      <Asked of={asked}>
        {(d) => (
          <>
            <Section title={t('rules')}>
              <Rules of={d.rules} label={t('rules')} named />
            </Section>
            {d.sources.length > 0 && (
              <Section title={t('sources')}>
                <Rules of={d.sources} label={t('sources')} />
              </Section>
            )}
            <Section title={t('times')} note={t('timesNote')}>
              <Times of={d.times} label={t('times')} />
            </Section>
          </>
        )}
      </Asked>
    </Page>
  )
}

function Rules({ of, label, named }: { of: Tuned[]; label: string; named?: boolean }) {
  const t = useTexts()
  const words = useTriageTexts()
  // What no rule made goes by its kind; what others say, by who says it too.
  const name = useCallback(
    (r: Tuned) => (!named ? words.word('source', r.source) : r.rule === 'external' ? `${words.word('kind', r.rule)}: ${words.word('source', r.source)}` : r.rule.startsWith('anomaly') ? words.word('kind', r.rule) : r.title || r.rule),
    [words, named],
  )
  const link = useCallback(
    (r: Tuned) => {
      const q = !named ? term('source', r.source) : r.rule === 'external' ? `${term('kind', r.rule)} ${term('source', r.source)}` : term(r.rule.startsWith('anomaly') ? 'kind' : 'rule', r.rule)
      return (
        <To href={address('/findings', { q, show: 'all' })} className={css.name}>
          <LogText>{name(r)}</LogText>
        </To>
      )
    },
    [name, named],
  )
  const columns = useMemo(() => {
    return [
      column<Tuned>('name', label, link, { grow: 4, by: name }),
      column<Tuned>('findings', t('findings'), (r) => number(r.findings, t.language), { width: 80, right: true, by: (r) => r.findings }),
      column<Tuned>('decided', t('verdicts'), (r) => number(r.decided, t.language), { width: 80, right: true, above: 560, by: (r) => r.decided }),
      column<Tuned>('rate', t('rate'), (r) => <Rate of={r} />, { width: 170, by: (r) => (r.decided ? r.rate : -1) }),
      column<Tuned>('advice', t('advice'), (r) => <Tooltip label={<LogText wrap>{r.text}</LogText>}><span className={css.advice} data-advice={r.advice}>{t.word('advice', r.advice)}</span></Tooltip>, { width: 140, by: (r) => (advised(r) ? 1 : 0) }),
    ]
  }, [t, label, link, name])
  return (
    <Table
      label={label} rows={of} columns={columns} rowKey={(r) => `${r.source} ${r.rule}`} height={420} cardHeight={64}
      card={(r) => (
        <>
          {link(r)}
          <div className={css.facts}>
            <Rate of={r} /> <span className={css.advice} data-advice={r.advice}>{t.word('advice', r.advice)}</span> <span>{t('findings')} {number(r.findings, t.language)}</span>
          </div>
        </>
      )}
    />
  )
}

/** The share of false positives with how sure that is; hatched where nobody can say. */
function Rate({ of: r }: { of: Tuned }) {
  const t = useTexts()
  const p = (n: number) => percent(n, t.language)
  const known = r.decided > 0
  const label = known ? t('rateRange', { rate: p(r.rate), low: p(r.rate_low), high: p(r.rate_high) }) : t('rateUnknown')
  return (
    <Tooltip label={label}>
      <span className={css.rate}>
        <svg width="96" height="12" viewBox="0 0 96 12" role="img" aria-label={label}>
          <rect x="0" y="5" width="96" height="2" fill="var(--y-line)" />
          {known ? (
            <>
              <rect x={r.rate_low * 96} y="3" width={Math.max((r.rate_high - r.rate_low) * 96, 2)} height="6" fill="var(--y-band)" />
              <rect x={Math.min(r.rate * 96, 93)} y="1" width="3" height="10" fill="var(--y-ink)" />
            </>
          ) : (
            Array.from({ length: 16 }, (_, i) => <path key={i} d={`M${i * 6} 9 l5 -6`} stroke="var(--y-hatch)" />)
          )}
        </svg>
        {known ? p(r.rate) : <span className="faint">–</span>}
      </span>
    </Tooltip>
  )
}

function Times({ of, label }: { of: Response[]; label: string }) {
  const t = useTexts()
  const facts = useMemo(() => {
    const time = (seconds: number, n: number) => (n > 0 ? span(seconds, t.language) : <span className="faint">{t('unknown')}</span>)
    return [
      { id: 'findings', said: t('findings'), show: (r: Response) => number(r.findings, t.language) },
      { id: 'open', said: t('open'), show: (r: Response) => number(r.open, t.language) },
      { id: 'acknowledged', said: t('acknowledged'), show: (r: Response) => time(r.acknowledged_p50, r.acknowledged) },
      { id: 'decided', said: t('decided'), show: (r: Response) => time(r.decided_p50, r.decided) },
      { id: 'decided90', said: t('decided90'), show: (r: Response) => time(r.decided_p90, r.decided) },
    ]
  }, [t])
  const columns = useMemo(
    () => [column<Response>('severity', t('severity'), (r) => <Severity of={r.severity} word />), ...facts.map((f) => column<Response>(f.id, f.said, f.show, { right: true }))],
    [t, facts],
  )
  return (
    <Table
      label={label} rows={of} columns={columns} rowKey={(r) => r.severity} height={260} cardHeight={100}
      card={(r) => (
        <>
          <Severity of={r.severity} word />
          <div className={css.facts}>
            {facts.map((f) => (
              <span key={f.id}>
                {f.said} {f.show(r)}
              </span>
            ))}
          </div>
        </>
      )}
    />
  )
}
