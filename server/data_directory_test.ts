import { deepEqual, equal, rejects, throws } from "node:assert/strict";
import { join } from "node:path";
import { UsageError } from "./usage_error.ts";
import { defaultDataDirectory, openDataDirectory } from "./data_directory.ts";

const place = (os: typeof Deno.build.os, environment: Record<string, string>) =>
  defaultDataDirectory(os, (name) => environment[name]);

Deno.test("each platform has its own place for data", () => {
  equal(
    place("linux", { HOME: "/home/ann" }),
    "/home/ann/.local/share/whisper",
  );
  equal(
    place("linux", { HOME: "/home/ann", XDG_DATA_HOME: "/data" }),
    "/data/whisper",
  );
  equal(
    place("freebsd", { HOME: "/home/ann" }),
    "/home/ann/.local/share/whisper",
  );
  equal(
    place("darwin", { HOME: "/Users/ann" }),
    "/Users/ann/Library/Application Support/Whisper",
  );
  equal(
    place("windows", { LOCALAPPDATA: "C:\\Local" }),
    join("C:\\Local", "Whisper"),
  );
  throws(() => place("linux", {}), UsageError);
});

Deno.test("the directory and what is in it are for its owner alone, and for one process at a time", async () => {
  const temporary = await Deno.makeTempDir();
  const path = join(temporary, "deep", "er");
  try {
    const mine = await openDataDirectory(path);
    await Deno.writeTextFile(mine.database, "");
    const mode = async (file: string) =>
      ((await Deno.stat(file)).mode ?? 0) & 0o777;
    deepEqual([await mode(path), await mode(mine.database)], [0o700, 0o600]);
    await rejects(
      openDataDirectory(path),
      /Another Whisper is using the data directory/,
    );
    mine.release();
    (await openDataDirectory(path)).release();
  } finally {
    await Deno.remove(temporary, { recursive: true });
  }
});

Deno.test("a place that can't hold data is refused with its name", async () => {
  const file = await Deno.makeTempFile();
  try {
    await rejects(
      openDataDirectory(file),
      (error) => error instanceof UsageError && error.message.includes(file),
    );
    await rejects(openDataDirectory(join(file, "below")), UsageError);
  } finally {
    await Deno.remove(file);
  }
});
