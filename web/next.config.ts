import type { NextConfig } from 'next'

const config: NextConfig = {
  output: 'export',
  // `/ko/chat/index.html`: every file server finds it at `/ko/chat/`, without rules of its own.
  trailingSlash: true,
  images: { unoptimized: true },
  // The package is TypeScript, and is compiled with the page.
  transpilePackages: ['chat-core'],
  turbopack: {
    resolveAlias: {
      // Texts are compiled when the page is built (lib/messages.ts), so the browser does not need the parser.
      'use-intl/format-message': 'use-intl/format-message/format-only',
      'next/dist/compiled/path-to-regexp': './lib/noRewrites.ts',
    },
  },
  // `make web-test` checks types by itself, with the tests.
  typescript: { ignoreBuildErrors: true },
}

export default config
