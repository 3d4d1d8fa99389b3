import { useQuery } from '@tanstack/react-query'
import { get, Problem } from '@/api/client'
import { number } from '@/app/format'
import { money, price, saving } from '@/app/money'
import { Field, Fields } from '@/parts/field'
import { LogText } from '@/parts/log-text'
import { Section } from '@/parts/page'
import { Asked } from '@/parts/states'
import { useTexts } from './texts'
import type { Price, Self } from './types'
import css from './page.module.css'

/** What this server itself takes, and the prices that all amounts are worked out with. */
export function PricesPart() {
  const t = useTexts()
  const prices = useQuery(get('/api/cost/prices'))
  return (
    <>
      <SelfPart />
      <Section title={t('prices')} note={t('pricesNote')}>
        <Asked of={prices} lines={10}>{(p) => <Prices of={p.prices} />}</Asked>
      </Section>
    </>
  )
}

function SelfPart() {
  const t = useTexts()
  const self = useQuery({ ...get('/api/cost/self'), retry: false })
  return (
    <Section title={t('self')}>
      {self.error instanceof Problem && self.error.status === 403 ? <p className="dim">{t('selfNotYours')}</p> : <Asked of={self} lines={3}>{(s) => <Ourselves of={s} />}</Asked>}
    </Section>
  )
}

const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'] as const

function Ourselves({ of: s }: { of: Self }) {
  const t = useTexts()
  const step = Math.min(Math.floor(Math.log10(Math.max(s.bytes, 1)) / 3), units.length - 1)
  const size = new Intl.NumberFormat(t.language, { style: 'unit', unit: units[step], maximumFractionDigits: 1 }).format(s.bytes / 1000 ** step)
  return (
    <>
      <Fields>
        <Field name={t('selfBytes')}>{size}</Field>
        <Field name={t('selfEvents')}>{number(s.events, t.language)}</Field>
        <Field name={t('selfCost')}>{s.month === undefined ? <span className={`unknown ${css.gap}`}>{t('selfNoPrice')}</span> : money(s.month, s.currency)}</Field>
        <Field name={t('selfFound')}>{s.saving_month === undefined ? <span className={`unknown ${css.gap}`}>{t('unknown')}</span> : saving(s.saving_month, s.currency)}</Field>
      </Fields>
      {s.said.length > 0 && <ul className={css.said}>{s.said.map((x, i) => <li key={i}><LogText wrap>{x}</LogText></li>)}</ul>}
    </>
  )
}

function Prices({ of }: { of: readonly Price[] }) {
  const t = useTexts()
  const each = (n: number, p: Price) => price(n, p.currency)
  return (
    <div className={css.scroll} tabIndex={0} role="region" aria-label={t('prices')}>
      <table className={css.table}>
        <thead>
          <tr>
            <th>{t('service')}</th>
            <th>{t('item')}</th>
            <th>{t('price')}</th>
            <th>{t('where')}</th>
            <th>{t('sure')}</th>
            <th>{t('source')}</th>
          </tr>
        </thead>
        <tbody>
          {of.map((p, i) => (
            <tr key={i}>
              <td><LogText>{p.service}</LogText></td>
              <td><LogText wrap>{p.item.replaceAll('_', ' ')}</LogText>{p.unit && <div className="dim"><LogText wrap>{p.unit}</LogText></div>}</td>
              <td className={css.price}>
                {p.tiers.map((x, k) => (
                  <div key={k}>{p.tiers.length === 1 ? each(x.each, p) : x.up_to === undefined ? t('beyond', { each: each(x.each, p) }) : t('upTo', { each: each(x.each, p), quantity: x.up_to })}</div>
                ))}
              </td>
              <td className={css.where}><LogText wrap>{p.regions.map((r) => (r === '*' ? t('everywhere') : r)).join(', ')}</LogText></td>
              <td className={p.confidence === 'low' ? `unknown ${css.weak}` : undefined}>{t(`sure.${p.confidence}`)}</td>
              <td>
                {p.source.url.startsWith('https://') ? <a href={p.source.url} target="_blank" rel="noopener noreferrer"><LogText most={40}>{p.source.title}</LogText></a> : <LogText most={40}>{p.source.title}</LogText>}{' '}
                {p.source.date && <span className="dim">{t('readOn', { date: p.source.date })}</span>}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
