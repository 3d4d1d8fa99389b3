import { SegmentedControl } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { send } from '@/api/client'
import type { Finding } from '@/api/contract'
import { number } from '@/app/format'
import { FindingLink } from '@/parts/finding'
import { Severity, severities } from '@/parts/severity'
import { Failed, Loading } from '@/parts/states'
import { serverNow, When } from '@/parts/when'
import { everything } from './scope'
import { useTexts } from './texts'
import css from './page.module.css'

const ranges = ['30', '90', '365'] as const

/** The shortest of the ranges that a time lies in. */
export function rangeOf(at: string | undefined, now: number): string {
  const days = at ? (now - new Date(at).getTime()) / 86_400_000 : 0
  return ranges.find((r) => days < Number(r)) ?? '365'
}

/** What a scope would explain, asked as one types. */
export function usePreview(scope: string, days: string) {
  const [asking] = useDebouncedValue(scope.trim(), 300)
  const asked = useQuery({
    queryKey: ['/api/exceptions/preview', { scope: asking, days }],
    queryFn: () => send('post', '/api/exceptions/preview', { body: { scope: asking, since: new Date(serverNow().getTime() - Number(days) * 86_400_000).toISOString() } }),
    enabled: !everything(asking),
    placeholderData: keepPreviousData,
    retry: false,
  })
  return { asked, waiting: asking !== scope.trim() || asked.isPlaceholderData }
}

interface Props {
  asked: ReturnType<typeof usePreview>['asked']
  waiting: boolean
  days: string
  onDays: (days: string) => void
  none: boolean
}

export function PreviewBox({ asked, waiting, days, onDays, none }: Props) {
  const t = useTexts()
  const p = asked.data
  return (
    <section className={css.preview} aria-label={t('preview')} data-old={waiting || undefined} aria-busy={waiting}>
      <div className={css.row}>
        <h2>{t('preview')}</h2>
        <SegmentedControl size="xs" aria-label={t('previewRange')} value={days} onChange={onDays} data={ranges.map((r) => ({ value: r, label: t(`range.${r}`) }))} />
      </div>
      {none ? (
        <p className="dim">{t('previewWaits')}</p>
      ) : asked.error ? (
        <Failed error={asked.error} />
      ) : !p ? (
        <Loading lines={4} />
      ) : (
        <>
          <p className={css.would} role="status">
            {p.findings ? t('would', { count: p.findings, critical: p.critical, days: Number(days) }) : t('wouldNone', { days: Number(days) })}
          </p>
          {p.findings > 0 && (
            <>
              <p className="dim">
                {t('wouldOpen', { count: p.open })} {p.explained > 0 && t('wouldExplained', { count: p.explained })}
              </p>
              {p.critical > 0 && <p className={css.warn}>{t('wouldCritical')}</p>}
              <p className={css.bySeverity}>
                {severities.filter((s) => p.by_severity[s]).map((s) => (
                  <span key={s}>
                    <Severity of={s} word /> <b>{number(Number(p.by_severity[s]), t.language)}</b>
                  </span>
                ))}
              </p>
              <h3>{t('sample')}</h3>
              <Sample of={p.sample} />
            </>
          )}
        </>
      )}
    </section>
  )
}

/** A few findings, one a line. */
export function Sample({ of }: { of: Finding[] }) {
  return (
    <ul className={css.sample}>
      {of.slice(0, 12).map((f) => (
        <li key={f.key}>
          <Severity of={f.severity} />
          <FindingLink of={f} />
          <span className="dim">
            <When at={f.last_seen} />
          </span>
        </li>
      ))}
    </ul>
  )
}
