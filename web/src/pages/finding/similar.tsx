import { useQuery } from '@tanstack/react-query'
import { get } from '@/api/client'
import type { Finding } from '@/api/contract'
import { useTriageTexts } from '@/app/triage.texts'
import { FindingLink, Standing } from '@/parts/finding'
import { LogText } from '@/parts/log-text'
import { Section } from '@/parts/page'
import { Severity } from '@/parts/severity'
import { Asked } from '@/parts/states'
import { When } from '@/parts/when'
import { useTexts } from './texts'
import css from './page.module.css'

/** What is like it, and what people said of that. */
export function Similar({ of: f }: { of: Finding }) {
  const t = useTexts()
  const words = useTriageTexts()
  const similar = useQuery(get('/api/findings/{key}/similar', { path: { key: f.key } }))
  return (
    <Section title={t('similar')}>
      <Asked of={similar} lines={3}>
        {(a) =>
          a.similar.length === 0 ? (
            <p className="dim">{t('similarNone')}</p>
          ) : (
            <ul className={css.similar}>
              {a.similar.map(({ finding, why, alike }) => (
                <li key={finding.key}>
                  <Severity of={finding.severity} />
                  <span className={css.grow}>
                    <FindingLink of={finding} />
                    <span className="dim"> {alike ? t.word('alike', alike) : <LogText wrap>{why}</LogText>}</span>
                  </span>
                  <span>
                    <Standing of={finding} />
                    {finding.verdict_reason && <span className="dim"> ({words.word('reason', finding.verdict_reason)})</span>}
                  </span>
                  <span className="dim num"><When at={finding.last_seen} /></span>
                </li>
              ))}
            </ul>
          )
        }
      </Asked>
    </Section>
  )
}
