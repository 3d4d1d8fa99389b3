import { fileURLToPath } from 'node:url'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  plugins: [react()],
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  build: {
    target: 'es2022',
    // web/web.go embeds dist; public/ holds the one file of it that is committed.
    emptyOutDir: true,
    assetsInlineLimit: 0,
    manifest: 'manifest.json',
    chunkSizeWarningLimit: 900,
  },
  server: {
    // `yagura serve` beside `npm run dev`; YAGURA_TOKEN stands in for a sign-in.
    proxy: {
      '/api': {
        target: process.env.YAGURA_URL ?? 'http://127.0.0.1:8484',
        headers: process.env.YAGURA_TOKEN ? { Authorization: `Bearer ${process.env.YAGURA_TOKEN}` } : {},
      },
    },
  },
  test: {
    environment: 'happy-dom',
    setupFiles: ['src/test/setup.ts'],
    restoreMocks: true,
    testTimeout: 20_000,
  },
})
