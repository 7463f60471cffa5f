/** Where a half circle from the left over the top to the right is at `fraction`, 0 to 1. */
export function arcPoint(fraction: number, radius: number, centre: { x: number; y: number }) {
  const angle = Math.PI * (1 - Math.min(1, Math.max(0, fraction)));
  return {
    x: Number((centre.x + radius * Math.cos(angle)).toFixed(2)),
    y: Number((centre.y - radius * Math.sin(angle)).toFixed(2)),
  };
}

/** An SVG path along that half circle from 0 to `fraction`; empty at 0. */
export function arcPath(
  fraction: number,
  radius: number,
  centre: { x: number; y: number },
): string {
  if (!(fraction > 0)) return '';
  const from = arcPoint(0, radius, centre);
  const to = arcPoint(fraction, radius, centre);
  return `M${from.x} ${from.y}A${radius} ${radius} 0 0 1 ${to.x} ${to.y}`;
}
