import { Fragment } from 'react'
import { term } from '@/app/filter'
import { number } from '@/app/format'
import { searchAddress, To } from '@/parts/links'
import { LogText } from '@/parts/log-text'
import { Nothing } from '@/parts/states'
import type { ByFormat } from './days'
import { useTexts } from './texts'
import css from './page.module.css'

/** What became of the records of each format, and why some are in quarantine. */
export function Formats({ of }: { of: ByFormat }) {
  const t = useTexts()
  if (of.formats.length === 0) return <Nothing title={t('formatsNone')} />
  const n = (x: number) => number(x, t.language)
  return (
    <>
      <div className={css.scroll}>
        <table className={css.table}>
          <thead>
            <tr>
              <th>{t('format')}</th>
              {(['objects', 'read', 'stored', 'twice', 'held', 'expired'] as const).map((x) => <th key={x} className="num">{t(x)}</th>)}
            </tr>
          </thead>
          <tbody>
            {of.formats.map((f) => (
              <Fragment key={f.format}>
                <tr>
                  <td>{f.format ? <To href={searchAddress(term('format', f.format))}><LogText>{f.format}</LogText></To> : <span className="unknown" title={t('formatUnknownDoes')}>{t('formatUnknown')}</span>}</td>
                  {[f.objects, f.read, f.stored, f.duplicate].map((x, i) => <td key={i} className="num">{n(x)}</td>)}
                  <td className="num">{f.quarantined ? <b>{n(f.quarantined)}</b> : n(0)}</td>
                  <td className="num">{n(f.expired)}</td>
                </tr>
                {f.reasons.length > 0 && (
                  <tr>
                    <td colSpan={7} className={css.reason}>
                      {f.reasons.map((r, i) => <p key={i} className="dim"><b className="num">{n(r.records)}</b> <LogText wrap>{r.reason}</LogText></p>)}
                      {f.other_reasons > 0 && <p className="dim">{t('otherReasons', { count: f.other_reasons })}</p>}
                    </td>
                  </tr>
                )}
              </Fragment>
            ))}
          </tbody>
        </table>
      </div>
      {of.aside > 0 && <p className="dim">{t('aside', { count: of.aside })}</p>}
    </>
  )
}
