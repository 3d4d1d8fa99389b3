/**
 * A table of any length: react-table for columns and order, react-virtual for rows.
 * Rows are 32 px; on a phone each is a card that the page draws.
 *
 *     const columns = [column<Rule>('title', t('rule'), (r) => <LogText>{r.title}</LogText>, { grow: 2 }), …]
 *     <Table rows={rules} columns={columns} rowKey={(r) => r.id} label={t('rules')} onOpen={…} card={(r) => …} />
 *
 * It fills what height it is given (a Page with `fill`), or takes `height`.
 */
import { Checkbox } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import { flexRender, getCoreRowModel, getSortedRowModel, useReactTable, type ColumnDef, type Row, type SortingState } from '@tanstack/react-table'
import { useVirtualizer } from '@tanstack/react-virtual'
import { memo, useCallback, useEffect, useMemo, useRef, useState, type ReactNode } from 'react'
import { Icon } from './icon'
import { useParts } from './texts'
import css from './table.module.css'

interface Shape<T> {
  /** Width in pixels; without it the column shares what is left. */
  width?: number
  grow?: number
  right?: boolean
  /** Left out where the table is narrower than this. */
  above?: number
  /** What it is sorted by, in the browser. Without it the column cannot be sorted here. */
  by?: (row: T) => string | number
  /** The name of the order that the server knows: sorted there. */
  sort?: string
}

export type Column<T> = ColumnDef<T> & { shape: Shape<T> }

/** One column. */
export function column<T>(id: string, header: ReactNode, cell: (row: T) => ReactNode, shape: Shape<T> = {}): Column<T> {
  return {
    id,
    shape,
    accessorFn: (row) => shape.by?.(row) ?? '',
    header: () => header,
    cell: (c) => cell(c.row.original),
    enableSorting: !!shape.by,
    sortDescFirst: shape.right ?? false,
  }
}

interface Props<T> {
  rows: readonly T[]
  columns: Column<T>[]
  rowKey: (row: T) => string
  label: string
  /** The row that keys act on, by its key. */
  at?: string
  onAt?: (key: string) => void
  onOpen?: (row: T) => void
  /** Where a row leads, so that it can be opened in a tab of its own. */
  href?: (row: T) => string
  selected?: ReadonlySet<string>
  onSelect?: (keys: Set<string>) => void
  /** A row on a phone; without it the columns that have room. */
  card?: (row: T) => ReactNode
  cardHeight?: number
  height?: number
  /** The order asked of the server: a name, or - and a name for the other way round. */
  sort?: string
  onSort?: (sort: string) => void
  onEnd?: () => void
  /** What stands there when there are no rows. */
  empty?: ReactNode
  rowClass?: (row: T) => string | undefined
}

export function Table<T>(p: Props<T>) {
  const t = useParts()
  const phone = useMediaQuery('(max-width: 640px)') && !!p.card
  const box = useRef<HTMLDivElement>(null)
  const width = useWidth(box)
  const [sorting, setSorting] = useState<SortingState>([])
  const table = useReactTable({
    data: p.rows as T[],
    columns: p.columns,
    state: { sorting },
    onSortingChange: setSorting,
    getCoreRowModel: getCoreRowModel(),
    getSortedRowModel: getSortedRowModel(),
    getRowId: p.rowKey,
  })
  const rows = table.getRowModel().rows
  const fits = (c: Column<T>) => width === 0 || !c.shape.above || width >= c.shape.above
  const shown = useMemo(() => p.columns.filter(fits), [p.columns, p.columns.filter(fits).length]) // eslint-disable-line
  const template = useMemo(
    () => [p.onSelect ? '28px' : '', ...shown.map((c) => (c.shape.width ? `${c.shape.width}px` : `minmax(60px, ${c.shape.grow ?? 1}fr)`))].filter(Boolean).join(' '),
    [shown.map((c) => c.id).join(), !!p.onSelect], // eslint-disable-line
  )
  const rowHeight = phone ? (p.cardHeight ?? 76) : 32
  const virtual = useVirtualizer({ count: rows.length, getScrollElement: () => box.current, estimateSize: () => rowHeight, overscan: 12 })
  useEffect(() => virtual.measure(), [rowHeight, virtual])

  const items = virtual.getVirtualItems()
  const last = items.at(-1)?.index ?? -1
  const { onEnd } = p
  useEffect(() => {
    if (last >= rows.length - 20) onEnd?.()
  }, [last, rows.length, onEnd])

  const index = p.at === undefined ? -1 : rows.findIndex((r) => r.id === p.at)
  useEffect(() => {
    if (index >= 0) virtual.scrollToIndex(index, { align: 'auto' })
  }, [index, virtual])

  const all = p.selected && rows.length > 0 && rows.every((r) => p.selected?.has(r.id))
  const select = (key: string, on: boolean, upTo: boolean) => {
    const next = new Set(p.selected)
    const keys = [key]
    if (upTo && index >= 0) {
      const here = rows.findIndex((r) => r.id === key)
      keys.push(...rows.slice(Math.min(index, here), Math.max(index, here) + 1).map((r) => r.id))
    }
    keys.forEach((k) => (on ? next.add(k) : next.delete(k)))
    p.onSelect?.(next)
    p.onAt?.(key)
  }
  const latest = useRef(select)
  latest.current = select
  const tick = useCallback((key: string, on: boolean, upTo: boolean) => latest.current(key, on, upTo), [])

  return (
    <div
      className={css.box} ref={box} role="grid" aria-label={p.label} aria-rowcount={rows.length + 1} aria-multiselectable={p.onSelect ? true : undefined}
      tabIndex={0} style={p.height && rows.length > 0 ? { height: Math.min(phone ? 5 * p.height : p.height, rows.length * rowHeight + (phone ? 2 : 34)) } : undefined} data-fill={p.height ? undefined : true}
    >
      {!phone && (
        <div className={css.head} role="row" aria-rowindex={1} style={{ gridTemplateColumns: template }}>
          {p.onSelect && (
            <span role="columnheader">
              <Checkbox
                size="xs" aria-label={t('selectAll')} checked={!!all} indeterminate={!all && !!p.selected?.size}
                onChange={(e) => p.onSelect?.(e.currentTarget.checked ? new Set(rows.map((r) => r.id)) : new Set())}
              />
            </span>
          )}
          {table.getHeaderGroups()[0]?.headers
            .filter((h) => shown.some((c) => c.id === h.id))
            .map((h) => {
              const shape = (h.column.columnDef as Column<T>).shape
              const asked = shape.sort && p.sort?.replace('-', '') === shape.sort ? (p.sort.startsWith('-') ? 'asc' : 'desc') : false
              const dir = shape.sort ? asked : h.column.getIsSorted()
              const sort = shape.sort ? () => p.onSort?.(asked === 'desc' ? `-${shape.sort}` : (shape.sort ?? '')) : h.column.getToggleSortingHandler()
              const body = flexRender(h.column.columnDef.header, h.getContext())
              return (
                <span key={h.id} role="columnheader" className={shape.right ? css.right : undefined} aria-sort={dir === 'asc' ? 'ascending' : dir === 'desc' ? 'descending' : undefined}>
                  {h.column.getCanSort() || shape.sort ? (
                    <button type="button" onClick={sort}>
                      {body}
                      {dir && <Icon name={dir === 'asc' ? 'up' : 'down'} size={10} />}
                    </button>
                  ) : (
                    body
                  )}
                </span>
              )
            })}
        </div>
      )}
      {rows.length === 0 && (
        <div role="row">
          <div role="gridcell">{p.empty}</div>
        </div>
      )}
      <div className={css.rows} role="rowgroup" style={{ height: virtual.getTotalSize() }}>
        {items.map((v) => {
          const row = rows[v.index]
          if (!row) return null
          const selected = p.selected?.has(row.id) ?? false
          const href = p.href?.(row.original)
          return (
            <div
              key={row.id} role="row" aria-rowindex={v.index + 2} aria-selected={p.onSelect ? selected : undefined}
              className={[css.row, phone ? css.card : '', row.id === p.at ? css.at : '', selected ? css.selected : '', p.onOpen ? css.opens : '', p.rowClass?.(row.original) ?? ''].join(' ')}
              style={{ transform: `translateY(${v.start}px)`, height: rowHeight, gridTemplateColumns: phone ? undefined : template }}
              onClick={(e) => {
                if ((e.target as Element).closest('a, button, input, [role=button], label')) return
                if (window.getSelection()?.toString()) return // somebody marks text
                p.onAt?.(row.id)
                if (href && (e.metaKey || e.ctrlKey)) window.open(href, '_blank', 'noopener')
                else p.onOpen?.(row.original)
              }}
            >
              {phone && p.card ? (
                <div role="gridcell" className={css.cardBody}>
                  {p.card(row.original)}
                </div>
              ) : (
                <Cells row={row} shown={shown} selected={selected} onSelect={p.onSelect ? tick : undefined} />
              )}
            </div>
          )
        })}
      </div>
    </div>
  )
}

interface CellsProps<T> {
  row: Row<T>
  shown: Column<T>[]
  selected: boolean
  onSelect?: (key: string, on: boolean, upTo: boolean) => void
}

/** The cells of a row: made once, and not anew with each step of scrolling. */
const Cells = memo(function Cells<T>({ row, shown, selected, onSelect }: CellsProps<T>) {
  const t = useParts()
  return (
    <>
      {onSelect && (
        <span role="gridcell">
          <Checkbox size="xs" aria-label={t('selectRow')} checked={selected} tabIndex={-1} onChange={() => {}} onClick={(e) => onSelect(row.id, !selected, e.shiftKey)} />
        </span>
      )}
      {row
        .getVisibleCells()
        .filter((c) => shown.some((s) => s.id === c.column.id))
        .map((c) => (
          <span key={c.id} role="gridcell" className={(c.column.columnDef as Column<T>).shape.right ? css.right : undefined}>
            {flexRender(c.column.columnDef.cell, c.getContext())}
          </span>
        ))}
    </>
  )
}) as <T>(p: CellsProps<T>) => ReactNode

/** The width of an element, as it changes. */
export function useWidth(ref: React.RefObject<HTMLElement | null>): number {
  const [width, setWidth] = useState(0)
  useEffect(() => {
    const el = ref.current
    if (!el) return
    setWidth(el.clientWidth)
    const watch = new ResizeObserver(() => setWidth(el.clientWidth))
    watch.observe(el)
    return () => watch.disconnect()
  }, [ref])
  return width
}
