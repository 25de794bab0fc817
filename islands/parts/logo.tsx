/** The mark: a bubble, and a breath in it. */
import "./logo.css";

export function Logo({ size = 40 }: { size?: number }) {
  return (
    <svg
      width={size}
      height={size}
      viewBox="76 86 360 360"
      fill="none"
      aria-hidden="true"
    >
      <path
        class="logo-bubble"
        d="M256 102c-92 0-164 64-164 146 0 45 21 84 55 111 3 26-8 49-29 66 42 2 78-10 104-33 11 2 22 2 34 2 92 0 164-64 164-146S348 102 256 102Z"
      />
      <path
        class="logo-breath"
        d="M166 212c6 50 18 84 40 84 26 0 26-62 50-62s24 62 50 62c22 0 34-34 40-84"
      />
    </svg>
  );
}
