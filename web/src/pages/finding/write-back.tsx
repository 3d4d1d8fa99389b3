import { Button } from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { get, send } from '@/api/client'
import { useMay } from '@/app/session'
import { toast } from '@/app/toast'
import { Command } from '@/parts/copy'
import { LogText } from '@/parts/log-text'
import { Asked, useProblem } from '@/parts/states'
import { When } from '@/parts/when'
import { useAlsoTexts } from './also.texts'
import css from './also.module.css'

/**
 * Telling a product what was decided, in two steps: look at exactly what would be
 * sent, then send that. Only responders see it, and nothing is sent by itself.
 */
export function WriteBack({ finding, product }: { finding: string; product: string }) {
  const t = useAlsoTexts()
  const may = useMay('responder')
  const [open, setOpen] = useState(false)
  if (!may) return null
  if (!open) {
    return (
      <Button variant="subtle" size="compact-xs" aria-label={t('telling', { product })} onClick={() => setOpen(true)}>
        {t('tell', { product })} …
      </Button>
    )
  }
  return <Plan finding={finding} product={product} close={() => setOpen(false)} />
}

function Plan({ finding, product, close }: { finding: string; product: string; close: () => void }) {
  const t = useAlsoTexts()
  const problem = useProblem()
  const queries = useQueryClient()
  const [busy, setBusy] = useState(false)
  const asked = get('/api/findings/{key}/write-back', { path: { key: finding } })
  const plan = useQuery({ ...asked, staleTime: 0 })
  const tell = async (id: string) => {
    setBusy(true)
    try {
      await send('post', '/api/findings/{key}/write-back', { path: { key: finding }, body: { plan: id } })
      toast({ text: t('sent', { product }) })
    } catch (e) {
      toast({ text: problem(e), bad: true })
    }
    setBusy(false)
    await queries.invalidateQueries({ queryKey: asked.queryKey })
  }
  return (
    <div className={css.plan}>
      <Asked of={plan} lines={3}>
        {(p) => (
          <>
            {p.why ? (
              <span><LogText wrap>{t('nothing', { why: p.why })}</LogText></span>
            ) : (
              <>
                <span><LogText wrap>{t('wouldSend', { as: p.as })}</LogText></span>
                {p.calls.map((c) => (
                  <pre key={c.operation} className={css.call}>
                    <LogText wrap>{`${c.operation} · ${c.region}\n${c.method} ${c.url}\n${JSON.stringify(c.body, null, 2)}`}</LogText>
                  </pre>
                ))}
              </>
            )}
            {p.commands.length > 0 && (
              <div>
                <span className="dim">{t('byHand')}</span>
                {p.commands.map((c) => (
                  <Command key={c}>{c}</Command>
                ))}
              </div>
            )}
            {p.sent.length > 0 && (
              <div>
                <span className="dim">{t('sentBefore')}</span>
                <ul className={css.steps}>
                  {p.sent.map((s) => (
                    <li key={s.at + s.step}>
                      <When at={s.at} /> <LogText>{s.by}</LogText> {t.word('step', s.step)} <span className="dim"><LogText wrap>{s.text}</LogText></span>
                    </li>
                  ))}
                </ul>
              </div>
            )}
            <div className={css.buttons}>
              {p.id && (
                <Button size="compact-sm" loading={busy} onClick={() => void tell(p.id)}>
                  {t('send')}
                </Button>
              )}
              <Button size="compact-sm" variant="subtle" onClick={close}>
                {t('cancel')}
              </Button>
            </div>
          </>
        )}
      </Asked>
    </div>
  )
}
