/** The mark: islands in a ring around a lagoon, with two passages to the sea. */
export function Logo({ className }: { className?: string }) {
  return (
    <svg viewBox="0 0 32 32" className={className} aria-hidden focusable="false">
      <circle cx="16" cy="16" r="15" fill="#0b6e70" />
      <circle cx="16" cy="16" r="8.5" fill="#4cc9be" />
      <circle
        cx="16"
        cy="16"
        r="8.5"
        fill="none"
        stroke="#fdf3dc"
        strokeWidth="4"
        strokeLinecap="round"
        strokeDasharray="23 7.5 8 14.9"
        transform="rotate(-118 16 16)"
      />
    </svg>
  );
}
