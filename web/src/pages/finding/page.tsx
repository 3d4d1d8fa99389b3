import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router'
import { useEffect } from 'react'
import { get, Problem } from '@/api/client'
import type { Finding } from '@/api/contract'
import { useKeys } from '@/app/keys'
import { useMay } from '@/app/session'
import { useTriage, type Choice } from '@/app/triage'
import { useTriageTexts } from '@/app/triage.texts'
import { neighbours } from '@/app/use-list'
import { term } from '@/app/filter'
import { exact } from '@/app/format'
import { decisionAddress, newAddress } from '@/pages/decisions/types'
import { Step } from '@/parts/copy'
import { Field, Fields } from '@/parts/field'
import { Sentence, sentenceOf, useKind, whoOf } from '@/parts/finding'
import { Icon } from '@/parts/icon'
import { searchAddress, To } from '@/parts/links'
import { LogText, shorten } from '@/parts/log-text'
import { Section } from '@/parts/page'
import { Priority } from '@/parts/priority'
import { Severity } from '@/parts/severity'
import { Asked, Nothing } from '@/parts/states'
import { When } from '@/parts/when'
import { Also } from './also'
import { AppliedFor, ClosingDrafts, Proposed, WhatFor } from './closing'
import { Evidence } from './evidence'
import { History } from './history'
import { Reasons } from './reasons'
import { Similar } from './similar'
import { Timeline } from './timeline'
import { Touched } from './touched'
import { Usual } from './usual'
import { Verdict } from './verdict'
import { WhoWasIt } from './who'
import { useTexts } from './texts'
import css from './page.module.css'

const page = getRouteApi('/in/findings/$key')

export function FindingPage() {
  const t = useTexts()
  const { key } = page.useParams()
  const finding = useQuery(get('/api/findings/{key}', { path: { key } }))
  if (finding.error instanceof Problem && finding.error.status === 404 && !finding.data) {
    return (
      <Nothing title={t('goneTitle')} action={<Link to="/findings">{t('back')}</Link>}>
        {t('goneMore')}
      </Nothing>
    )
  }
  return (
    <div className={css.page}>
      <Walk finding={key} />
      <Asked of={finding} lines={14}>
        {(f) => <Whole key={f.key} of={f} />}
      </Asked>
    </div>
  )
}

/** Where one is in the list, and the keys that go on from here. */
function Walk({ finding }: { finding: string }) {
  const t = useTexts()
  const triage = useTriageTexts()
  const navigate = useNavigate()
  const { before, after, at, of } = neighbours(finding)
  const go = (key: string | undefined) => key && void navigate({ to: '/findings/$key', params: { key } })
  const back = () => (window.history.length > 1 && of > 0 ? window.history.back() : void navigate({ to: '/findings' }))
  useKeys(triage('keys'), [
    { keys: 'j', label: triage('keyNext'), run: () => go(after) },
    { keys: 'k', label: triage('keyBefore'), run: () => go(before) },
    { keys: 'Escape', label: t('keyBack'), run: back },
  ])
  return (
    <nav className={css.walk}>
      <Link to="/findings">
        <Icon name="left" size={12} /> {t('back')}
      </Link>
      {of > 0 && (
        <span className={css.place}>
          <button type="button" disabled={!before} onClick={() => go(before)} aria-label={triage('keyBefore')}>
            <Icon name="up" size={12} />
          </button>
          {t('place', { at: at + 1, of })}
          <button type="button" disabled={!after} onClick={() => go(after)} aria-label={triage('keyNext')}>
            <Icon name="down" size={12} />
          </button>
        </span>
      )}
    </nav>
  )
}

function Whole({ of: f }: { of: Finding }) {
  const t = useTexts()
  const words = useTriageTexts()
  const { choose } = useTriage()
  useEffect(() => {
    document.title = `${shorten(f.title, 60)} · Yagura`
  }, [f.title])
  const decide = (c: Choice) => void choose([f], c)
  useKeys(t('keys'), [
    { keys: 'e', label: words('keyExpected'), run: () => decide('expected') },
    { keys: 'f', label: words('keyFalsePositive'), run: () => decide('false_positive') },
    { keys: 'a', label: words('keyAssign'), run: () => decide('mine') },
    { keys: 'c', label: t('keyComment'), run: () => document.querySelector<HTMLElement>('[data-comment]')?.focus() },
  ])
  return (
    <article>
      <header className={css.head}>
        <h1>
          <Severity of={f.severity} /> <LogText wrap>{f.title}</LogText>
        </h1>
        {sentenceOf(f) !== f.title && (
          <p className={css.sentence}>
            <Sentence of={f} />
          </p>
        )}
      </header>
      <Verdict of={f} choose={decide} />
      <div className={css.columns}>
        <div className={css.main}>
          <Proposed of={f} />
          <WhoWasIt of={f} />
          <WhatFor of={f} />
          <AppliedFor of={f} />
          <ClosingDrafts of={f} />
          {f.anomaly?.series && f.anomaly.series.length > 1 && <Usual of={f.anomaly} series={f.anomaly.series} />}
          <Reasons of={f} />
          <Also of={f} />
          <Evidence of={f} />
          <Timeline of={f} />
          <Touched of={f} />
          <Similar of={f} />
        </div>
        <aside className={css.aside}>
          <Facts of={f} />
          <Next of={f} />
          <Section title={t('history')}>
            <History of={f} />
          </Section>
        </aside>
      </div>
    </article>
  )
}

function Facts({ of: f }: { of: Finding }) {
  const t = useTexts()
  const kind = useKind()
  const who = whoOf(f)
  return (
    <Fields>
      <Field name={<Severity of={f.severity} word />}>
        <Priority value={f.priority} parts={f.priority_parts} />
      </Field>
      <Field name={t('kind')}>{kind(f.kind)}</Field>
      {f.source && f.source !== 'yagura' && (
        <Field name={t('source')}>
          <LogText>{f.product || f.source}</LogText>
          {f.external && <Theirs of={f.external} />}
        </Field>
      )}
      {who && who !== f.actor && (
        <Field name={t('who')}>
          <LogText wrap copy>{who}</LogText>
        </Field>
      )}
      {f.actor && (
        <Field name={t('principal')}>
          <LogText name most={30} copy>{f.actor}</LogText>{' '}
          <To href={searchAddress(term('actor', f.actor), undefined, undefined)} className={css.quiet} label={t('openSearch')}>
            <Icon name="search" size={11} />
          </To>
        </Field>
      )}
      {f.resource && (
        <Field name={t('resource')}>
          <LogText name most={30} copy>{f.resource}</LogText>{' '}
          <To href={searchAddress(term('resource', f.resource))} className={css.quiet} label={t('openSearch')}>
            <Icon name="search" size={11} />
          </To>
        </Field>
      )}
      {f.account && (
        <Field name={t('account')}>
          <LogText copy>{f.account}</LogText> {f.account_name && <LogText>{f.account_name}</LogText>} {f.environment && <LogText>{f.environment}</LogText>}
        </Field>
      )}
      {f.owner && (
        <Field name={t('owner')}>
          <LogText>{f.owner}</LogText>
        </Field>
      )}
      {f.region && (
        <Field name={t('region')}>
          <LogText>{f.region}</LogText>
        </Field>
      )}
      <Field name={t('seen')}>
        <When at={f.last_seen} /> · {t('events', { count: f.count })}
        <div className="dim">{t('seenSpan', { first: exact(f.first_seen, t.language, 'UTC'), last: exact(f.last_seen, t.language, 'UTC') })} UTC</div>
      </Field>
      {f.rule && (
        <Field name={t('rule')}>
          <To href={`/rules/${encodeURIComponent(f.rule)}`}>
            <LogText most={30}>{f.rule}</LogText>
          </To>
        </Field>
      )}
      {f.attack.length > 0 && (
        <Field name={t('attack')}>
          {f.attack.map((a) => (
            <span key={a.id} className={css.attack} title={a.name}>
              <LogText>{a.id}</LogText> {a.name && <span className="dim"><LogText wrap>{a.name}</LogText></span>}
            </span>
          ))}
        </Field>
      )}
      {f.related.length > 0 && (
        <Field name={t('related')}>
          {f.related.slice(0, 8).map((key) => (
            <Link key={key} to="/findings/$key" params={{ key }} className={css.related}>
              <LogText mono>{key.slice(0, 12)}</LogText>
            </Link>
          ))}
        </Field>
      )}
      <Decided of={f} />
      {f.case && (
        <Field name={t('case')}>
          <Link to="/cases/$id" params={{ id: f.case }}>
            {t('caseLink')}
          </Link>
        </Field>
      )}
    </Fields>
  )
}

/** Decisions that stand about it, and where one begins that waits. */
function Decided({ of: f }: { of: Finding }) {
  const t = useTexts()
  const may = useMay('analyst')
  const standing = f.standing ?? []
  if (standing.length === 0 && !may) return null
  return (
    <Field name={t('decision')}>
      {standing.map((d) => (
        <div key={d.id}>
          <To href={decisionAddress(d.id)}><LogText wrap>{d.title}</LogText></To> <span className="dim">{t(`standing.${d.verdict}`)} {d.status === 'reopened' ? t('standingReopened') : d.revisit}</span>
        </div>
      ))}
      {may && <To href={newAddress('finding', f.key, f.account)}>{t('decideLater')}</To>}
    </Field>
  )
}

/** What the product whose finding it is says of it: its own words, and where it shows it. */
function Theirs({ of: x }: { of: NonNullable<Finding['external']> }) {
  const t = useTexts()
  return (
    <div className="dim">
      {[x.status_own || x.status, x.severity, x.type].filter(Boolean).map((s) => (
        <span key={s} className={css.theirs}>
          <LogText wrap>{s}</LogText>
        </span>
      ))}
      {x.sample && <span className={css.theirs}>{t('sample')}</span>}
      {x.links?.filter((l) => l.startsWith('https://') && URL.canParse(l)).slice(0, 2).map((l) => (
        <a key={l} href={l} target="_blank" rel="noopener noreferrer" className={css.theirs}>
          <LogText most={30}>{new URL(l).hostname}</LogText> <Icon name="external" size={10} />
        </a>
      ))}
    </div>
  )
}

function Next({ of: f }: { of: Finding }) {
  const t = useTexts()
  return (
    <>
      {f.next.length > 0 && (
        <Section title={t('next')}>
          <ol className={css.next}>
            {f.next.map((n, i) => (
              <li key={i}><Step>{n}</Step></li>
            ))}
          </ol>
        </Section>
      )}
      {f.false_positives.length > 0 && (
        <Section title={t('falsePositives')}>
          <ul className={css.plain}>
            {f.false_positives.map((x) => (
              <li key={x}>
                <LogText wrap>{x}</LogText>
              </li>
            ))}
          </ul>
        </Section>
      )}
    </>
  )
}

