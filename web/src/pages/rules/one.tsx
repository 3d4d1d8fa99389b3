import { useQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { get } from '@/api/client'
import { term } from '@/app/filter'
import { Step } from '@/parts/copy'
import { Field, Fields } from '@/parts/field'
import { FindingLink, Standing } from '@/parts/finding'
import { Icon } from '@/parts/icon'
import { address, To } from '@/parts/links'
import { LogText, useCopy } from '@/parts/log-text'
import { Page, Section } from '@/parts/page'
import { Severity } from '@/parts/severity'
import { Asked } from '@/parts/states'
import { When } from '@/parts/when'
import { followed, type RuleDetail } from './choose'
import { aboutAddress, Cases, Count, Source } from './page'
import { useTexts } from './texts'
import css from './one.module.css'

const page = getRouteApi('/in/rules/$id')
const findingsShown = 8

export function RulePage() {
  const t = useTexts()
  const { id } = page.useParams()
  const one = useQuery(get('/api/rules/{id}', { path: { id } }))
  const r = one.data
  return (
    <Page
      title={r?.title ?? t('title')} answer={<LogText wrap>{r?.title ?? id}</LogText>} more={r && <LogText wrap>{r.description}</LogText>}
      actions={
        <>
          <To href="/rules" className={css.back}><Icon name="left" size={11} /> {t('back')}</To>
          {r && r.findings !== 0 && <To href={address('/findings', { q: term('rule', r.id), show: 'all' })}>{t('allFindings')}</To>}
        </>
      }
    >
      <Asked of={one} lines={12}>{(r) => <Detail of={r} />}</Asked>
    </Page>
  )
}

function Detail({ of: r }: { of: RuleDetail }) {
  const t = useTexts()
  return (
    <>
      <Fields>
        <Field name={t('fact.level')}><Severity of={r.level || 'informational'} word /></Field>
        <Field name={t('fact.kind')}>{t(`kind.${r.kind}`)}</Field>
        <Field name={t('fact.source')}><Source of={r} /></Field>
        <Field name={t('fact.findings')}>{r.findings < 0 ? <Count of={r.findings} /> : r.findings === 0 ? <span className="dim">{t('foundNone')}</span> : t('found', { count: r.findings, open: r.open })}</Field>
        <Field name={t('fact.stage')}>{t(`stageSays.${r.stage}`)}{r.demoted && ` ${t('demotedDoes')}`}</Field>
        <Field name={t('cases')}><Cases of={r.cases} /></Field>
        <Field name={t('fact.status')}>{t.word('status', r.status)}</Field>
        {r.author && <Field name={t('fact.author')}><LogText wrap>{r.author}</LogText></Field>}
        {r.license && <Field name={t('fact.license')}><LogText wrap>{r.license}</LogText></Field>}
        <Field name={t('fact.file')}>{r.builtin ? <LogText mono wrap>{r.file}</LogText> : t.rich('own', { file: <LogText mono wrap>{r.file}</LogText> })}</Field>
        {r.attack.length > 0 && <Field name={t('fact.attack')}><span className={css.attack}>{r.attack.map((a) => <To key={a} href={aboutAddress(a)}>{a}</To>)}</span></Field>}
      </Fields>
      <div className={css.columns}>
        <div>
          <Section title={t('what')}><div className={css.explain}>{r.explain.trimEnd().split('\n').map((line, i) => <p key={i}>{line ? <LogText wrap>{line}</LogText> : ' '}</p>)}</div></Section>
          {r.findings !== 0 && <Found of={r} />}
          <Section title={t('falsePositives')}>
            {r.false_positives.length === 0 ? <p className="dim">{t('falsePositivesNone')}</p> : <ul className={css.plain}>{r.false_positives.map((f) => <li key={f}><LogText wrap>{f}</LogText></li>)}</ul>}
          </Section>
          {r.next.length > 0 && <Section title={t('nextSteps')}>{r.next.map((n) => <div key={n}><Step>{n}</Step></div>)}</Section>}
          <CaseList of={r} />
          {r.references.length > 0 && <Section title={t('references')}><ul className={css.plain}>{r.references.map((x) => <li key={x}><Reference of={x} /></li>)}</ul></Section>}
        </div>
        <Text of={r} />
      </div>
    </>
  )
}

/** Leads out only where it is an address of the web, and tells nobody where from. */
function Reference({ of }: { of: string }) {
  const href = followed(of)
  const text = <LogText wrap>{of}</LogText>
  return href ? <a href={href} target="_blank" rel="noopener noreferrer nofollow">{text} <Icon name="external" size={10} /></a> : text
}

function Found({ of: r }: { of: RuleDetail }) {
  const t = useTexts()
  const found = useQuery(get('/api/findings', { query: { q: term('rule', r.id), limit: findingsShown } }))
  return (
    <Section title={t('findings')}>
      <Asked of={found} lines={3}>
        {({ findings }) => (
          <ul className={css.findings}>
            {findings.filter((f) => f.rule === r.id).map((f) => (
              <li key={f.key}><Severity of={f.severity} /> <span><FindingLink of={f} /></span> <Standing of={f} /> <When at={f.last_seen} /></li>
            ))}
          </ul>
        )}
      </Asked>
    </Section>
  )
}

function CaseList({ of: r }: { of: RuleDetail }) {
  const t = useTexts()
  return (
    <Section title={t('caseList')} note={t('caseListNote')}>
      {r.case_list.length === 0 ? (
        <p className={`unknown ${css.unknown}`}>{t('caseNone')}</p>
      ) : (
        <ul className={css.cases}>
          {r.case_list.map((c) => (
            <li key={c.name} data-failed={!c.passed || undefined}>
              <Icon name={c.passed ? 'check' : 'close'} size={12} /> <span className="hidden-but-read">{t(c.passed ? 'passed' : 'failed')}</span> <LogText wrap>{c.name}</LogText>
              {!c.passed && <div><LogText wrap>{c.why}</LogText></div>}
            </li>
          ))}
        </ul>
      )}
    </Section>
  )
}

function Text({ of: r }: { of: RuleDetail }) {
  const t = useTexts()
  const [copied, copy] = useCopy()
  return (
    <Section title={t('text')} actions={<button type="button" className={css.copy} onClick={() => copy(r.text)}>{copied ? t('copied') : t('copy')}</button>}>
      <pre className={css.text} tabIndex={0}>
        {r.text.split('\n').map((line, i) => <span key={i} className={/^\s*#/.test(line) ? css.comment : undefined}><Line of={line} />{'\n'}</span>)}
      </pre>
    </Section>
  )
}

/** A line of YAML: its key is told from its value, and nothing more is made of it. */
function Line({ of }: { of: string }) {
  const m = /^(\s*(?:- )?[\w|.@/-]+:)( .*)?$/.exec(of)
  if (!of.trim()) return null
  if (!m) return <LogText wrap mono>{of}</LogText>
  return <><span className={css.key}><LogText wrap mono>{m[1]}</LogText></span>{m[2] && <LogText wrap mono>{m[2]}</LogText>}</>
}
