import { useQuery } from '@tanstack/react-query'
import { get } from '@/api/client'
import { number } from '@/app/format'
import { LogText } from '@/parts/log-text'
import { Severity, severities } from '@/parts/severity'
import { Asked } from '@/parts/states'
import { When } from '@/parts/when'
import { Sample } from './preview'
import { useTexts } from './texts'
import type { Window } from './types'
import css from './page.module.css'

/** What fell into a window, and what happened beside it. */
export function Summary({ of: w }: { of: Window }) {
  const t = useTexts()
  const asked = useQuery(get('/api/windows/{id}/summary', { path: { id: w.id } }))
  return (
    <section className={css.preview} aria-label={t('summary')}>
      <h2>{t('summary')}</h2>
      <Asked of={asked} lines={4}>
        {(s) => (
          <>
            <p className={css.would}>
              <LogText wrap>{s.text}</LogText>
            </p>
            {Object.keys(s.by_severity).length > 0 && (
              <p className={css.bySeverity}>
                {severities.filter((v) => s.by_severity[v]).map((v) => (
                  <span key={v}>
                    <Severity of={v} word /> <b>{number(Number(s.by_severity[v]), t.language)}</b>
                  </span>
                ))}
              </p>
            )}
            {s.sample.length > 0 && (
              <>
                <h3>{t('sampleExplained')}</h3>
                <Sample of={s.sample} />
              </>
            )}
            {s.times.length > 0 && (
              <>
                <h3>{s.beside ? t('unforeseen', { count: s.beside }) : t('unforeseenNone')}</h3>
                <Sample of={s.unforeseen} />
                <h3>{t('times', { count: s.times.length })}</h3>
                <ul className={css.list}>
                  {s.times.slice(0, 8).map((x) => (
                    <li key={x.start} className="dim">
                      <When at={x.start} as="exact" /> – <When at={x.end} as="exact" /> UTC
                    </li>
                  ))}
                </ul>
              </>
            )}
          </>
        )}
      </Asked>
    </section>
  )
}
