/** What could stand where the cursor is in a filter. */
import { quoted } from '@/app/filter'

export type Place =
  | { kind: 'field'; from: number; to: number; typed: string }
  | { kind: 'value'; from: number; to: number; typed: string; field: string }

const name = /^[A-Za-z_][A-Za-z0-9_]*$/

/**
 * Finds what is being written at the cursor: a field's name, or a value of a field,
 * in quotes or in a list of values (`field:(a or b`). Undefined where there is
 * nothing to complete, such as in a range or in words that stand for themselves.
 */
export function placeAt(text: string, cursor: number): Place | undefined {
  let field: string | undefined // of the list of values that is open
  let depth = 0
  let start = 0 // of the word at the cursor
  let inside = -1 // where a quote opened
  let colon = -1 // in the word
  let range = false // [a TO b], whose ends are not completed
  const opened: (string | undefined)[] = []
  for (let i = 0; i < cursor; i++) {
    const c = text[i]
    if (inside >= 0) {
      if (c === '\\') i++
      else if (c === '"') inside = -1
      continue
    }
    if (range) range = c !== ']' && c !== '}'
    else if (c === '\\') i++
    else if (c === '"') inside = i
    else if ((c === '[' || c === '{') && colon === i - 1) range = true
    else if (c === '(') {
      const before = colon >= 0 ? text.slice(start, colon).replace(/^-/, '') : undefined
      opened.push(field)
      field = before ?? field
      depth++
      start = i + 1
      colon = -1
    } else if (c === ')' && depth > 0) {
      depth--
      field = opened.pop()
      start = i + 1
      colon = -1
    } else if (c === undefined || /\s/.test(c)) {
      start = i + 1
      colon = -1
    } else if (c === ':' && colon < 0) colon = i
  }
  const end = inside >= 0 ? closing(text, inside) : wordEnd(text, cursor)
  if (colon >= 0) {
    const of = text.slice(start, colon).replace(/^-/, '')
    return name.test(of) ? value(text, of, colon + 1, cursor, end, inside) : undefined
  }
  if (field !== undefined) return name.test(field) ? value(text, field, start, cursor, end, inside) : undefined
  if (inside >= 0) return undefined
  if (range) return undefined
  const from = text[start] === '-' && start < cursor ? start + 1 : start
  const typed = text.slice(from, cursor)
  const colonAfter = text.slice(cursor, end).indexOf(':')
  return typed === '' || name.test(typed) ? { kind: 'field', from, to: colonAfter < 0 ? end : cursor + colonAfter, typed } : undefined
}

function value(text: string, field: string, from: number, cursor: number, to: number, inside: number): Place | undefined {
  let start = from
  if (start < cursor && (text[start] === '-' || text[start] === '~')) start++
  // Ranges and comparisons are not values of the field.
  if (/[<>[{]/.test(text[start] ?? '')) return undefined
  const typed = inside >= 0 ? text.slice(inside + 1, cursor).replace(/\\(.)/g, '$1') : text.slice(start, cursor)
  if (/[*?]/.test(typed) && inside < 0) return undefined
  return { kind: 'value', field, from: start, to, typed }
}

function wordEnd(text: string, from: number): number {
  let i = from
  while (i < text.length && !/[\s()"]/.test(text[i] ?? '')) i++
  return i
}

function closing(text: string, from: number): number {
  for (let i = from + 1; i < text.length; i++) {
    if (text[i] === '\\') i++
    else if (text[i] === '"') return i + 1
  }
  return text.length
}

/** The filter with what was chosen in its place, and where the cursor goes. */
export function accepted(text: string, place: Place, chosen: string): { text: string; cursor: number } {
  const put = place.kind === 'field' ? `${chosen}:` : quoted(chosen)
  // A value is done: what comes next is another condition.
  const after = place.kind === 'value' && !/^[\s)]/.test(text.slice(place.to)) ? ' ' : ''
  const rest = place.kind === 'field' && text[place.to] === ':' ? text.slice(place.to + 1) : text.slice(place.to)
  return { text: text.slice(0, place.from) + put + after + rest, cursor: place.from + put.length + after.length }
}

export interface Field {
  name: string
  type: string
  aliases: string[]
  values: string[]
  doc: string
}

/** Fields that begin with what was typed, or have it in them; the names that people use come first. */
export function fieldsLike(fields: readonly Field[], typed: string, most = 12): Field[] {
  const want = typed.toLowerCase()
  const rank = (f: Field): number => {
    const names = [f.name, ...f.aliases]
    if (names.some((n) => n === want)) return 0
    if (names.some((n) => n.startsWith(want))) return 1
    if (names.some((n) => n.includes(want))) return 2
    return 3
  }
  return fields
    .map((f) => ({ f, rank: rank(f) }))
    .filter((x) => x.rank < 3)
    .sort((a, b) => a.rank - b.rank)
    .slice(0, most)
    .map((x) => x.f)
}

/** The name by which a field is called in what is written: the alias that was begun, else its shortest. */
export function calledBy(f: Field, typed: string): string {
  const want = typed.toLowerCase()
  const begun = [f.name, ...f.aliases].filter((n) => n.startsWith(want)).sort((a, b) => a.length - b.length)
  return begun[0] ?? f.name
}
