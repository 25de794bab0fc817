/** The program as one file, started as somebody does who has nothing else. */

export interface Started {
  /** Where it listens. */
  readonly url: string;
  /** What it printed until it did. */
  readonly said: string;
  /** Stops it in order, and gives its exit code. */
  stop(): Promise<number>;
}

/** Starts an executable in the empty directory `home`. Resolves when it listens. */
export async function startExecutable(
  executable: string,
  home: string,
): Promise<Started> {
  const child = new Deno.Command(executable, {
    args: ["--port", "0"],
    cwd: home,
    clearEnv: true,
    env: { HOME: home, PATH: Deno.env.get("PATH") ?? "" },
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const stop = async () => {
    child.kill("SIGTERM");
    const { code } = await child.status;
    await reader.cancel();
    return code;
  };
  let said = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) {
      await child.status;
      throw new Error(`it ended, saying ${JSON.stringify(said)}`);
    }
    said += value;
    const [, url] = /listening at (http\S+)\n/.exec(said) ?? [];
    if (url && said.includes("stops it")) return { url, said, stop };
  }
}
