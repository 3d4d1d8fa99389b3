import { Tooltip } from '@mantine/core'
import { useState } from 'react'
import { quoted } from '@/app/filter'
import { Icon } from '@/parts/icon'
import { LogText } from '@/parts/log-text'
import { useTexts } from './texts'
import css from './tree.module.css'

const most = 200
const openTo = 2

type Key = string | number

/** How a filter names a place in a record: an array stands for each of its elements. */
export function rawPath(path: readonly Key[]): string {
  return ['raw', ...path.filter((k): k is string => typeof k === 'string').map((k) => (/^[A-Za-z0-9_]+$/.test(k) ? k : `"${k.replace(/["\\]/g, '\\$&')}"`))].join('.')
}

/** The condition that a value of a record satisfies; none for null, and for what has values in it. */
export function rawTerm(path: readonly Key[], value: unknown): string | undefined {
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') return undefined
  return `${rawPath(path)}:${quoted(String(value))}`
}

interface Props {
  of: unknown
  onTerm: (term: string) => void
}

/** A record as a tree, as it came; a click on a value makes it a condition. */
export function Tree({ of, onTerm }: Props) {
  const t = useTexts()
  const [depth, setDepth] = useState(openTo)
  const [turn, setTurn] = useState(0)
  const all = (to: number) => {
    setDepth(to)
    setTurn(turn + 1)
  }
  return (
    <div className={css.tree}>
      <p className={css.tools}>
        <button type="button" onClick={() => all(100)}>{t('jsonAll')}</button>
        <button type="button" onClick={() => all(1)}>{t('jsonNone')}</button>
      </p>
      <ul role="tree" key={turn}>
        <Node name={undefined} value={of} path={[]} depth={0} openTo={depth} onTerm={onTerm} />
      </ul>
    </div>
  )
}

interface NodeProps {
  name: Key | undefined
  value: unknown
  path: Key[]
  depth: number
  openTo: number
  onTerm: (term: string) => void
}

function Node({ name, value, path, depth, openTo, onTerm }: NodeProps) {
  const t = useTexts()
  const [open, setOpen] = useState(depth < openTo)
  const label = name === undefined ? null : <span className={css.key}><LogText mono most={60}>{String(name)}</LogText>:</span>
  if (value === null || typeof value !== 'object') {
    const term = rawTerm(path, value)
    const text = <span className={css.value} data-type={value === null ? 'null' : typeof value}><LogText mono wrap>{value === '' ? '""' : String(value)}</LogText></span>
    return (
      <li role="treeitem">
        {label}{' '}
        {term ? (
          <Tooltip label={<bdi>{term.slice(0, 300)}</bdi>}><button type="button" className={css.leaf} onClick={() => onTerm(term)}>{text}</button></Tooltip>
        ) : (
          text
        )}
      </li>
    )
  }
  const entries: [Key, unknown][] = Array.isArray(value) ? value.map((v, i) => [i, v]) : Object.entries(value)
  const named = String(name ?? '')
  return (
    <li role="treeitem" aria-expanded={open}>
      {name !== undefined && (
        <button type="button" className={css.fold} aria-label={t(open ? 'jsonClose' : 'jsonOpen', { name: named })} onClick={() => setOpen(!open)}>
          <Icon name={open ? 'down' : 'right'} size={9} /> {label} <span className="faint">{Array.isArray(value) ? '[' : '{'}{t('jsonSize', { count: entries.length })}{Array.isArray(value) ? ']' : '}'}</span>
        </button>
      )}
      {open && (
        <ul role="group" className={name === undefined ? css.root : undefined}>
          {entries.slice(0, most).map(([k, v]) => <Node key={k} name={k} value={v} path={[...path, k]} depth={depth + 1} openTo={openTo} onTerm={onTerm} />)}
          {entries.length > most && <li className="dim">{t('jsonMore', { count: entries.length - most })}</li>}
        </ul>
      )}
    </li>
  )
}
