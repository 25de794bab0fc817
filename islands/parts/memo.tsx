/** A component that is drawn again only when its props say something new. */
import { Component, type ComponentClass, type FunctionComponent } from "preact";

/** Whether every prop of `a` is the same value in `b`, and the other way round. */
export function sameProps<P extends object>(a: P, b: P): boolean {
  const keys = Object.keys(a) as (keyof P)[];
  return keys.length === Object.keys(b).length &&
    keys.every((key) => Object.is(a[key], b[key]));
}

/** As in `preact/compat`, without the rest of it. Signals read inside still draw it again. */
export function memo<P extends object>(
  Inner: FunctionComponent<P>,
  same: (a: P, b: P) => boolean = sameProps,
): ComponentClass<P> {
  return class Memo extends Component<P> {
    override shouldComponentUpdate(next: P) {
      return !same(this.props, next);
    }
    override render() {
      return <Inner {...this.props} />;
    }
  };
}
