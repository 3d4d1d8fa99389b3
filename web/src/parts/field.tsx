import type { ReactNode } from 'react'
import css from './field.module.css'

/** Names and values, side by side; on a phone below each other. */
export function Fields({ children }: { children: ReactNode }) {
  return <dl className={css.fields}>{children}</dl>
}

export function Field({ name, children }: { name: ReactNode; children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}
