// Measures what the first page needs before it can show anything: the entry, what
// it imports, its styles, and the page that opens. Fails above the limit.
import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'

const limit = 250 * 1000 // bytes, gzip
const dist = new URL('../dist/', import.meta.url)
const manifest = JSON.parse(readFileSync(new URL('manifest.json', dist), 'utf8'))

/** Every file that the pieces named need, once each. */
function needs(pieces) {
  const files = new Set(['index.html'])
  const seen = new Set()
  const add = (name) => {
    if (seen.has(name)) return
    seen.add(name)
    const piece = manifest[name]
    if (!piece) throw new Error(`${name} is not in dist/manifest.json`)
    files.add(piece.file)
    for (const css of piece.css ?? []) files.add(css)
    for (const other of piece.imports ?? []) add(other)
  }
  pieces.forEach(add)
  return [...files]
}

const size = (file) => gzipSync(readFileSync(new URL(file, dist)), { level: 9 }).length
let over = false
for (const [page, piece] of Object.entries({
  'sign-in': 'src/pages/signin/page.tsx',
  today: 'src/pages/today/page.tsx',
})) {
  const files = needs(['index.html', piece]).map((f) => [f, size(f)])
  const total = files.reduce((n, [, s]) => n + s, 0)
  console.log(`${page}: ${(total / 1000).toFixed(1)} kB gzip of ${limit / 1000}`)
  if (total > limit) {
    over = true
    for (const [f, s] of files.sort((a, b) => b[1] - a[1])) console.error(`  ${(s / 1000).toFixed(1).padStart(7)} kB ${f}`)
  }
}
if (over) {
  console.error('the first page is too heavy: load what it does not need at once with import()')
  process.exit(1)
}
