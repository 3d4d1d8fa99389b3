import { afterEach } from 'vitest'
import { cleanup, configure } from '@testing-library/react'
import { setLanguage } from '@/app/texts'

// What happy-dom does not have, and Mantine or the tables ask for.
window.matchMedia ??= ((query: string) => ({
  matches: false, media: query, onchange: null, addEventListener() {}, removeEventListener() {}, addListener() {}, removeListener() {}, dispatchEvent: () => false,
})) as typeof window.matchMedia
window.ResizeObserver ??= class {
  observe() {}
  unobserve() {}
  disconnect() {}
}
Element.prototype.scrollIntoView ??= () => {}
if (!('fonts' in document)) Object.defineProperty(document, 'fonts', { value: new EventTarget() }) // fields that grow with their text hear of fonts

// Pages are loaded when they are first shown, which takes its time where many tests do so at once.
configure({ asyncUtilTimeout: 8000 })

afterEach(() => {
  cleanup()
  setLanguage('en')
})
