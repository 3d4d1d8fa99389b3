import { Button } from '@mantine/core'
import type { ReactNode } from 'react'
import { Problem } from '@/api/client'
import { useParts } from './texts'
import css from './states.module.css'

/** Where there is nothing: what that means, and what to do. */
export function Nothing({ title, children, action }: { title: ReactNode; children?: ReactNode; action?: ReactNode }) {
  return (
    <div className={css.nothing} role="status">
      <h2>{title}</h2>
      {children && <p className="dim">{children}</p>}
      {action && <div className={css.action}>{action}</div>}
    </div>
  )
}

/** What a person can make of an error. */
export function useProblem(): (error: unknown) => string {
  const t = useParts()
  return (error) => {
    if (!(error instanceof Problem)) return t('failed', { detail: error instanceof Error ? error.message : String(error) })
    switch (error.status) {
      case 0:
        return t('unreachable')
      case 403:
        return error.detail ? `${t('refused')} ${error.detail}` : t('refused')
      case 404:
        return t('gone')
      case 412:
        return t('changed')
      case 501:
        return t('notKept')
      case 400:
      case 409:
      case 422:
        return [error.detail, ...error.details.map((d) => d.message).filter((m) => !error.detail.includes(m))].filter(Boolean).join(' · ')
    }
    return t('failed', { detail: error.detail })
  }
}

/** An answer that did not come, in place of what it would have shown. */
export function Failed({ error, retry }: { error: unknown; retry?: () => void }) {
  const t = useParts()
  const problem = useProblem()
  return (
    <div className={css.failed} role="alert">
      <span>{problem(error)}</span>
      {retry && (
        <Button variant="default" size="compact-xs" onClick={retry}>
          {t('retry')}
        </Button>
      )}
    </div>
  )
}

/** Lines in place of what is on its way. It shows after a moment, so that quick answers do not flash. */
export function Loading({ lines = 5 }: { lines?: number }) {
  const t = useParts()
  return (
    <div className={css.loading} role="status" aria-label={t('loading')}>
      {Array.from({ length: lines }, (_, i) => (
        <div key={i} className={css.line} />
      ))}
    </div>
  )
}

interface Asked<T> {
  data: T | undefined
  error: unknown
  refetch?: () => unknown
}

/**
 * What was asked, once it is there. What was seen before stays while it is asked
 * again, also when that fails: then the failure stands above it.
 */
export function Asked<T>({ of, lines, children }: { of: Asked<T>; lines?: number; children: (data: T) => ReactNode }) {
  return (
    <>
      {of.error ? <Failed error={of.error} retry={of.refetch ? () => void of.refetch?.() : undefined} /> : null}
      {of.data !== undefined ? children(of.data) : of.error ? null : <Loading lines={lines} />}
    </>
  )
}
