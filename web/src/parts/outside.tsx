import { useEffect, type ReactNode } from 'react'
import { languages } from '@/app/language'
import { setLanguage } from '@/app/texts'
import { Mark } from './icon'
import { useParts } from './texts'
import css from './outside.module.css'

/** The frame of pages for which nobody has signed in. */
export function Outside({ title, wide, children }: { title: string; wide?: boolean; children: ReactNode }) {
  const { language } = useParts()
  useEffect(() => {
    document.title = `${title} · Yagura`
  }, [title])
  return (
    <main className={css.frame} data-wide={wide || undefined}>
      <div className={css.box}>
        <div className={css.mark}>
          <Mark size={34} />
          <h1>{title}</h1>
        </div>
        {children}
        <p className={css.languages}>
          {languages.map((l) => (
            <button key={l} type="button" lang={l} aria-pressed={language === l} onClick={() => setLanguage(l)}>
              {l === 'ja' ? '日本語' : 'English'}
            </button>
          ))}
        </p>
      </div>
    </main>
  )
}
