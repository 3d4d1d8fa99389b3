import { Button } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { send } from '@/api/client'
import type { Decision, Finding } from '@/api/contract'
import { toast } from '@/app/toast'
import { useTriage } from '@/app/triage'
import { useTriageTexts } from '@/app/triage.texts'
import { LogText } from '@/parts/log-text'
import { useProblem } from '@/parts/states'
import { When } from '@/parts/when'
import { useTexts } from './texts'
import css from './page.module.css'

/** Who decided what, the latest first; what was taken back stays, struck out. */
export function History({ of: f }: { of: Finding }) {
  const t = useTexts()
  const words = useTriageTexts()
  const { may } = useTriage()
  const queries = useQueryClient()
  const problem = useProblem()
  if (f.decisions.length === 0) return <p className="dim">{t('historyNone')}</p>
  const said = (d: Decision) =>
    [
      d.verdict && t('did.verdict', { what: words.word('verdict', d.verdict) + (d.reason ? ` (${words.word('reason', d.reason)})` : '') }),
      d.status && t('did.status', { what: words.word('status', d.status) }),
      d.cause && t('did.cause', { what: words.word('cause', d.cause) }),
      d.assignee && t('did.assignee', { what: d.assignee }),
      d.undoes && t('did.undoes'),
    ].filter(Boolean)
  const undo = async (id: string) => {
    try {
      await send('post', '/api/decisions/undo', { body: { id } })
    } catch (e) {
      toast({ text: problem(e), bad: true })
    }
    await queries.invalidateQueries()
  }
  return (
    <ol className={css.history}>
      {f.decisions.toReversed().map((d, i) => (
        <li key={d.id ?? i} data-undone={d.undone || undefined}>
          <div className="dim">
            <LogText>{d.by}</LogText> · <When at={d.at} /> {d.undone && `· ${t('undone')}`}
            {may && d.id && !d.undone && !d.undoes && (
              <Button variant="subtle" size="compact-xs" onClick={() => void undo(d.id ?? '')}>
                {t('undo')}
              </Button>
            )}
          </div>
          {said(d).map((s) => (
            <div key={String(s)} className={css.did}>{s}</div>
          ))}
          {d.comment && (
            <p className={css.did}>
              <LogText wrap>{d.comment}</LogText>
            </p>
          )}
        </li>
      ))}
    </ol>
  )
}
