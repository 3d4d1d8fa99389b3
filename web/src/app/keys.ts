/**
 * The keyboard. A page says which keys it has while it is shown:
 *
 *     useKeys(t('keysFindings'), [{ keys: 'j', label: t('next'), run: next }])
 *
 * The help overlay (?) lists what is in force. Keys do nothing while somebody types,
 * nor under a dialog; "g t" is one after the other.
 */
import { useEffect, useRef, useSyncExternalStore } from 'react'

export interface Key {
  keys: string // "j", "Enter", "g t", "?", "mod+k"
  label: string
  run: () => void
}

interface Group {
  title: string
  keys: Key[]
}

let groups: Group[] = []
const hearers = new Set<() => void>()

function changed(next: Group[]) {
  groups = next
  hearers.forEach((h) => h())
}

/** What keys do at present, the page's own first. */
export function useKeyGroups(): Group[] {
  return useSyncExternalStore(
    (h) => {
      hearers.add(h)
      return () => hearers.delete(h)
    },
    () => groups,
  )
}

export function useKeys(title: string, keys: Key[], on = true) {
  const latest = useRef(keys)
  latest.current = keys
  const said = keys.map((k) => `${k.keys}\u0000${k.label}`).join('\u0001')
  useEffect(() => {
    if (!on) return
    const group: Group = {
      title,
      // What runs is what the page last rendered, so that nothing is registered anew at every step.
      keys: said.split('\u0001').filter(Boolean).map((s, i) => {
        const [keys = '', label = ''] = s.split('\u0000')
        return { keys, label, run: () => latest.current[i]?.run() }
      }),
    }
    changed([group, ...groups])
    return () => changed(groups.filter((g) => g !== group))
  }, [title, said, on])
}

const editable = 'input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable=true], [role=combobox], [role=listbox], [role=menu]'

let begun = ''
let begunAt = 0

/** Whether what is pressed goes to what has the focus, and not to the page. */
function taken(e: KeyboardEvent): boolean {
  const target = e.target instanceof Element ? e.target : null
  if (target?.closest(editable)) return true
  if (document.querySelector('[role=dialog][aria-modal=true]')) return true
  // A button or link that has the focus answers to Enter and space itself.
  return (e.key === 'Enter' || e.key === ' ') && !!target?.closest('a, button, [role=button], summary, input')
}

function press(e: KeyboardEvent) {
  if (e.defaultPrevented || e.isComposing) return
  const all = groups.flatMap((g) => g.keys)
  if (e.metaKey || e.ctrlKey) {
    const k = all.find((k) => k.keys === `mod+${e.key.toLowerCase()}`)
    if (k) {
      e.preventDefault()
      k.run()
    }
    return
  }
  if (e.altKey || taken(e)) return
  const now = Date.now()
  const pressed = begun && now - begunAt < 1500 ? `${begun} ${e.key}` : e.key
  begun = ''
  const k = all.find((k) => k.keys === pressed)
  if (k) {
    e.preventDefault()
    k.run()
    return
  }
  if (all.some((k) => k.keys.startsWith(`${e.key} `))) {
    begun = e.key
    begunAt = now
  }
}

/** Starts to hear keys; gives how to stop. */
export function listen(): () => void {
  window.addEventListener('keydown', press)
  return () => window.removeEventListener('keydown', press)
}
