/** A button that opens a menu of things to do. On the platform's popover: over everything, closed by Escape or a click beside it. */
import "./menu.css";
import type { Signal } from "@preact/signals";
import type { ComponentType } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { IconButton } from "./button.tsx";

export interface MenuItem {
  readonly label: string;
  readonly icon: ComponentType<{ size: number }>;
  readonly danger?: boolean;
  readonly onSelect: () => void;
}

/** `items` is called when there is a menu to show. `open` is the caller's, who may open it by other ways too. */
export function MenuButton(
  { label, icon: Icon, items, open }: {
    label: string;
    icon: MenuItem["icon"];
    items: () => readonly MenuItem[];
    open: Signal<boolean>;
  },
) {
  const frame = useRef<HTMLSpanElement>(null);
  const button = () => frame.current?.querySelector("button");
  return (
    <span class="menu-frame" ref={frame}>
      <IconButton
        label={label}
        aria-haspopup="menu"
        aria-expanded={open.value}
        onClick={() => {
          open.value = !open.value;
        }}
      >
        <Icon size={20} />
      </IconButton>
      {open.value && (
        <Menu
          label={label}
          items={items()}
          anchor={button}
          onClose={() => {
            open.value = false;
          }}
        />
      )}
    </span>
  );
}

function Menu(
  { label, items, anchor, onClose }: {
    label: string;
    items: readonly MenuItem[];
    anchor: () => HTMLElement | null | undefined;
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
      const near = anchor();
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

/** Below the button with its end at the button's end, or above where there is no room. */
function placeBeside(menu: HTMLElement, anchor: HTMLElement): void {
  const near = anchor.getBoundingClientRect();
  const { width, height } = menu.getBoundingClientRect();
  const ends = getComputedStyle(anchor).direction === "rtl"
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
