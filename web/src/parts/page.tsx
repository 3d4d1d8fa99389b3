import { useEffect, type ReactNode } from 'react'
import css from './page.module.css'

interface Props {
  /** For the tab of the browser. */
  title: string
  /** What the page answers, in words and numbers. */
  answer: ReactNode
  /** A line below it. */
  more?: ReactNode
  actions?: ReactNode
  children: ReactNode
  /** The page fills the height and scrolls inside itself. */
  fill?: boolean
}

/** A page: its answer first, the evidence below. */
export function Page({ title, answer, more, actions, children, fill }: Props) {
  useEffect(() => {
    document.title = `${title} · Yagura`
  }, [title])
  return (
    <div className={fill ? `${css.page} ${css.fill}` : css.page}>
      <header className={css.head}>
        <div className={css.answer}>
          <h1>{answer}</h1>
          {more && <p className="dim">{more}</p>}
        </div>
        {actions && <div className={css.actions}>{actions}</div>}
      </header>
      {children}
    </div>
  )
}

/** A part of a page with its heading. */
export function Section({ title, note, children, actions }: { title: ReactNode; note?: ReactNode; children: ReactNode; actions?: ReactNode }) {
  return (
    <section className={css.section}>
      <div className={css.sectionHead}>
        <h2>{title}</h2>
        {note && <span className="dim">{note}</span>}
        {actions && <span className={css.sectionActions}>{actions}</span>}
      </div>
      {children}
    </section>
  )
}
