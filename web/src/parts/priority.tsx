import { Tooltip } from '@mantine/core'
import type { Part } from '@/api/contract'
import { useParts } from './texts'
import css from './priority.module.css'

/**
 * A priority and what it is made of. It is a product, so each part is drawn as what
 * it takes away: the bar that is left is the priority, and the steps beside it are
 * as wide as what severity, confidence and the rest cost.
 */
export function Priority({ value, parts }: { value: number; parts: readonly Part[] }) {
  const t = useParts()
  let left = 100
  const cost = parts.map((p) => {
    const after = left * Math.min(Math.max(p.value, 0), 1)
    const c = { ...p, took: left - after }
    left = after
    return c
  })
  return (
    <Tooltip
      label={
        <div className={css.tip}>
          <b>{t('priority', { n: value })}</b>
          {cost.map((p) => (
            <div key={p.name}>
              {t('of', { name: t.word('part', p.name), value: p.value })} <span className={css.why}>{p.why}</span>
            </div>
          ))}
        </div>
      }
    >
      <span className={css.priority} role="img" aria-label={t('priority', { n: value })}>
        <span className={css.number}>{value}</span>
        <svg className={css.bar} viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
          <rect className={css.rest} width={Math.max(value, 0)} height="6" />
          {
            cost.reduceRight<{ at: number; out: React.ReactNode[] }>(
              (a, p) => {
                a.out.push(<rect key={p.name} className={css.took} x={a.at + 0.6} width={Math.max(p.took - 0.6, 0)} height="6" />)
                return { at: a.at + p.took, out: a.out }
              },
              { at: left, out: [] },
            ).out
          }
        </svg>
      </span>
    </Tooltip>
  )
}
