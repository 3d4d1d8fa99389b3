import { Button } from '@mantine/core'
import type { Finding } from '@/api/contract'
import { decisionOf, useTriage, type Choice } from '@/app/triage'
import { manyAtOnce } from '@/app/use-list'
import { useTriageTexts } from '@/app/triage.texts'
import { DecideButtons } from '@/parts/decide'
import type { Aside } from './ask'
import { useTexts } from './texts'
import css from './page.module.css'

interface Props {
  count: number
  total: number
  findings: Finding[]
  everything: boolean
  onEverything: () => void
  onNone: () => void
  q: string
  aside: Aside
  asking: Choice | undefined
  onAsk: (c: Choice | undefined) => void
}

/** What to do with all that is selected. More than the page shows is asked about first. */
export function Bulk({ count, total, findings, everything, onEverything, onNone, q, aside, asking, onAsk }: Props) {
  const t = useTexts()
  const triage = useTriageTexts()
  const { choose, decideAll, me } = useTriage()
  const named: Record<Choice, string> = {
    expected: triage('expected'), false_positive: triage('falsePositive'), true_positive: triage('truePositive'), mine: triage('mine'), reopen: triage('reopen'),
  }
  const run = (c: Choice) => {
    onAsk(undefined)
    if (everything) void decideAll({ q, ...aside }, total, decisionOf(c, me), `${named[c]}: ${t('allChosen', { n: total })}`)
    else void choose(findings, c)
    onNone()
  }
  return (
    <div className={css.bulk} role="region" aria-label={t('chosen', { count })}>
      {asking ? (
        <>
          <span>
            <b>{t('sure', { what: named[asking], n: count })}</b> <span className="dim">{t('sureMore')}</span>
          </span>
          <Button autoFocus onClick={() => run(asking)}>{t('go')}</Button>
          <Button variant="default" onClick={() => onAsk(undefined)}>
            {t('no')}
          </Button>
        </>
      ) : (
        <>
          <b>{everything ? t('allChosen', { n: total }) : t('chosen', { count })}</b>
          <DecideButtons choose={(c) => (count > manyAtOnce ? onAsk(c) : run(c))} small />
          {!everything && count < total && (
            <Button variant="subtle" onClick={onEverything}>
              {t('chooseAll', { n: total })}
            </Button>
          )}
          <Button variant="subtle" color="gray" onClick={onNone}>
            {t('unselect')}
          </Button>
        </>
      )}
    </div>
  )
}
