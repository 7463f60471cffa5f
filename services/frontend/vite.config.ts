import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

import tailwindcss from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';

const local = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** Serves openapi/openapi.json as /openapi.json, in development and in the build. */
function openapiDocument(): Plugin {
  const source = local('./openapi/openapi.json');
  return {
    name: 'openapi-document',
    configureServer(server) {
      server.middlewares.use('/openapi.json', (_request, response, next) => {
        readFile(source).then((body) => {
          response.setHeader('Content-Type', 'application/json');
          response.end(body);
        }, next);
      });
    },
    async buildStart() {
      if (this.environment.config.command !== 'build') return;
      this.emitFile({
        type: 'asset',
        fileName: 'openapi.json',
        source: await readFile(source),
      });
    },
  };
}

/** Leaves KaTeX the font format that every browser able to run this page reads. */
function modernKatexFonts(): Plugin {
  return {
    name: 'modern-katex-fonts',
    enforce: 'pre',
    transform(code, id) {
      if (!id.endsWith('katex.min.css')) return null;
      return code.replaceAll(/,url\([^)]*\.(?:woff|ttf)\) format\("(?:woff|truetype)"\)/g, '');
    },
  };
}

// Only the development server forwards: in production the gateway joins page and API.
const gateway = process.env.ATOLL_GATEWAY ?? 'http://127.0.0.1:8080';

export default defineConfig({
  plugins: [react(), tailwindcss(), openapiDocument(), modernKatexFonts()],
  resolve: { alias: { '@': local('./src') } },
  server: {
    host: '127.0.0.1',
    proxy: { '/api': gateway, '/v1': gateway },
  },
  preview: { host: '127.0.0.1' },
  build: {
    // The content security policy has no font-src, so fonts may not be data: URLs.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 1600,
    rollupOptions: {
      input: { index: local('./index.html'), docs: local('./docs/index.html') },
    },
  },
});
