import { Tooltip } from '@mantine/core'
import { useSyncExternalStore } from 'react'
import { ago, exact, second, valid } from '@/app/format'
import { useParts } from './texts'

/** One clock for the page, so that all that is "3 minutes ago" turns at once. */
let now = new Date()
let ahead = 0
const hearers = new Set<() => void>()

/** The server's clock as of now: a demo lives in its own time, and a laptop's clock may be wrong. */
export function serverNow(): Date {
  return new Date(Date.now() + ahead)
}

/** Takes the server's clock over: what it said, and when that was heard here. */
export function setClock(said: string, heard: number) {
  if (!valid(said)) return
  ahead = new Date(said).getTime() - heard
  turn()
}

function turn() {
  now = serverNow()
  hearers.forEach((h) => h())
}
setInterval(turn, 30_000)

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
  const by = valid(at) && new Date(at) > now ? serverNow() : now
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
