import { Button, FileButton, Textarea } from '@mantine/core'
import { useState } from 'react'
import { Problem } from '@/api/client'
import { useMay } from '@/app/session'
import { toast } from '@/app/toast'
import { LogText } from '@/parts/log-text'
import { useProblem } from '@/parts/states'
import { When } from '@/parts/when'
import { useTouched } from './keep'
import { useTexts } from './texts'
import type { Window } from './types'
import css from './page.module.css'

interface Read {
  windows: Window[]
  warnings: string[]
}

/** Asks with a calendar as the body; the client of the API speaks JSON alone. */
async function ask(text: string, query: Record<string, string>): Promise<Read> {
  const json = /^\s*[[{]/.test(text)
  const answer = await fetch(`/api/windows/import?${new URLSearchParams(query)}`, {
    method: 'POST', body: text, headers: { 'Content-Type': json ? 'application/json' : 'text/calendar', 'X-Yagura': '1', Accept: 'application/json' },
  }).catch(() => {
    throw new Problem(0, '')
  })
  const told = (await answer.json().catch(() => ({}))) as Read & { detail?: string; errors?: { message: string }[] }
  if (!answer.ok) throw new Problem(answer.status, told.detail ?? '', told.errors)
  return told
}

/** A calendar is read first, and imported when what it says is meant. */
export function Import({ done }: { done: () => void }) {
  const t = useTexts()
  const problem = useProblem()
  const refresh = useTouched()
  const responder = useMay('responder')
  const state = responder ? 'active' : 'proposed'
  const [text, setText] = useState('')
  const [read, setRead] = useState<Read>()
  const [wrong, setWrong] = useState('')
  const [busy, setBusy] = useState(false)
  const run = async (given: string, dry: boolean) => {
    setBusy(true)
    setWrong('')
    try {
      const r = await ask(given, { state, ...(dry ? { dry: 'true' } : {}) })
      if (dry) setRead(r)
      else if (r.windows.length === 0) {
        setRead(r)
        setWrong(t('importedNone'))
      } else {
        toast({ text: t('imported', { count: r.windows.length }) }, 5)
        await refresh()
        done()
      }
    } catch (e) {
      setRead(undefined)
      setWrong(problem(e))
    }
    setBusy(false)
  }
  const choose = async (file: File | null) => {
    if (!file) return
    const given = await file.text()
    setText(given)
    await run(given, true)
  }
  return (
    <section className={css.note} aria-label={t('import')}>
      <p className="dim">{t('importNote')}</p>
      <div className={css.row}>
        <FileButton accept=".ics,.json,text/calendar,application/json" onChange={(f) => void choose(f)}>
          {(p) => (
            <Button variant="default" {...p}>
              {t('importFile')}
            </Button>
          )}
        </FileButton>
      </div>
      <Textarea className={css.mono} label={t('importText')} value={text} onChange={(e) => { setText(e.currentTarget.value); setRead(undefined) }} autosize minRows={2} maxRows={8} spellCheck={false} />
      {wrong && <p role="alert" className={css.warn}><LogText wrap>{wrong}</LogText></p>}
      {read && (
        <div role="status">
          <p>{t('importFound', { count: read.windows.length })}</p>
          <ul className={css.list}>
            {read.windows.slice(0, 20).map((w, i) => (
              <li key={w.id || i} className={css.facts}>
                <LogText most={60}>{w.title}</LogText> <span><When at={w.start} as="exact" /> UTC</span> <LogText mono most={50}>{w.repeat}</LogText>
              </li>
            ))}
          </ul>
          {read.warnings.length > 0 && (
            <>
              <p className={css.warn}>{t('importWarnings', { count: read.warnings.length })}</p>
              <ul>
                {read.warnings.slice(0, 50).map((w) => (
                  <li key={w}>
                    <LogText wrap>{w}</LogText>
                  </li>
                ))}
              </ul>
            </>
          )}
        </div>
      )}
      <div className={css.row}>
        {read && read.windows.length > 0 ? (
          <Button loading={busy} onClick={() => void run(text, false)}>{t('importDo', { count: read.windows.length })}</Button>
        ) : (
          <Button variant="default" loading={busy} disabled={!text.trim()} onClick={() => void run(text, true)}>{t('importRead')}</Button>
        )}
        {!responder && <span className="dim">{t('proposeNote')}</span>}
      </div>
    </section>
  )
}
