/** The mark: a bubble with three strokes that grow quieter. */
export function Logo({ size = 40 }: { size?: number }) {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 48 48"
      fill="none"
      aria-hidden="true"
    >
      <path
        d="M24 5C12.7 5 4 12.6 4 22.2c0 5.3 2.7 10 7 13.1V43l7.6-4.4c1.7.4 3.5.6 5.4.6 11.3 0 20-7.6 20-17S35.3 5 24 5Z"
        fill="var(--lamp)"
      />
      <path
        d="M15 17.5v9.4M24 19.2v6M33 21v2.4"
        stroke="var(--on-lamp)"
        stroke-width="3.6"
        stroke-linecap="round"
      />
    </svg>
  );
}
