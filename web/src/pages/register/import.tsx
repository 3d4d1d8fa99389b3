import { Button, FileButton } from '@mantine/core'
import { useState } from 'react'
import { Problem, type Answer } from '@/api/client'
import { toast } from '@/app/toast'
import { LogText } from '@/parts/log-text'
import { useProblem } from '@/parts/states'
import { useTouched } from './keep'
import { useTexts } from './texts'
import css from './page.module.css'

type Read = Answer<'/api/register/import', 'post'>

/** Asks with a table as the body; the client of the API speaks JSON alone. */
async function ask(file: File, dry: boolean): Promise<Read> {
  const answer = await fetch(`/api/register/import?${new URLSearchParams({ file: file.name.slice(-200), ...(dry ? { dry: 'true' } : {}) })}`, {
    method: 'POST', body: await file.text(), headers: { 'Content-Type': 'text/csv', 'X-Yagura': '1', Accept: 'application/json' },
  }).catch(() => {
    throw new Problem(0, '')
  })
  const told = (await answer.json().catch(() => ({}))) as Read & { detail?: string; errors?: { message: string }[] }
  if (!answer.ok) throw new Problem(answer.status, told.detail ?? '', told.errors)
  return told
}

/** A file is read first, and imported when what it says is meant. */
export function Import({ done }: { done: () => void }) {
  const t = useTexts()
  const problem = useProblem()
  const refresh = useTouched()
  const [file, setFile] = useState<File>()
  const [read, setRead] = useState<Read>()
  const [wrong, setWrong] = useState('')
  const [busy, setBusy] = useState(false)
  const run = async (f: File, dry: boolean) => {
    setBusy(true)
    setWrong('')
    try {
      const r = await ask(f, dry)
      setRead(r)
      if (!dry) {
        toast({ text: t('imported', { fresh: r.new, changed: r.changed, same: r.same }) }, 6)
        await refresh()
        done()
      }
    } catch (e) {
      setRead(undefined)
      setWrong(problem(e))
    }
    setBusy(false)
  }
  const choose = (f: File | null) => {
    if (!f) return
    setFile(f)
    void run(f, true)
  }
  return (
    <section className={css.box} aria-label={t('import')}>
      <p className="dim">{t('importNote')}</p>
      <div className={css.row}>
        <FileButton accept=".csv,text/csv" onChange={choose}>{(p) => <Button variant="default" {...p}>{t('importFile')}</Button>}</FileButton>
        {file && <LogText most={40}>{file.name}</LogText>}
        {read && file && <Button loading={busy} onClick={() => void run(file, false)}>{t('importDo')}</Button>}
      </div>
      {wrong && <p role="alert" className={css.wrong}><LogText wrap>{wrong}</LogText></p>}
      {read && (
        <div role="status">
          {read.problems.length === 0 ? t('importFine') : t('importProblems', { count: read.problems.length })}
          <ul>
            {read.problems.slice(0, 50).map((p) => <li key={p.line}><LogText wrap>{t('importLine', { line: p.line, reason: p.reason })}</LogText></li>)}
          </ul>
        </div>
      )}
    </section>
  )
}
