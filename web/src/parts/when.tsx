import { Tooltip } from '@mantine/core'
import { useSyncExternalStore } from 'react'
import { ago, exact, second, valid } from '@/app/format'
import { useParts } from './texts'

/** One clock for the page, so that all that is "3 minutes ago" turns at once. */
let now = new Date()
const hearers = new Set<() => void>()
setInterval(() => {
  now = new Date()
  hearers.forEach((h) => h())
}, 30_000)

export function useNow(): Date {
  return useSyncExternalStore(
    (h) => {
      hearers.add(h)
      return () => hearers.delete(h)
    },
    () => now,
  )
}

/** A time: relative, and exact in UTC and here when pointed at. */
export function When({ at, as = 'ago' }: { at: string | undefined; as?: 'ago' | 'exact' }) {
  const t = useParts()
  const now = useNow()
  // What just happened is not ahead of a clock that turns twice a minute.
  const by = valid(at) && new Date(at) > now ? new Date() : now
  if (!valid(at)) return <span className="faint">{t('never')}</span>
  return (
    <Tooltip
      label={
        <>
          {t('utc', { at: exact(at, t.language, 'UTC') })}
          <br />
          {t('local', { at: exact(at, t.language) })}
        </>
      }
    >
      <time dateTime={at}>{as === 'ago' ? ago(at, by, t.language) : second(at, t.language)}</time>
    </Tooltip>
  )
}
