import { useEffect, useState } from 'react'
import { copyText } from './log-text'
import { useParts } from './texts'
import css from './copy.module.css'

/** A command to copy, as it is to be run. */
export function Command({ children }: { children: string }) {
  const t = useParts()
  const [copied, setCopied] = useState(false)
  useEffect(() => {
    if (!copied) return
    const timer = setTimeout(() => setCopied(false), 1200)
    return () => clearTimeout(timer)
  }, [copied])
  return (
    <div className={css.command}>
      <code tabIndex={0}>
        <bdi dir="ltr">{children}</bdi>
      </code>
      <button type="button" onClick={() => void copyText(children).then(setCopied)} aria-label={t('copyThing', { thing: children })}>
        {copied ? t('copied') : t('copy')}
      </button>
    </div>
  )
}
