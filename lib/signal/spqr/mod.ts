/**
 * SPQR, the Sparse Post-Quantum Ratchet (version 1): the third ratchet beside
 * the Double Ratchet's two. Each message carries a few bytes of an ML-KEM-768
 * exchange, and every message key gets a salt that a quantum computer cannot
 * reconstruct. Knows nothing of sessions, storage or network.
 */
export type { Role } from "./chain.ts";
export { SpqrError } from "./error.ts";
export type { SpqrErrorCode } from "./error.ts";
export { epochOf, erase, initialState, receive, send } from "./spqr.ts";
export type { Random, SpqrState } from "./spqr.ts";
export { parse, serialize } from "./state_codec.ts";
