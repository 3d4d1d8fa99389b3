import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { get } from '@/api/client'
import type { Finding, Today as TodayAnswer } from '@/api/contract'
import { useSession } from '@/app/session'
import { open } from '@/app/triage'
import { useFindingList } from '@/app/use-list'
import { decisionAddress } from '@/pages/decisions/types'
import { DecideButtons } from '@/parts/decide'
import { AlsoBy, sentenceOf, useKind, whoOf } from '@/parts/finding'
import { To } from '@/parts/links'
import { LogText } from '@/parts/log-text'
import { Page, Section } from '@/parts/page'
import { Priority } from '@/parts/priority'
import { Severity } from '@/parts/severity'
import { Asked } from '@/parts/states'
import { When } from '@/parts/when'
import { valid } from '@/app/format'
import { Changes } from './changes'
import { Strip } from './strip'
import { useTexts } from './texts'
import css from './page.module.css'

export function Today() {
  const t = useTexts()
  const session = useSession()
  const since = valid(session?.last_visit) ? session?.last_visit : undefined
  const today = useQuery({ ...get('/api/today', { query: { since } }), placeholderData: keepPreviousData })
  return (
    <Page
      title={t('title')}
      answer={today.data ? <Answer of={today.data} /> : t('title')}
      more={today.data && (today.data.explained ? t('explained', { count: today.data.explained }) : t('explainedNone'))}
    >
      <Asked of={today} lines={12}>
        {(d) => (
          <div className={css.columns}>
            <div className={css.needs}>
              <Needs of={d} />
              {d.reopened_total > 0 && <Reopened of={d} />}
              <Section title={t('strip')}>
                <Strip days={d.days} />
              </Section>
            </div>
            <aside className={css.changes}>
              <h2>{t('changes')}</h2>
              <p className="dim">{since ? t.rich('sinceVisit', { when: <When at={since} /> }) : t('sinceDay')}</p>
              {d.proposals > 0 && (
                <p>
                  <To href="/exceptions?show=proposals">{t('proposals', { count: d.proposals })}</To>
                </p>
              )}
              <Changes of={d} />
            </aside>
          </div>
        )}
      </Asked>
    </Page>
  )
}

function Answer({ of }: { of: TodayAnswer }) {
  const t = useTexts()
  return of.needs_total ? t('needs', { count: of.needs_total }) : t('nothing')
}

/** Decisions that waited and came back, each with why. */
function Reopened({ of }: { of: TodayAnswer }) {
  const t = useTexts()
  return (
    <Section title={t('reopened', { count: of.reopened_total })} actions={<To href="/decisions?status=reopened">{t('allDecisions')}</To>}>
      <ul className={css.reopened}>
        {of.reopened.slice(0, most).map((d) => (
          <li key={d.id}>
            <To href={decisionAddress(d.id)}><LogText wrap>{d.title}</LogText></To>
            {d.reopened.slice(0, 2).map((r) => <span key={r.trigger} className="dim"><LogText wrap>{r.said}</LogText></span>)}
          </li>
        ))}
      </ul>
    </Section>
  )
}

/** More than this is a list for its own page. */
const most = 8

function Needs({ of }: { of: TodayAnswer }) {
  const t = useTexts()
  const needs = of.needs.filter(open).slice(0, most)
  const list = useFindingList({ findings: needs })
  if (of.needs_total === 0) return <Coverage of={of.coverage} end />
  return (
    <>
      <ol className={css.list} aria-label={t('list')}>
        {needs.map((f) => (
          <Need key={f.key} of={f} at={list.at === f.key} list={list} />
        ))}
      </ol>
      {of.needs_total > needs.length && (
        <p className={css.more}>
          <Link to="/findings">{t('all', { n: of.needs_total })}</Link>
        </p>
      )}
      <Coverage of={of.coverage} />
    </>
  )
}

function Need({ of: f, at, list }: { of: Finding; at: boolean; list: ReturnType<typeof useFindingList> }) {
  const kind = useKind()
  return (
    <li
      className={css.need}
      data-at={at || undefined}
      ref={(el) => {
        if (at) el?.scrollIntoView({ block: 'nearest' })
      }}
      onClick={(e) => {
        if ((e.target as Element).closest('a, button, [role=button]') || window.getSelection()?.toString()) return
        list.openOne(f.key)
      }}
    >
      <div className={css.rank}>
        <Priority value={f.priority} parts={f.priority_parts} />
      </div>
      <div className={css.what}>
        <Link to="/findings/$key" params={{ key: f.key }} className={css.title}>
          <Severity of={f.severity} /> <LogText wrap>{f.title}</LogText>
        </Link>
        <p className={css.sentence}>
          <LogText wrap>{sentenceOf(f)}</LogText>
        </p>
        <div className={css.foot}>
          <p className={css.facts}>
            <span>{kind(f.kind)}</span>
            <AlsoBy of={f} />
            {whoOf(f) && <LogText name most={32} copy>{whoOf(f)}</LogText>}
            {f.resource && <LogText name most={32} copy>{f.resource}</LogText>}
            {f.account && <LogText>{f.account}</LogText>}
            {f.environment && <LogText>{f.environment}</LogText>}
            <When at={f.last_seen} />
          </p>
          <DecideButtons of={f} choose={(c) => list.choose(c, f.key)} small />
        </div>
      </div>
    </li>
  )
}

/** What was looked at, and what was not: without it "nothing" says nothing. */
function Coverage({ of, end }: { of: TodayAnswer['coverage']; end?: boolean }) {
  const t = useTexts()
  const total = of.accounts * of.days
  const silent = of.accounts === 0 || !valid(of.last_event)
  return (
    <div className={end ? css.end : css.coverage}>
      {end && <h2>{t('believe')}</h2>}
      {silent ? (
        <p>{t('seenNothing')}</p>
      ) : (
        <p>
          {of.complete >= total && of.gaps.length === 0
            ? t('seenAll', { total, days: of.days, accounts: of.accounts })
            : t('seen', { complete: of.complete, total, days: of.days, accounts: of.accounts })}{' '}
          {(['late', 'partial', 'missing', 'unknown'] as const).map((s) => of[s] > 0 && ` ${t(s, { count: of[s] })}`)}{' '}
          {t.rich('lastEvent', { when: <When at={of.last_event} /> })}
        </p>
      )}
      {end && of.gaps.length > 0 && (
        <>
          <p>{t('butGaps', { count: of.gaps_total })}</p>
          <ul>
            {of.gaps.slice(0, 5).map((g, i) => (
              <li key={i}>
                <LogText wrap>{g.reason}</LogText>
              </li>
            ))}
          </ul>
        </>
      )}
    </div>
  )
}
