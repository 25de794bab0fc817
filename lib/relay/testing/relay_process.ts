import type { JournalOptions } from "../journal.ts";
import type { Limits } from "../limits.ts";

/** A real relay in its own process, on a real port. */
export class RelayProcess {
  /** ws: address */
  readonly url: string;
  readonly #child: Deno.ChildProcess;
  readonly #lines: ReadableStreamDefaultReader<string>;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  #text = "";

  private constructor(
    child: Deno.ChildProcess,
    lines: ReadableStreamDefaultReader<string>,
  ) {
    this.#child = child;
    this.#lines = lines;
    this.#input = child.stdin.getWriter();
    this.url = "";
  }

  /**
   * Resolves when it listens. Each commit begins `commitDelay` ms late. `under`: a command that runs the one
   * that is put behind it.
   */
  static async start(
    kvFile: string,
    limits: Partial<Limits> = {},
    commitDelay = 0,
    journal: Partial<JournalOptions> = {},
    under: readonly string[] = [],
  ): Promise<RelayProcess> {
    const [command, ...args] = [...under, Deno.execPath()];
    const child = new Deno.Command(command, {
      args: [
        ...args,
        "run",
        "-A",
        "--no-check",
        "--unstable-kv",
        "--v8-flags=--expose-gc",
        new URL("serve.ts", import.meta.url).href,
        kvFile,
        JSON.stringify(limits),
        String(commitDelay),
        JSON.stringify(journal),
      ],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const relay = new RelayProcess(
      child,
      child.stdout.pipeThrough(new TextDecoderStream()).getReader(),
    );
    const port = await relay.#line();
    return Object.assign(relay, { url: `ws://127.0.0.1:${port}/relay` });
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Bytes of memory that it holds. */
  async memory(): Promise<number> {
    await this.#input.write(new TextEncoder().encode("memory\n"));
    return Number(await this.#line());
  }

  /** As the power fails: no chance to finish anything. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#over();
    await this.#input.abort().catch(() => {}); // the pipe's other end is gone: that is why
  }

  /** As a host stops it. */
  async stop(): Promise<void> {
    await this.#input.close();
    await this.#over();
  }

  async #over(): Promise<void> {
    while (!(await this.#lines.read()).done);
    await this.#child.status;
  }

  async #line(): Promise<string> {
    while (!this.#text.includes("\n")) {
      const { done, value } = await this.#lines.read();
      if (done) throw new Error("the relay process ended");
      this.#text += value;
    }
    const [line, ...rest] = this.#text.split("\n");
    this.#text = rest.join("\n");
    return line;
  }
}
