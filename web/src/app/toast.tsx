import { useSyncExternalStore, type ReactNode } from 'react'
import { Icon } from '@/parts/icon'
import { useShell } from './texts.shell'
import css from './toast.module.css'

/** A short word about what just happened, with what can be done about it. */
export interface Toast {
  id: number
  text: ReactNode
  bad?: boolean
  actions?: { label: string; key?: string; run: () => void }[]
}

let toasts: Toast[] = []
let last = 0
const hearers = new Set<() => void>()

function set(next: Toast[]) {
  toasts = next
  hearers.forEach((h) => h())
}

/** Shows t for some seconds, at most three at once. Gives how to take it away. */
export function toast(t: Omit<Toast, 'id'>, seconds = 8): () => void {
  const id = ++last
  set([...toasts.slice(-2), { ...t, id }])
  const away = () => set(toasts.filter((x) => x.id !== id))
  setTimeout(away, seconds * 1000)
  return away
}

export function Toasts() {
  const t = useShell()
  const shown = useSyncExternalStore(
    (h) => {
      hearers.add(h)
      return () => hearers.delete(h)
    },
    () => toasts,
  )
  return (
    <div className={css.toasts} role="status" aria-live="polite">
      {shown.map((x) => (
        <div key={x.id} className={x.bad ? `${css.toast} ${css.bad}` : css.toast}>
          <span className={css.text}>{x.text}</span>
          {x.actions?.map((a) => (
            <button key={a.label} type="button" onClick={a.run}>
              {a.label} {a.key && <kbd>{a.key}</kbd>}
            </button>
          ))}
          <button type="button" className={css.close} aria-label={t('close')} onClick={() => set(toasts.filter((y) => y.id !== x.id))}>
            <Icon name="close" size={12} />
          </button>
        </div>
      ))}
    </div>
  )
}
