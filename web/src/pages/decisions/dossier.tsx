import { Button, Checkbox, SegmentedControl } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { Problem } from '@/api/client'
import { languages, type Language } from '@/app/language'
import { address } from '@/parts/links'
import { pieces, useCopy } from '@/parts/log-text'
import { Section } from '@/parts/page'
import { Asked } from '@/parts/states'
import { useTexts } from './texts'
import css from './page.module.css'

type Format = 'md' | 'html'

function dossierAddress(id: string, lang: Language, format: Format, masked: boolean): string {
  return address(`/api/decisions/${encodeURIComponent(id)}/dossier`, { lang, format, masked: masked ? '1' : undefined })
}

/** A dossier is a text, not JSON. */
async function read(href: string, signal: AbortSignal): Promise<string> {
  const r = await fetch(href, { signal, headers: { Accept: 'text/markdown, application/problem+json' } })
  if (r.ok) return r.text()
  const told = (await r.json().catch(() => ({}))) as { detail?: string }
  throw new Problem(r.status, told.detail ?? r.statusText)
}

/** What a vendor is given: shown as the text that it is, to copy or to save, in either language, and with aliases if wanted. */
export function Dossier({ id, open }: { id: string; open: boolean }) {
  const t = useTexts()
  const navigate = useNavigate()
  const toggle = () => void navigate({ to: '/decisions/$id', params: { id }, search: { show: open ? undefined : 'dossier' }, replace: true })
  return (
    <Section title={t('dossier')} note={t('dossierMore')} actions={<button type="button" className={css.button} aria-expanded={open} onClick={toggle}>{t(open ? 'dossierHide' : 'dossierShow')}</button>}>
      {open && <Shown id={id} />}
    </Section>
  )
}

function Shown({ id }: { id: string }) {
  const t = useTexts()
  const [lang, setLang] = useState<Language>(t.language)
  const [masked, setMasked] = useState(false)
  const [copied, copy] = useCopy()
  const href = dossierAddress(id, lang, 'md', masked)
  const text = useQuery({ queryKey: ['/api/decisions/{id}/dossier', href], queryFn: ({ signal }) => read(href, signal), retry: false })
  return (
    <>
      <div className={css.row}>
        <SegmentedControl size="xs" aria-label={t('language')} value={lang} onChange={(l) => setLang(l as Language)} data={languages.map((l) => ({ value: l, label: t(`language.${l}`) }))} />
        <Checkbox size="xs" label={t('masked')} checked={masked} onChange={(e) => setMasked(e.currentTarget.checked)} />
        <Button size="compact-sm" variant="default" disabled={!text.data} onClick={() => copy(text.data ?? '')}>{t(copied ? 'copied' : 'copy')}</Button>
        <a className={css.button} href={href} download={`dossier-${id}.${lang}.md`}>{t('saveMarkdown')}</a>
        <a className={css.button} href={dossierAddress(id, lang, 'html', masked)} download={`dossier-${id}.${lang}.html`}>{t('saveHTML')}</a>
      </div>
      <Asked of={text} lines={10}>
        {(d) => <pre className={css.dossier} tabIndex={0} lang={lang} dir="auto">{pieces(d, true).map((p) => p.text).join('')}</pre>}
      </Asked>
    </>
  )
}
