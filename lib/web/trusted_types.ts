/**
 * The one Trusted Types policy of the page, named in the content security policy. It lets exactly the
 * listed scripts of our own be loaded as workers; every other string reaching a script sink is refused.
 */
const SERVICE_WORKER = "/sw.js";

/** The build puts every worker there, hashed, and nothing comes there but by the build. */
const WORKER = import.meta.env?.DEV
  ? /^\/[a-z0-9_/]+_worker\.ts\?worker_file&type=module$/
  : /^\/assets\/[a-z0-9_]+_worker-[\w-]+\.js$/;

interface Policy {
  createScriptURL(url: string): string;
}
interface PolicyFactory {
  createPolicy(name: string, rules: Policy): Policy;
}

function allowed(path: string): string {
  if (path !== SERVICE_WORKER && !WORKER.test(path)) {
    throw new TypeError(`${path} is not a worker of this page`);
  }
  return path;
}

const rules: Policy = { createScriptURL: allowed };
// Not yet part of TypeScript's DOM; absent in browsers that do not enforce it, where the rule itself is used.
const factory = (globalThis as { trustedTypes?: PolicyFactory }).trustedTypes;
const policy = factory?.createPolicy("whisper", rules) ?? rules;

/**
 * A URL that may be handed to `new Worker` or `serviceWorker.register`. Where the browser has Trusted
 * Types it is a TrustedScriptURL, which stands wherever the DOM's types say string.
 */
export function workerUrl(path: string): string {
  return policy.createScriptURL(path);
}
