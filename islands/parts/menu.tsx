/** A menu of things to do, to be fetched when it is opened. On the platform's popover: over everything, closed by Escape or a click beside it. */
import "./menu.css";
import type { ComponentType } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";

export interface MenuItem {
  readonly label: string;
  readonly icon: ComponentType<{ size: number }>;
  readonly danger?: boolean;
  readonly onSelect: () => void;
}

/** `anchor` is the button that it belongs to, and gets the focus back. `at`: where it opens, if not there. */
export function Menu(
  { label, items, anchor, at, onClose }: {
    label: string;
    items: readonly MenuItem[];
    anchor: () => HTMLElement | null | undefined;
    at?: DOMRect;
    onClose: () => void;
  },
) {
  const list = useRef<HTMLUListElement>(null);
  const entries = () => [
    ...list.current?.querySelectorAll<HTMLElement>("[role=menuitem]") ?? [],
  ];

  useLayoutEffect(() => {
    const menu = list.current;
    if (!menu) return;
    menu.showPopover();
    const place = () => {
      const near = at ?? anchor()?.getBoundingClientRect();
      if (near) placeBeside(menu, near);
    };
    place();
    addEventListener("resize", place);
    entries()[0]?.focus();
    return () => {
      removeEventListener("resize", place);
      // Whoever closes it without having gone elsewhere is back at the button.
      const inside = menu.contains(document.activeElement);
      if (inside) anchor()?.focus();
    };
  }, []);

  const onKeyDown = (event: KeyboardEvent) => {
    const all = entries();
    const at = all.findIndex((entry) => entry === document.activeElement);
    const moves: Record<string, number> = {
      ArrowDown: (at + 1) % all.length,
      ArrowUp: (at - 1 + all.length) % all.length,
      Home: 0,
      End: all.length - 1,
    };
    if (event.key === "Tab") onClose();
    const to = moves[event.key];
    if (to === undefined) return;
    event.preventDefault();
    all[to].focus();
  };

  return (
    <ul
      ref={list}
      class="menu"
      role="menu"
      aria-label={label}
      popover="auto"
      onKeyDown={onKeyDown}
      onToggle={(event) => {
        if (event.newState === "closed") onClose();
      }}
    >
      {items.map(({ label, icon: Icon, danger, onSelect }) => (
        <li key={label} role="none">
          <button
            type="button"
            role="menuitem"
            tabIndex={-1}
            class={`menu-item${danger ? " menu-item-danger" : ""}`}
            onClick={() => {
              // First, so that a dialog gives the focus back to the button and not to what is gone.
              anchor()?.focus();
              onClose();
              onSelect();
            }}
          >
            <Icon size={18} />
            {label}
          </button>
        </li>
      ))}
    </ul>
  );
}

/** Least distance from the edges of the window, px. */
const MARGIN = 8;

/** Below what it belongs to with its end at the end of that, or above where there is no room; at a point it begins there. */
function placeBeside(menu: HTMLElement, near: DOMRect): void {
  const { width, height } = menu.getBoundingClientRect();
  const { direction } = getComputedStyle(menu);
  const ends = (direction === "rtl") === (near.width > 0)
    ? near.left
    : near.right - width;
  const left = Math.max(MARGIN, Math.min(ends, innerWidth - width - MARGIN));
  const below = near.bottom + MARGIN / 2;
  const top = below + height > innerHeight - MARGIN
    ? Math.max(MARGIN, near.top - height - MARGIN / 2)
    : below;
  // Through the object model, which the content security policy lets: an attribute it would not.
  menu.style.setProperty("left", `${left}px`);
  menu.style.setProperty("top", `${top}px`);
}
