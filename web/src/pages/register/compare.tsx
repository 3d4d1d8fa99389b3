import { compact, day, number } from '@/app/format'
import { useMay } from '@/app/session'
import { searchAddress, To } from '@/parts/links'
import { LogText } from '@/parts/log-text'
import { Section } from '@/parts/page'
import { term } from '@/app/filter'
import { useTexts } from './texts'
import { entryAddress, type Comparison, type Line } from './types'
import css from './page.module.css'

/** What is used, applied for and allowed, side by side; what is not known is hatched. */
export function Compare({ of: c }: { of: Comparison }) {
  const t = useTexts()
  const may = useMay('responder')
  const most = Math.max(...c.lines.map((l) => l.calls), 1)
  return (
    <Section title={t('compare')} note={t('compareNote', { since: day(c.since, t.language), until: day(c.until, t.language) })}>
      <div className={css.scroll}>
        <table className={css.compare}>
          <thead>
            <tr>
              <th scope="col">{t('service')}</th>
              <th scope="col">{t('used')}</th>
              <th scope="col">{t('appliedFor')}</th>
              <th scope="col">{t('allowed')}</th>
              <th scope="col">{t('state')}</th>
            </tr>
          </thead>
          <tbody>
            {c.lines.map((l) => (
              <tr key={l.service} data-state={l.state}>
                <th scope="row"><LogText>{l.name}</LogText>{l.name !== l.service && <span className="faint"> <LogText>{l.service}</LogText></span>}</th>
                <td><Used of={l} most={most} comparison={c} /></td>
                <td><Dot yes={l.applied} /></td>
                <td><Dot yes={l.allowed} /></td>
                <td className={css.means}>
                  <LogText wrap>{l.said}</LogText>
                  {l.needed_by.length > 0 && <span className="dim"> {t('neededBy', { services: l.needed_by.join(', ') })}</span>}
                  {may && c.registered && !l.applied && (l.state === 'not_applied' || l.state === 'refused') && (
                    <> <To href={entryAddress(c.project, { show: 'edit', add: l.service })}>{t('addIt')}</To></>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p className={c.allowance ? 'dim' : `unknown ${css.state}`}><LogText wrap>{c.allowed_said}</LogText></p>
    </Section>
  )
}

/** How often it was called, as a bar on a scale of tens, with the refused part marked. */
function Used({ of: l, most, comparison: c }: { of: Line; most: number; comparison: Comparison }) {
  const t = useTexts()
  if (l.calls === 0) return <span className="faint">{t('notUsed')}</span>
  const wide = (Math.log10(l.calls + 1) / Math.log10(most + 1)) * 100
  return (
    <To href={searchAddress(`${term('account', c.project)} ${term('service', l.service)}`, c.since, c.until)} className={css.used}>
      <span className={css.bar}>
        <i style={{ width: `${wide}%` }}>{l.denied > 0 && <b style={{ width: `${(l.denied / l.calls) * 100}%` }} />}</i>
      </span>
      <span className="num">{compact(l.calls, t.language)}</span>
      {l.denied > 0 && <span className={css.refused}>{t('denied', { n: number(l.denied, t.language) })}</span>}
    </To>
  )
}

/** Full, empty, or hatched where it is not known. */
function Dot({ yes }: { yes: boolean | undefined }) {
  const t = useTexts()
  if (yes === undefined) return <span className={`unknown ${css.dot}`} role="img" aria-label={t('unknown')} title={t('unknown')} />
  return <span className={css.dot} data-yes={yes || undefined} role="img" aria-label={t(yes ? 'yes' : 'no')} title={t(yes ? 'yes' : 'no')} />
}
