const fencedOrInlineCode =
  /(^ {0,3}(`{3,}|~{3,})[^\n]*\n[\s\S]*?(?:^ {0,3}\2[`~]*[ \t]*$|$(?![\s\S]))|(`+)[^`](?:[\s\S]*?[^`])?\3(?!`))/m;

/**
 * Makes mathematics unambiguous for the Markdown parser, leaving code alone:
 * `\(…\)` and `\[…\]`, which models like to write, become `$…$` and `$$…$$`; and a dollar that
 * cannot delimit a formula ("between $5 and $10") is escaped. The rule is pandoc's: the opening
 * dollar has no space after it, the closing one none before it and no digit after it.
 */
export function normaliseMath(text: string): string {
  if (!/[$\\]/.test(text)) return text;
  let result = '';
  let rest = text;
  for (;;) {
    const code = fencedOrInlineCode.exec(rest);
    if (code === null) return result + prose(rest);
    result += prose(rest.slice(0, code.index)) + code[0];
    rest = rest.slice(code.index + code[0].length);
  }
}

function prose(text: string): string {
  const dollars = text
    .replace(/\\\[([\s\S]+?)\\\]/g, (_all, formula: string) => `$$${formula}$$`)
    .replace(/\\\((.+?)\\\)/g, (_all, formula: string) => `$${formula.trim()}$`)
    // Alone on its line it is meant as a display, which the parser wants on lines of its own.
    .replace(/^([ \t]*)\$\$[ \t]*([^$\n]+?)[ \t]*\$\$[ \t]*$/gm, '$1$$$$\n$1$2\n$1$$$$');
  return dollars.replace(
    /\$\$[\s\S]*?(?:\$\$|$(?![\s\S]))|\\\$|(\$)(?:(?![\s$])((?:\\.|[^$\n\\])*?[^\s$\\]|[^\s$\\])\$(?!\d))?/g,
    (all: string, single?: string, formula?: string) =>
      single !== undefined && formula === undefined ? '\\$' : all,
  );
}
