import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { get } from '@/api/client'
import { useDashboards } from '@/pages/search/views'
import { LogText } from '@/parts/log-text'
import { Page, Section } from '@/parts/page'
import { Asked } from '@/parts/states'
import { useTexts } from './texts'
import css from './page.module.css'

/** Every dashboard there is: those of files, and those that people put together here. */
export function Boards() {
  const t = useTexts()
  const files = useQuery(get('/api/dashboards'))
  const own = useDashboards()
  const count = (files.data?.dashboards.length ?? 0) + (own.data?.length ?? 0)
  return (
    <Page title={t('title')} answer={files.data ? t('answer', { count }) : t('title')}>
      <Section title={t('shipped')} note={t('shippedMore')}>
        <Asked of={files}>
          {(all) => (
            <ul className={css.list}>
              {all.dashboards.map((d) => (
                <li key={d.id}>
                  <Link to="/dashboards/$id" params={{ id: d.id }}><LogText>{d.title}</LogText></Link>
                  <span><LogText wrap>{d.description}</LogText></span>
                  <span className="dim">{t('panels', { count: d.panels.length })}{!d.builtin && `, ${t('file')}`}</span>
                </li>
              ))}
            </ul>
          )}
        </Asked>
      </Section>
      {!!own.data?.length && (
        <Section title={t('own')}>
          <ul className={css.list}>
            {own.data.map((d) => (
              <li key={d.id}>
                <Link to="/search/dashboards/$id" params={{ id: d.id }}><LogText>{d.title}</LogText></Link>
                <span className="dim">{t('panels', { count: d.panels.length })}</span>
              </li>
            ))}
          </ul>
        </Section>
      )}
    </Page>
  )
}
