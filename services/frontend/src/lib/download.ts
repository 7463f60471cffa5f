/** Hands a file made in the page to the browser's downloads. */
export function download(name: string, content: Blob | string, mediaType = 'text/plain'): void {
  const blob = typeof content === 'string' ? new Blob([content], { type: mediaType }) : content;
  const url = URL.createObjectURL(blob);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  // Not at once: the browser reads it after this task.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** `name` without its last extension, for naming what was made of it. */
export function stemOf(name: string | null): string {
  const stem = name?.replace(/(?<=.)\.[^.]*$/, '') ?? '';
  return stem === '' ? 'result' : stem;
}
