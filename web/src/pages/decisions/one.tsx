import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router'
import { get, Problem } from '@/api/client'
import { number } from '@/app/format'
import { useKeys } from '@/app/keys'
import { price, saving } from '@/app/money'
import { useMay } from '@/app/session'
import type { Language } from '@/app/language'
import { Field, Fields } from '@/parts/field'
import { Icon } from '@/parts/icon'
import { To } from '@/parts/links'
import { LogText } from '@/parts/log-text'
import { Page, Section } from '@/parts/page'
import { Asked, Nothing } from '@/parts/states'
import { When } from '@/parts/when'
import { AskedPart } from './asked'
import { Dossier } from './dossier'
import { DecisionForm } from './form'
import { Status } from './page'
import { useTexts } from './texts'
import { decisionAddress, subjectAddress, type Decision } from './types'
import css from './page.module.css'

const page = getRouteApi('/in/decisions/$id')

/** One decision: what it rests on, what reopens it, what was asked outside, and its history. */
export function DecisionPage() {
  const t = useTexts()
  const { id } = page.useParams()
  const { show } = page.useSearch()
  const may = useMay('analyst')
  const one = useQuery({ ...get('/api/decisions/{id}', { path: { id } }), retry: false })
  if (one.error instanceof Problem && one.error.status === 404 && !one.data) {
    return <Nothing title={t('goneTitle')} action={<Link to="/decisions">{t('back')}</Link>}>{t('goneMore')}</Nothing>
  }
  const d = one.data
  if (d && show === 'edit' && may) return <DecisionForm key={d.version} of={d} />
  return (
    <Page
      title={d?.title ?? t('title')}
      answer={d ? <LogText wrap>{d.title}</LogText> : t('title')}
      more={d && <><Status of={d} /> · {t(`verdict.${d.verdict}`)} · {t.rich('madeBy', { who: <LogText most={40}>{d.by}</LogText>, when: <When at={d.at} /> })}</>}
      actions={
        <>
          <To href="/decisions" className={css.back}><Icon name="left" size={11} /> {t('back')}</To>
          {d && may && <To href={decisionAddress(d.id, { show: 'edit' })} className={css.button}>{t('again')}</To>}
        </>
      }
    >
      <Asked of={one} lines={10}>{(d) => <Whole of={d} may={may} show={show} />}</Asked>
    </Page>
  )
}

function Whole({ of: d, may, show }: { of: Decision; may: boolean; show: string | undefined }) {
  const t = useTexts()
  const navigate = useNavigate()
  useKeys(t('keys'), may ? [{ keys: 'e', label: t('keyEdit'), run: () => void navigate({ to: '/decisions/$id', params: { id: d.id }, search: { show: 'edit' } }) }] : [])
  return (
    <>
      {d.reopened.length > 0 && (
        <div className={css.reopened} role="status">
          <h2>{t('cameBack')}</h2>
          <ul>{d.reopened.map((r, i) => <li key={i}><LogText wrap>{r.said}</LogText> <span className="dim"><When at={r.at} /></span></li>)}</ul>
        </div>
      )}
      <Fields>
        <Field name={t('owner')}><LogText most={40}>{d.owner}</LogText></Field>
        <Field name={t('revisit')}>{d.revisit || <span className="faint">–</span>}</Field>
        {d.saving && <Field name={t('saving')}><span title={String(d.saving.month)}>{saving(d.saving.month, d.saving.currency)}</span></Field>}
        <Field name={t('changed')}><When at={d.changed} /></Field>
      </Fields>
      <Section title={t('reason')}><p className={css.reason}><LogText wrap>{d.reason}</LogText></p></Section>
      <Section title={t('about')}>
        <ul className={css.plain}>
          {d.about.map((s, i) => {
            const href = subjectAddress(s)
            const name = <LogText wrap>{s.title || s.id}</LogText>
            return <li key={i}><span className="dim">{t.word('kind', s.kind)}</span> {href ? <To href={href}>{name}</To> : name} {s.account && <span className="dim"><LogText most={40}>{s.account}</LogText></span>}</li>
          })}
        </ul>
      </Section>
      <Triggers of={d} />
      <Figures of={d} />
      <AskedPart of={d} may={may} />
      <Dossier id={d.id} open={show === 'dossier'} />
      <History id={d.id} />
    </>
  )
}

/** What reopens it, each with what is measured now; what nobody would see is hatched. */
function Triggers({ of: d }: { of: Decision }) {
  const t = useTexts()
  return (
    <Section title={t('triggers')}>
      {!d.revisit && d.triggers.length === 0 && <p className="dim">{t('triggersNone')}</p>}
      <ul className={css.triggers}>
        {d.revisit && <li><span>{t('onDay', { day: d.revisit })}</span></li>}
        {d.triggers.map((x) => (
          <li key={x.text}>
            <span><LogText wrap>{x.said}</LogText></span>
            {x.unread ? <span className={`unknown ${css.gap}`} title={x.unread}>{t('notRead')}</span> : x.reading && <span className="dim">{t('reading', { value: measured(x.kind, x.reading, '', t.language) })}</span>}
            {x.unread && <span className="dim"><LogText wrap>{x.unread}</LogText></span>}
          </li>
        ))}
      </ul>
    </Section>
  )
}

function Figures({ of: d }: { of: Decision }) {
  const t = useTexts()
  return (
    <>
      {d.figures.length > 0 && (
        <Section title={t('figures')}>
          <div className={css.scroll} tabIndex={0} role="region" aria-label={t('figures')}>
            <table className={css.table}>
              <thead>
                <tr><th>{t('figure')}</th><th>{t('of')}</th><th className="num">{t('value')}</th><th>{t('basis')}</th><th>{t('at')}</th></tr>
              </thead>
              <tbody>
                {d.figures.map((f, i) => (
                  <tr key={i}>
                    <td><LogText wrap most={60}>{t.word('figure', f.name)}</LogText></td>
                    <td><LogText wrap most={60}>{f.of}</LogText></td>
                    <td className="num"><LogText>{measured(f.name, f.value, f.unit ?? '', t.language)}</LogText></td>
                    <td className="dim">{f.basis && <LogText wrap>{t.word('basis', f.basis)}</LogText>}</td>
                    <td className="dim"><When at={f.at} /></td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </Section>
      )}
      {d.evidence.length > 0 && (
        <Section title={t('evidence')}>
          <ul className={css.plain}>
            {d.evidence.map((e, i) => (
              <li key={i}>{e.link?.startsWith('https://') ? <a href={e.link} target="_blank" rel="noopener noreferrer"><LogText wrap>{e.text}</LogText></a> : <LogText wrap>{e.text}</LogText>} <span className="dim"><When at={e.at} /></span></li>
            ))}
          </ul>
        </Section>
      )}
    </>
  )
}

function History({ id }: { id: string }) {
  const t = useTexts()
  const history = useQuery(get('/api/decisions/{id}/history', { path: { id } }))
  return (
    <Section title={t('history')}>
      <Asked of={history} lines={3}>
        {(h) => (
          <ol className={css.history}>
            {h.changes.map((c, i) => (
              <li key={i}>
                <span className="dim"><When at={c.at} /></span>
                <span>
                  <LogText most={40}>{c.by}</LogText> {t(`action.${c.action}`)}
                  {c.verdict_before && c.verdict_before !== c.verdict && <> {t.word('verdict', c.verdict_before)} → {t.word('verdict', c.verdict)}</>}
                  {c.text && <span className={css.told}><LogText wrap>{c.text}</LogText></span>}
                  {c.note && <span className={css.told}><LogText wrap>{c.note}</LogText></span>}
                </span>
              </li>
            ))}
          </ol>
        )}
      </Asked>
    </Section>
  )
}

/** A figure, or what a trigger reads, as the commands write it (decision.Figure.Shown, decision.TriggerKind.Shown). What is no number is left as it is. */
export function measured(of: string, value: string, unit: string, l: Language): string {
  const n = Number(value)
  if (!Number.isFinite(n)) return `${value} ${unit}`.trim()
  if (of === 'price') return price(n, unit)
  if (of === 'saving_month' || (of === 'saving' && !Number.isInteger(n))) return saving(n, unit)
  return `${number(n, l)} ${unit}`.trim()
}
