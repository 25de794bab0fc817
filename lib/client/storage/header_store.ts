import {
  encodeHeader,
  HEADER_KEY,
  parseHeader,
  type VaultHeader,
} from "./header.ts";
import type { Store } from "./store.ts";

/** The vault's header on a disk; undefined where there is no vault. Throws what `parseHeader` does. */
export async function readHeader(
  store: Store,
  schema: number,
): Promise<VaultHeader | undefined> {
  const [bytes] = await store.get([HEADER_KEY]);
  return bytes && parseHeader(bytes, schema);
}

export function storeHeader(store: Store, header: VaultHeader): Promise<void> {
  return store.commit([{ key: HEADER_KEY, value: encodeHeader(header) }]);
}
