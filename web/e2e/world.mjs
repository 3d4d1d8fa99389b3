// What the browser is held against: the built program with the demo's organisation,
// an identity provider of its own, and a browser. One of each for all tests.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'

export const chromiumPath = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((p) => p && existsSync(p))
export const binary = process.env.YAGURA ?? fileURLToPath(new URL('../../bin/yagura', import.meta.url))

/** A port that nobody listens on. */
export async function freePort() {
  const s = createServer().listen(0, '127.0.0.1')
  await once(s, 'listening')
  const { port } = s.address()
  s.close()
  await once(s, 'close')
  return port
}

const children = []

/** Starts a program and waits for a line that says it is there; gives the match. */
export async function start(command, args, ready, options = {}) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options })
  children.push(child)
  const said = []
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${command} ${args[0]} did not come up: ${said.slice(-20).join('\n')}`)), 180_000)
    const hear = (line) => {
      said.push(line)
      const m = ready.exec(said.join('\n'))
      if (!m) return
      clearTimeout(timer)
      resolve(m)
    }
    for (const stream of [child.stdout, child.stderr]) createInterface(stream).on('line', hear)
    child.on('exit', (code) => {
      clearTimeout(timer)
      reject(new Error(`${command} ended with ${code}: ${said.slice(-20).join('\n')}`))
    })
  })
}

const home = mkdtempSync(join(tmpdir(), 'yagura-e2e-'))

/** The folder whose files arrive while the server runs. */
export const arriving = join(home, 'arriving')

/** Starts the provider and the demo; gives where they are and a link that signs in, once. */
async function demo() {
  const [port, providerPort] = [await freePort(), await freePort()]
  const url = `http://127.0.0.1:${port}`
  mkdirSync(arriving)
  const config = join(home, 'yagura.yaml')
  writeFileSync(config, `listen: 127.0.0.1:${port}
sources:
  - {type: file, paths: ["${arriving}"], follow: true, poll: 200ms}
people:
  oidc:
    - id: corp
      name: Company sign-in
      issuer: http://127.0.0.1:${providerPort}
      client_id: yagura
      client_secret: env:OIDC_SECRET
      scopes: [groups]
      roles: [{group: security, role: analyst}]
`)
  const env = { ...process.env, OIDC_SECRET: 'not much of a secret' }
  const provider = fileURLToPath(new URL('provider.mjs', import.meta.url))
  await start(process.execPath, [provider, String(providerPort), `${url}/api/signin/oidc/corp/callback`], /listening/, { env })
  const [link] = await start(binary, ['--config', config, 'demo', '--dir', join(home, 'demo'), '--serve'], /http:\/\/\S+\/signin#link=\S+/, { env })
  return { url, link }
}

/**
 * Writes a small world of its own, has commands read it, and serves what came of it;
 * gives a tab of who holds the token, and what is true of the world.
 */
export async function simulated(args, read, options = {}) {
  const own = mkdtempSync(join(tmpdir(), 'yagura-story-'))
  const run = (...command) => execFileSync(binary, ['--data', join(own, 'data'), ...command], { stdio: ['ignore', 'ignore', 'pipe'] })
  run('simulate', ...args, '--out', join(own, 'world'))
  read(run, join(own, 'world'))
  const url = `http://127.0.0.1:${await freePort()}`
  await start(binary, ['--data', join(own, 'data'), 'serve', '--listen', url.slice('http://'.length)], /serving/)
  const token = readFileSync(join(own, 'data', 'token'), 'utf8').trim()
  const t = await tab(undefined, { baseURL: url, extraHTTPHeaders: { Authorization: `Bearer ${token}` }, ...options })
  const { truth } = JSON.parse(readFileSync(join(own, 'world', 'world.json'), 'utf8'))
  const ask = (path, method = 'GET', body) => t.ask(method, path, body, { Authorization: `Bearer ${token}` })
  return { ...t, ask, url, token, truth, gone: () => rmSync(own, { recursive: true, force: true }) }
}

/** A server with nothing in it yet; gives the link of the first run. */
export async function empty() {
  const [link] = await start(binary, ['--data', join(home, 'empty'), 'serve', '--listen', `127.0.0.1:${await freePort()}`], /http:\/\/\S+\/first-run#link=\S+/)
  return { url: new URL(link).origin, link }
}

export const looks = {
  wide: { viewport: { width: 1280, height: 800 } },
  phone: { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true },
}

/** Ends what was started. */
export async function end() {
  await world?.browser.close()
  for (const c of children) {
    c.removeAllListeners('exit')
    if (c.exitCode !== null || !c.kill('SIGTERM')) continue
    await Promise.race([once(c, 'exit'), new Promise((r) => setTimeout(r, 10_000))])
  }
  rmSync(home, { recursive: true, force: true })
}

export let world

export async function begin() {
  const browser = await chromium.launch({
    executablePath: chromiumPath,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  })
  // A server that runs already, for whoever writes tests: YAGURA_E2E=URL LINK
  const [url, link] = (process.env.YAGURA_E2E ?? '').split(' ')
  world = { browser, ...(url ? { url, link } : await demo()) }
  return world
}

/**
 * A tab of somebody's, who is what signed-in state they have. What the browser
 * complains of, the policy first, is kept, and quiet() says that there was nothing.
 */
export async function tab(state, options = {}) {
  const context = await world.browser.newContext({ baseURL: world.url, storageState: state && { cookies: state.cookies, origins: [] }, locale: 'en-GB', timezoneId: 'Asia/Tokyo', reducedMotion: 'reduce', ...looks.wide, ...options })
  context.setDefaultTimeout(45_000) // two cores may be busy
  const told = []
  await context.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (e) => console.error(`policy: ${e.violatedDirective} ${e.blockedURI} ${e.sourceFile}:${e.lineNumber}`))
    window.alert = () => console.error('a script ran')
  })
  const page = await context.newPage()
  page.on('console', (m) => ['error', 'warning'].includes(m.type()) && told.push(`${m.type()}: ${m.text()}`))
  page.on('pageerror', (e) => told.push(`exception: ${e}`))
  page.on('dialog', (d) => (told.push(`dialog: ${d.message()}`), d.dismiss()))
  return {
    page,
    context,
    told,
    /** What the browser complained of, but for what the test has asked for. */
    quiet(...expected) {
      const left = told.filter((t) => !expected.some((e) => e.test(t)))
      if (left.length) throw new Error(`the browser complained:\n${left.join('\n')}`)
    },
    /** Asks the API as a page of ours does. */
    async ask(method, path, body, headers = { 'X-Yagura': '1', Origin: world.url }) {
      const r = await context.request.fetch(path, { method, data: body, headers })
      const text = await r.text()
      return { status: r.status(), body: text && text.startsWith('{') ? JSON.parse(text) : text }
    },
    close: () => context.close(),
  }
}

/** What tabs that are open show, for whoever reads that a test failed; and closes them. */
export async function shown() {
  const said = []
  for (const context of world.browser.contexts()) {
    for (const page of context.pages()) {
      const text = await page.locator('body').innerText({ timeout: 5000 }).catch((e) => e.message)
      said.push(`${page.url().replace(/#.*/, '')}: ${text.replace(/\s+/g, ' ').slice(0, 800)}`)
    }
    await context.close()
  }
  return said.join('\n')
}

/** Goes to a page and waits until it shows what it has. */
export async function visit(page, path) {
  await page.goto(path)
  await settled(page)
}

export async function settled(page) {
  await page.locator('#page h1, [role=status] > h2').first().waitFor()
  await page.waitForFunction(() => !document.querySelector('[aria-label="Loading"]') && !document.querySelector('[aria-busy="true"]'))
}

/** How far the page reaches over its sides. */
export function tooWide(page) {
  return page.evaluate(() => {
    const main = document.querySelector('#page') ?? document.documentElement
    return Math.max(document.documentElement.scrollWidth - window.innerWidth, main.scrollWidth - main.clientWidth)
  })
}
