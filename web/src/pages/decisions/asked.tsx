import { Button, Textarea, TextInput } from '@mantine/core'
import { useState, type FormEvent } from 'react'
import { send, versionOf } from '@/api/client'
import { toast } from '@/app/toast'
import { LogText } from '@/parts/log-text'
import { Section } from '@/parts/page'
import { useProblem } from '@/parts/states'
import { When } from '@/parts/when'
import { useTouched } from './keep'
import { useTexts } from './texts'
import type { Decision, Inquiry } from './types'
import css from './page.module.css'

/** What somebody outside was asked, when, and what they answered. */
export function AskedPart({ of: d, may }: { of: Decision; may: boolean }) {
  const t = useTexts()
  const [asking, setAsking] = useState(false)
  return (
    <Section title={t('asked')} actions={may && !asking && <button type="button" className={css.button} onClick={() => setAsking(true)}>{t('ask')}</button>}>
      {d.asked.length === 0 && !asking && <p className="dim">{t('askedNone')}</p>}
      <ol className={css.asked}>{d.asked.map((q) => <Question key={q.id} of={q} in={d} may={may} />)}</ol>
      {asking && <Ask of={d} close={() => setAsking(false)} />}
    </Section>
  )
}

function Question({ of: q, in: d, may }: { of: Inquiry; in: Decision; may: boolean }) {
  const t = useTexts()
  const [answering, setAnswering] = useState(false)
  return (
    <li>
      <p className="dim">
        {t.rich('askedWhen', { vendor: <LogText most={60}>{q.vendor}</LogText>, when: <When at={q.at} />, who: <LogText most={40}>{q.by}</LogText> })} {q.case && t.rich('askedCase', { case: <LogText most={40} copy>{q.case}</LogText> })}
      </p>
      <p><LogText wrap>{q.question}</LogText></p>
      {q.answers.map((a, i) => (
        <div key={i} className={css.answer}>
          <p className="dim">{t.rich('answered', { when: <When at={a.at} />, who: <LogText most={40}>{a.by}</LogText> })}</p>
          <p><LogText wrap>{a.text}</LogText></p>
        </div>
      ))}
      {q.answers.length === 0 && !answering && <p className={css.answer}><span className={`unknown ${css.gap}`}>{t('notAnswered')}</span></p>}
      {may && !answering && <button type="button" className={css.button} onClick={() => setAnswering(true)}>{t('answer')}</button>}
      {answering && <Answer of={d} question={q.id} close={() => setAnswering(false)} />}
    </li>
  )
}

/** Writes something down that stands on a decision as it is shown. */
function useNote(of: Decision, close: () => void) {
  const t = useTexts()
  const problem = useProblem()
  const refresh = useTouched()
  const [busy, setBusy] = useState(false)
  const [wrong, setWrong] = useState('')
  const note = async (change: (seen: Record<string, string>) => Promise<unknown>) => {
    setBusy(true)
    setWrong('')
    try {
      await change(versionOf('/api/decisions/{id}', { path: { id: of.id } }))
      toast({ text: t('kept') }, 4)
      await refresh()
      close()
    } catch (e) {
      setWrong(problem(e))
      setBusy(false)
    }
  }
  return { busy, wrong, note }
}

/** Noon of a day in UTC; nothing: now. */
function instant(day: FormDataEntryValue | null): string | undefined {
  return typeof day === 'string' && day ? `${day}T12:00:00Z` : undefined
}

function Ask({ of: d, close }: { of: Decision; close: () => void }) {
  const t = useTexts()
  const { busy, wrong, note } = useNote(d, close)
  const submit = (e: FormEvent<HTMLFormElement>) => {
    e.preventDefault()
    const form = new FormData(e.currentTarget)
    const say = (name: string) => String(form.get(name) ?? '').trim()
    void note((seen) => send('post', '/api/decisions/{id}/questions', { path: { id: d.id }, body: { vendor: say('vendor'), case: say('case') || undefined, question: say('question'), at: instant(form.get('at')) } }, seen))
  }
  return (
    <form className={css.form} onSubmit={submit}>
      <div className={css.three}>
        <TextInput name="vendor" label={t('vendor')} required withAsterisk={false} maxLength={512} data-autofocus />
        <TextInput name="case" label={t('caseNumber')} maxLength={512} />
        <TextInput name="at" type="date" label={t('when')} />
      </div>
      <Textarea name="question" label={t('question')} required withAsterisk={false} autosize minRows={3} maxRows={12} maxLength={8000} />
      <Buttons busy={busy} wrong={wrong} close={close} />
    </form>
  )
}

function Answer({ of: d, question, close }: { of: Decision; question: string; close: () => void }) {
  const t = useTexts()
  const { busy, wrong, note } = useNote(d, close)
  const submit = (e: FormEvent<HTMLFormElement>) => {
    e.preventDefault()
    const form = new FormData(e.currentTarget)
    void note((seen) => send('post', '/api/decisions/{id}/answers', { path: { id: d.id }, body: { question, text: String(form.get('text') ?? '').trim(), at: instant(form.get('at')) } }, seen))
  }
  return (
    <form className={css.form} onSubmit={submit}>
      <Textarea name="text" label={t('answerText')} required withAsterisk={false} autosize minRows={2} maxRows={12} maxLength={8000} />
      <TextInput name="at" type="date" label={t('when')} className={css.short} />
      <Buttons busy={busy} wrong={wrong} close={close} />
    </form>
  )
}

function Buttons({ busy, wrong, close }: { busy: boolean; wrong: string; close: () => void }) {
  const t = useTexts()
  return (
    <>
      {wrong && <p role="alert" className={css.wrong}><LogText wrap>{wrong}</LogText></p>}
      <div className={css.row}>
        <Button type="submit" size="compact-sm" loading={busy}>{t('note')}</Button>
        <Button variant="default" size="compact-sm" onClick={close}>{t('cancel')}</Button>
        <span className="dim">{t('nothingSent')}</span>
      </div>
    </>
  )
}
