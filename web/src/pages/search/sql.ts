/** What an answer of SQL can be shown as. */

export interface Answer {
  columns: { name: string; type: string }[]
  rows: unknown[][]
}

const numeric = /^(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|FLOAT|DOUBLE|REAL|DECIMAL.*)$/i
const timed = /^(TIMESTAMP.*|DATE)$/i

export function isNumber(type: string): boolean {
  return numeric.test(type)
}

export function isTime(type: string): boolean {
  return timed.test(type)
}

/** A value as text: what it is in JSON, where it is more than one value. */
export function textOf(v: unknown): string {
  if (v === null || v === undefined) return ''
  return typeof v === 'object' ? JSON.stringify(v) : String(v)
}

export interface Plot {
  x: number
  time: boolean
  ys: number[]
}

/** Which columns go along and which go up: a time or the first column of words, and every column of numbers. */
export function plotOf(a: Answer): Plot | undefined {
  const time = a.columns.findIndex((c) => isTime(c.type))
  const word = a.columns.findIndex((c) => !isNumber(c.type))
  const x = time >= 0 ? time : word
  const ys = a.columns.flatMap((c, i) => (i !== x && isNumber(c.type) ? [i] : []))
  return x < 0 || ys.length === 0 || a.rows.length === 0 ? undefined : { x, time: time >= 0, ys: ys.slice(0, 4) }
}

/** The answer as CSV. What a spreadsheet would take for a formula begins with an apostrophe. */
export function csvOf(a: Answer): string {
  const cell = (v: unknown) => {
    const text = textOf(v)
    const safe = typeof v === 'string' && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
    return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
  }
  return [a.columns.map((c) => c.name), ...a.rows].map((row) => row.map(cell).join(',')).join('\r\n') + '\r\n'
}
