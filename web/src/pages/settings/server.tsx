import { Checkbox } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { get } from '@/api/client'
import { LogText } from '@/parts/log-text'
import { To } from '@/parts/links'
import { Page, Section } from '@/parts/page'
import { Asked } from '@/parts/states'
import { When } from '@/parts/when'
import { Shows } from './shows'
import { useTexts } from './texts'
import css from './page.module.css'

/** Where logs come from, and the configuration as it holds. */
export function Server() {
  const t = useTexts()
  const asked = useQuery(get('/api/settings'))
  const sources = useQuery(get('/api/sources'))
  const [own, setOwn] = useState(false)
  const d = asked.data
  return (
    <Page
      title={t('title')} answer={!d ? t('title') : d.file ? t('serverAnswer', { count: d.settings.filter((s) => !s.default).length }) : t('serverNoFile')}
      more={d?.file && t.rich('serverFile', { file: <LogText wrap mono>{d.file}</LogText> })}
    >
      <Shows />
      <Section title={t('sources')} actions={<To href="/ledger">{t('sources')} →</To>}>
        <Asked of={sources} lines={2}>
          {({ sources }) =>
            sources.length === 0 ? (
              <p className="dim">{t('sourcesNone')}</p>
            ) : (
              <table className={css.table}>
                <tbody>
                  {sources.map((s) => (
                    <tr key={s.name}>
                      <td className={css.key}>
                        <LogText wrap mono>{s.name}</LogText>
                      </td>
                      <td>
                        <span className={css.state} data-state={s.state}>{t.word('state', s.state)}</span> {s.since && <When at={s.since} />}
                        {s.errors > 0 && <span className="dim"> · {t('errors', { count: s.errors })}</span>}
                        {s.reason && <div><LogText wrap>{s.reason}</LogText></div>}
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            )
          }
        </Asked>
      </Section>
      <Section title={t('configuration')} note={t('configurationNote')} actions={<Checkbox size="xs" label={t('onlyOwn')} checked={own} onChange={(e) => setOwn(e.currentTarget.checked)} />}>
        <Asked of={asked} lines={12}>
          {({ settings, version, data }) => (
            <>
              <table className={css.table}>
                <thead>
                  <tr>
                    <th className={css.key}>{t('setting')}</th>
                    <th>{t('value')}</th>
                  </tr>
                </thead>
                <tbody>
                  {settings.filter((s) => !own || !s.default).map((s) => (
                    <tr key={s.key} className={s.default ? css.default : undefined}>
                      <td className="mono">{s.key}</td>
                      <td>
                        <LogText wrap mono>{s.value}</LogText> {s.default && <span className="faint">({t('byDefault')})</span>}
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
              <p className="dim">{t.rich('version', { version, data: <LogText wrap mono>{data}</LogText> })}</p>
            </>
          )}
        </Asked>
      </Section>
    </Page>
  )
}
