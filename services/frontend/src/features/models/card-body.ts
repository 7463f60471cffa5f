/** A card without the YAML between `---` lines that model hubs put before its text. */
export function cardBody(text: string): string {
  return text.replace(/^\uFEFF?---\r?\n(?:[^]*?\r?\n)?---[ \t]*(?:\r?\n|$)/, '').trim();
}
