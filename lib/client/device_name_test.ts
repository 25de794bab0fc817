import assert from "node:assert/strict";
import { nameOfBrowser } from "./device_name.ts";

Deno.test("a device is called after its browser and system, as far as they say", () => {
  const named = {
    "Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0":
      "Firefox · Linux",
    "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Mobile Safari/537.36":
      "Chrome · Android",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36 Edg/156.0.0.0":
      "Edge · Windows",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.0 Mobile/15E148 Safari/604.1":
      "Safari · iPhone",
    "something else": "",
  };
  for (const [userAgent, name] of Object.entries(named)) {
    assert.equal(nameOfBrowser(userAgent), name);
  }
});
