import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  resolve: {
    alias: [
      { find: /^@\//, replacement: fileURLToPath(new URL('./', import.meta.url)) },
      // Texts are compiled, as in the page: see next.config.ts.
      { find: /^use-intl\/format-message$/, replacement: 'use-intl/format-message/format-only' },
    ],
  },
  test: {
    include: ['tests/unit/**/*.test.{ts,tsx}', 'packages/*/tests/**/*.test.ts'],
    server: { deps: { inline: ['use-intl'] } },
    // The machine that runs this may be busy with builds.
    testTimeout: 60_000,
    reporters: ['dot'],
  },
})
