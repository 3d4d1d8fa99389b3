import { Button } from '@mantine/core'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { send } from '@/api/client'
import { Icon } from '@/parts/icon'
import { LogText } from '@/parts/log-text'
import { useTexts } from './texts'
import type { Implied } from './types'
import css from './page.module.css'

/** What services need besides, asked as one types. */
export function WishImplies({ services, onAdd }: { services: string[]; onAdd: (service: string) => void }) {
  const t = useTexts()
  const asked = useQuery({
    queryKey: ['/api/register/implied', services],
    queryFn: () => send('post', '/api/register/implied', { body: { services } }),
    enabled: services.length > 0,
    placeholderData: keepPreviousData,
  })
  const a = asked.data
  return (
    <section className={css.implies} aria-live="polite" aria-label={t('implies')}>
      <h2>{t('implies')}</h2>
      {services.length > 0 && a && (
        <>
          {a.implied.length === 0 && a.unknown.length < services.length && <p className="dim">{t('impliesNone')}</p>}
          <ImpliedList of={a.implied} onAdd={onAdd} />
          {a.unknown.length > 0 && <p className={`unknown ${css.state}`}>{t('impliesUnknown', { count: a.unknown.length, services: a.unknown.join(', ') })}</p>}
        </>
      )}
    </section>
  )
}

/** A sentence for each service that is needed, with where that is said. */
export function ImpliedList({ of, onAdd }: { of: Implied[]; onAdd?: (service: string) => void }) {
  const t = useTexts()
  return (
    <ul className={css.implied}>
      {of.map((i) => (
        <li key={i.service} data-always={i.always || undefined}>
          <span>
            <LogText wrap>{i.text}</LogText>{' '}
            <span className="dim">
              <LogText>{i.service}</LogText> · {t(i.always ? 'impliesAlways' : 'impliesSometimes')} ·{' '}
              {i.source.startsWith('https://') ? (
                <a href={i.source} target="_blank" rel="noopener noreferrer">{t('source')} <Icon name="external" size={10} /></a>
              ) : (
                t('seen')
              )}
            </span>
          </span>
          {onAdd && <Button variant="default" size="compact-xs" aria-label={`${t('impliesAdd')}: ${i.service}`} onClick={() => onAdd(i.service)}>{t('impliesAdd')}</Button>}
        </li>
      ))}
    </ul>
  )
}
