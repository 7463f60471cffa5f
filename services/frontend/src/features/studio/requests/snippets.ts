/** "The same request" for a terminal and for a program. */
import type { Parameters } from '@/api/tasks';
import type { TaskName } from '@/api/types';

export interface Sent {
  task: TaskName;
  /** A file's name, or a text. */
  input: { file: string } | { text: string };
  parameters: Parameters;
  /** What the result is as a file; null for a result in JSON. */
  saveAs: { mediaType: string; name: string } | null;
}

/** A word that a POSIX shell takes as it is. */
function shellWord(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** A name behind `@` in `curl -F`, where quotation marks shield `;` and `,`. */
function curlFile(name: string): string {
  return /^[\w./ -]+$/.test(name)
    ? `@${name}`
    : `@"${name.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

/** A Python literal; JSON's strings and numbers are some. */
const literal = (value: string | number) => JSON.stringify(value);

function dict(entries: [string, string | number][]): string {
  return `{${entries.map(([name, value]) => `${literal(name)}: ${literal(value)}`).join(', ')}}`;
}

export function curlOf({ task, input, parameters, saveAs }: Sent, origin: string): string {
  const lines = [
    `curl ${origin}/inference/${task}`,
    '-H "Authorization: Bearer $ATOLL_API_KEY"',
    ...(saveAs === null ? [] : [`-H "Accept: ${saveAs.mediaType}" -o ${saveAs.name}`]),
  ];
  if ('text' in input) {
    lines.push('-H "Content-Type: application/json"');
    lines.push(`-d ${shellWord(JSON.stringify({ text: input.text, ...parameters }))}`);
  } else {
    lines.push(`-F ${shellWord(`file=${curlFile(input.file)}`)}`);
    for (const [name, value] of Object.entries(parameters)) {
      // A value that begins with @ or < would name a file.
      lines.push(`--form-string ${shellWord(`${name}=${value}`)}`);
    }
  }
  return lines.join(' \\\n  ');
}

export function pythonOf({ task, input, parameters, saveAs }: Sent, origin: string): string {
  const headers = [
    '"Authorization": f"Bearer {os.environ[\'ATOLL_API_KEY\']}"',
    ...(saveAs === null ? [] : [`"Accept": ${literal(saveAs.mediaType)}`]),
  ];
  const isFile = 'file' in input;
  const entries = Object.entries(parameters);
  const payload = isFile
    ? ['files={"file": file}', ...(entries.length > 0 ? [`data=${dict(entries)}`] : [])]
    : [`json=${dict([['text', input.text], ...entries])}`];
  const call = [
    'answer = requests.post(',
    `    ${literal(`${origin}/inference/${task}`)},`,
    `    headers={${headers.join(', ')}},`,
    ...payload.map((argument) => `    ${argument},`),
    ')',
  ];
  return [
    'import os',
    '',
    'import requests',
    '',
    ...(isFile
      ? [`with open(${literal(input.file)}, "rb") as file:`, ...call.map((line) => `    ${line}`)]
      : call),
    'answer.raise_for_status()',
    saveAs === null
      ? 'print(answer.json()["result"])'
      : `open(${literal(saveAs.name)}, "wb").write(answer.content)`,
  ].join('\n');
}
