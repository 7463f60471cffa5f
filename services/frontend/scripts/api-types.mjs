// Writes src/api/schema.d.ts from openapi/openapi.json; with --check it only compares.
import { readFile, writeFile } from 'node:fs/promises';

import openapiTS, { astToString } from 'openapi-typescript';

const source = new URL('../openapi/openapi.json', import.meta.url);
const target = new URL('../src/api/schema.d.ts', import.meta.url);
const header = '// Generated from openapi/openapi.json by `npm run api:generate`. Do not edit.\n\n';

const wanted =
  header + astToString(await openapiTS(source, { alphabetize: true, defaultNonNullable: false }));

if (process.argv.includes('--check')) {
  const present = await readFile(target, 'utf8').catch(() => '');
  if (present !== wanted) {
    console.error(
      'src/api/schema.d.ts differs from openapi/openapi.json: run `npm run api:generate`',
    );
    process.exit(1);
  }
} else {
  await writeFile(target, wanted);
}
