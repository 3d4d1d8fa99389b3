import { LogText, useCopy } from './log-text'
import { useParts } from './texts'
import css from './copy.module.css'

/** A command or text to copy, as it is to be run or kept. `name` says what it is where it is long. */
export function Command({ children, name }: { children: string; name?: string }) {
  const t = useParts()
  const [copied, copy] = useCopy()
  return (
    <div className={css.command}>
      <code tabIndex={0}>
        <bdi dir="ltr">{children}</bdi>
      </code>
      <button type="button" onClick={() => copy(children)} aria-label={t('copyThing', { thing: name ?? children })}>
        {copied ? t('copied') : t('copy')}
      </button>
    </div>
  )
}

/** A next step: something to run, by how it begins, or a sentence. */
export function Step({ children }: { children: string }) {
  return /^(aws|yagura|gcloud|az|kubectl|jq|curl|terraform)\s/.test(children) ? <Command>{children}</Command> : <LogText wrap>{children}</LogText>
}
