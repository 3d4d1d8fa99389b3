import { useQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { useMemo } from 'react'
import { get } from '@/api/client'
import { term } from '@/app/filter'
import { ago, day, number, percent, second } from '@/app/format'
import { Outcome } from '@/parts/event'
import { useEventTexts } from '@/parts/event.texts'
import { Field, Fields } from '@/parts/field'
import { FindingLink, Standing } from '@/parts/finding'
import { Icon } from '@/parts/icon'
import { address, searchAddress, To } from '@/parts/links'
import { LogText } from '@/parts/log-text'
import { Page, Section } from '@/parts/page'
import { Severity } from '@/parts/severity'
import { Asked } from '@/parts/states'
import { column, Table } from '@/parts/table'
import { useNow, When } from '@/parts/when'
import { Bands } from './bands'
import { HeatMap } from './heat'
import { Maturity, secretAddress } from './page'
import { useTexts, type SecretsTexts } from './texts'
import type { SecretDetail } from './types'
import css from './one.module.css'

const page = getRouteApi('/in/secrets/one')
const gapsShown = 12

export function SecretPage() {
  const t = useTexts()
  const words = useEventTexts()
  const { resource = '' } = page.useSearch()
  const one = useQuery({ ...get('/api/secrets/detail', { query: { resource } }), enabled: !!resource })
  const d = one.data
  const name = <LogText most={70}>{d?.name ?? resource}</LogText>
  const [top] = d?.callers ?? []
  return (
    <Page
      title={d?.name ?? t('title')}
      answer={!d ? name : top ? t.rich('used', { name, count: d.actors, n: number(d.actors, t.language), caller: words.word('caller', top.caller) }) : t.rich('unused', { name })}
      more={d && <LogText copy mono most={110}>{d.resource}</LogText>}
      actions={
        <>
          <To href="/secrets" className={css.back}><Icon name="left" size={11} /> {t('back')}</To>
          {d && <To href={searchAddress(anyOf(d.forms))}>{t('searchUses')}</To>}
        </>
      }
    >
      <Asked of={one} lines={12}>{(d) => <Detail of={d} />}</Asked>
    </Page>
  )
}

/** A filter that any name of it satisfies. */
export function anyOf(forms: readonly string[]): string {
  if (forms.length <= 1) return forms.map((f) => term('resource', f)).join('')
  return `resource:(${forms.map((f) => term('resource', f).slice('resource:'.length)).join(' or ')})`
}

function Detail({ of: d }: { of: SecretDetail }) {
  const t = useTexts()
  return (
    <>
      {d.unseen && <p role="note" className={`unknown ${css.note}`}><b>{t('unseen')}</b> {d.unseen.text}</p>}
      <Facts of={d} />
      <div className={css.pictures}>
        <HeatMap of={d} />
        <Bands of={d} />
      </div>
      <FindingsOn of={d} />
      <Who of={d} />
      <div className={css.columns}>
        <Group of={d} />
        <Failures of={d} />
        <Gaps of={d} />
      </div>
    </>
  )
}

function Facts({ of: d }: { of: SecretDetail }) {
  const t = useTexts()
  const others = d.forms.filter((f) => f !== d.resource)
  const now = useNow()
  const never = d.unseen ? <span className={`unknown ${css.note}`}>{t('unseenUse')}</span> : t('noUseSeen')
  return (
    <Fields>
      <Field name={t('fact.kind')}>{t(`kind.${d.kind}`)}{!d.confirmed && <span className="dim"> · {t('unconfirmed')}</span>}</Field>
      <Field name={t('fact.account')}>
        <To href={address('/secrets', { account: d.account })}><LogText>{d.account}</LogText></To> {d.account_name && <LogText>{d.account_name}</LogText>}
      </Field>
      <Field name={t('fact.region')}><LogText>{d.region}</LogText></Field>
      <Field name={t('fact.usedIn')}><LogText wrap>{d.regions.join(', ')}</LogText></Field>
      <Field name={t('fact.lastUse')}>{d.last_use ? <When at={d.last_use} /> : never}</Field>
      <Field name={t('fact.quiet')}>
        {d.quiet_days < 0 ? never : t('days', { count: d.quiet_days })}
        {d.unknown_days > 0 && !d.unseen && <> <span className={`unknown ${css.note}`}>{t('unknownDays', { count: d.unknown_days })}</span></>}
      </Field>
      <Field name={t('fact.firstSeen')}><When at={d.first_seen} /></Field>
      <Field name={t('fact.created')}>{d.created ? <When at={d.created} /> : <span className="dim">{t('unknownCreated')}</span>}</Field>
      <Field name={t('fact.uses')}>{d.unseen ? never : number(d.calls, t.language)}</Field>
      <Field name={t('fact.failures')}>{d.unseen ? never : number(d.failures, t.language)}</Field>
      <Field name={t('fact.rotation')}>{rotation(t, d, now)}</Field>
      <Field name={t('maturity')}><Maturity of={d.maturity} /></Field>
      {others.length > 0 && <Field name={t('fact.names')}><ul className={css.names}>{others.map((f) => <li key={f}><LogText mono copy wrap>{f}</LogText></li>)}</ul></Field>}
    </Fields>
  )
}

function rotation(t: SecretsTexts, d: SecretDetail, now: Date): string {
  if (d.rotation.calls === 0 || !d.rotation.last) return t('notRotated', { since: day(d.since, t.language) })
  return t('rotated', { count: d.rotation.calls, when: ago(d.rotation.last, now, t.language) })
}

function FindingsOn({ of: d }: { of: SecretDetail }) {
  const t = useTexts()
  return (
    <Section
      title={t('findingsOn')}
      actions={d.finding_list.length > 0 && <To href={address('/findings', { q: anyOf(d.forms), show: 'all' })}>{t('findingsAll')}</To>}
    >
      {d.finding_list.length === 0 ? (
        <p className="dim">{t('findingsNone')}</p>
      ) : (
        <ul className={css.findings}>
          {d.finding_list.slice(0, 12).map((f) => (
            <li key={f.key}>
              <Severity of={f.severity} /> <span className={css.title}><FindingLink of={f} /></span> <Standing of={f} /> <When at={f.last_seen} />
            </li>
          ))}
        </ul>
      )}
    </Section>
  )
}

type Use = SecretDetail['actor_use'][number]

function Who({ of: d }: { of: SecretDetail }) {
  const t = useTexts()
  const words = useEventTexts()
  const resource = anyOf(d.forms)
  const columns = useMemo(
    () => [
      column<Use>('actor', t('principal'), (u) => <LogText name most={60} copy>{u.actor}</LogText>, { grow: 4, by: (u) => u.actor }),
      column<Use>('caller', t('from'), (u) => words.word('caller', u.caller), { width: 110, by: (u) => u.caller }),
      column<Use>('calls', t('calls'), (u) => number(u.calls, t.language), { width: 80, right: true, by: (u) => u.calls }),
      column<Use>('failures', t('failed'), (u) => number(u.failures, t.language), { width: 70, right: true, above: 520, by: (u) => u.failures }),
      column<Use>('first', t('first'), (u) => <When at={u.first} />, { width: 100, right: true, above: 700, by: (u) => u.first }),
      column<Use>('last', t('last'), (u) => <When at={u.last} />, { width: 100, right: true, by: (u) => u.last }),
      column<Use>('search', '', (u) => <To href={searchAddress(`${term('actor', u.actor)} ${resource}`)}>{t('search')}</To>, { width: 70, above: 420 }),
    ],
    [t, words, resource],
  )
  return (
    <Section title={t('who')}>
      <Table
        label={t('who')} rows={d.actor_use} columns={columns} rowKey={(u) => `${u.actor} ${u.caller}`} height={300} empty={<p className="dim">{t('noUse')}</p>} cardHeight={58}
        card={(u) => (
          <>
            <div><LogText name most={40}>{u.actor}</LogText></div>
            <div className="dim">{words.word('caller', u.caller)} · {t('calls')} {number(u.calls, t.language)} · <When at={u.last} /></div>
          </>
        )}
      />
    </Section>
  )
}

function Group({ of: d }: { of: SecretDetail }) {
  const t = useTexts()
  return (
    <Section title={t('group')} note={t('groupNote')}>
      {d.group.length === 0 ? (
        <p className="dim">{t('groupNone')}</p>
      ) : (
        <table className={css.table}>
          <thead><tr><th>{t('name')}</th><th className="num" title={t('togetherDoes')}>{t('together')}</th></tr></thead>
          <tbody>
            {d.group.slice(0, 15).map((m) => (
              <tr key={m.resource}>
                <td><span className={css.kind}>{t(`kind.${m.kind}`)}</span> <To href={secretAddress(m.resource)}><LogText most={40}>{m.name}</LogText></To></td>
                <td className="num">{percent(m.together, t.language)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Section>
  )
}

function Failures({ of: d }: { of: SecretDetail }) {
  const t = useTexts()
  return (
    <Section title={t('failures')}>
      {d.failure_kinds.length === 0 ? (
        <p className="dim">{t('failuresNone')}</p>
      ) : (
        <table className={css.table}>
          <thead><tr><th>{t('operation')}</th><th>{t('outcome')}</th><th className="num">{t('calls')}</th><th className="num">{t('last')}</th></tr></thead>
          <tbody>
            {d.failure_kinds.map((f) => (
              <tr key={`${f.operation} ${f.outcome}`}>
                <td><To href={searchAddress(`${anyOf(d.forms)} ${term('operation', f.operation)} ${term('outcome', f.outcome)}`)}><LogText>{f.operation}</LogText></To></td>
                <td><Outcome of={f.outcome} /></td>
                <td className="num">{number(f.calls, t.language)}</td>
                <td className="num"><When at={f.last} /></td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Section>
  )
}

function Gaps({ of: d }: { of: SecretDetail }) {
  const t = useTexts()
  const latest = d.gaps.toSorted((a, b) => b.from.localeCompare(a.from)).slice(0, gapsShown)
  return (
    <Section title={t('gaps')} note={d.gaps.length > 0 ? t(d.unseen ? 'unseen' : 'gapsNote') : undefined}>
      {d.gaps.length === 0 ? (
        <p className="dim">{t('gapsNone')}</p>
      ) : (
        <ul className={css.gaps}>
          {latest.map((g) => (
            <li key={g.from}>
              <i className={`unknown ${css.swatch}`} /> {second(g.from, t.language)} – {second(g.to, t.language)} UTC
              <span className="dim"> {t('gapHours', { count: Math.round((new Date(g.to).getTime() - new Date(g.from).getTime()) / 3_600_000) })}</span>
            </li>
          ))}
          {d.gaps.length > latest.length && <li className="dim">{t('gapsMore', { count: d.gaps.length - latest.length })}</li>}
        </ul>
      )}
    </Section>
  )
}
