/**
 * Islands while rendering: each component of `islands/` comes out inside an `<is-land>` element that
 * carries its module and props, so that the browser can hydrate exactly those parts of the page.
 */
import { type ComponentType, createContext, h, options } from "preact";
import { useContext } from "preact/hooks";

type Props = Record<string, unknown>;
export interface IslandModule {
  readonly default: ComponentType<Props>;
}

/**
 * From here on, rendering marks the given islands (keyed by module path). An island inside another
 * is part of it and left alone. `onIsland` hears the path of each island rendered. Call it once.
 */
export function markIslands(
  modules: Readonly<Record<string, IslandModule>>,
  onIsland: (path: string) => void,
): void {
  const Inside = createContext(false);
  let marking = true;
  const unmarked = (Component: ComponentType<Props>, props: Props) => {
    marking = false;
    try {
      return h(Component, props);
    } finally {
      marking = true;
    }
  };
  const wrappers = new Map<unknown, ComponentType<Props>>();
  for (const [path, { default: Component }] of Object.entries(modules)) {
    wrappers.set(Component, (props) => {
      const child = unmarked(Component, props);
      if (useContext(Inside)) return child;
      onIsland(path);
      return h(
        "is-land",
        { "data-path": path, "data-props": JSON.stringify(props) },
        h(Inside.Provider, { value: true, children: child }),
      );
    });
  }
  const previous = options.vnode;
  options.vnode = (vnode) => {
    const wrapper = marking ? wrappers.get(vnode.type) : undefined;
    // The wrapper takes the same props as what it wraps, so the vnode stays well-formed.
    if (wrapper) vnode.type = wrapper as typeof vnode.type;
    previous?.(vnode);
  };
}
