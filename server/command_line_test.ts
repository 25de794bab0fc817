import { deepEqual, equal, match, throws } from "node:assert/strict";
import fc from "fast-check";
import {
  ENVIRONMENT,
  environmentName,
  HELP,
  parseCommandLine,
  UsageError,
} from "./command_line.ts";

const parse = (args: string[], environment: Record<string, string> = {}) =>
  parseCommandLine(args, (name) => environment[name]);

const DEFAULTS = {
  port: 8000,
  host: "127.0.0.1",
  data: undefined,
  publicUrl: undefined,
  tls: undefined,
};

Deno.test("without words it serves on this machine's port 8000", () => {
  deepEqual(parse([]), { name: "serve", options: DEFAULTS });
  deepEqual(parse(["serve"]), { name: "serve", options: DEFAULTS });
});

Deno.test("every option can be given as two words, as one, or in the environment", () => {
  const values = [
    ["port", "9000"],
    ["host", "0.0.0.0"],
    ["data", "/srv/whisper"],
    ["public-url", "https://whisper.example"],
    ["tls-cert", "c.pem"],
    ["tls-key", "k.pem"],
  ] as const;
  const expected = {
    name: "serve",
    options: {
      port: 9000,
      host: "0.0.0.0",
      data: "/srv/whisper",
      publicUrl: "https://whisper.example",
      tls: { cert: "c.pem", key: "k.pem" },
    },
  };
  deepEqual(
    parse(values.flatMap(([name, value]) => [`--${name}`, value])),
    expected,
  );
  deepEqual(
    parse(values.map(([name, value]) => `--${name}=${value}`)),
    expected,
  );
  deepEqual(
    parse(
      [],
      Object.fromEntries(
        values.map(([name, value]) => [environmentName(name), value]),
      ),
    ),
    expected,
  );
});

Deno.test("the command line wins over the environment, and an empty variable is none", () => {
  const { options } = parse(["--port", "1"], {
    WHISPER_PORT: "2",
    WHISPER_HOST: "",
  }) as { options: typeof DEFAULTS };
  deepEqual(options, { ...DEFAULTS, port: 1 });
});

Deno.test("the help names every option and every variable", () => {
  for (const variable of ENVIRONMENT) match(HELP, new RegExp(variable));
  for (
    const args of [["--help"], ["-h"], ["help"], ["--port", "1", "--help"]]
  ) {
    deepEqual(parse(args), { name: "help" });
  }
});

const WRONG: readonly [args: string[], line: RegExp][] = [
  [
    ["--port", "abc"],
    /^--port is "abc"; it must be a number from 0 to 65535\.$/,
  ],
  [["--port", "65536"], /^--port is "65536"/],
  [["--port", "-1"], /^--port is "-1"/],
  [["--port", "80.5"], /^--port is "80\.5"/],
  [["--port"], /^--port needs a value\.$/],
  [["--port", "--host", "x"], /^--port needs a value\.$/],
  [["--port="], /^--port needs a value\.$/],
  [
    ["--host", "a b"],
    /^--host is "a b"; it must be an address or a host name\.$/,
  ],
  [
    ["--public-url", "whisper.example"],
    /^--public-url is "whisper\.example"; it must be an origin/,
  ],
  [["--public-url", "https://whisper.example/chat"], /without a path\.$/],
  [["--public-url", "ftp://whisper.example"], /it must be an origin/],
  [["--public-url", "https://me:pw@whisper.example"], /it must be an origin/],
  [["--tls-cert", "c.pem"], /^--tls-cert needs --tls-key beside it\.$/],
  [["--tls-key", "k.pem"], /^--tls-key needs --tls-cert beside it\.$/],
  [["--prot", "1"], /^There is no option --prot; see --help\.$/],
  [["-p", "1"], /^There is no option -p; see --help\.$/],
  [
    ["listen", "carefully"],
    /^There is no command "listen carefully"; see --help\.$/,
  ],
];

Deno.test("what is wrong is said in one line that names it", () => {
  for (const [args, line] of WRONG) {
    throws(
      () => parse(args),
      (error) => error instanceof UsageError && line.test(error.message),
      args.join(" "),
    );
  }
  throws(
    () => parse([], { WHISPER_PORT: "x" }),
    /^UsageError: WHISPER_PORT is "x"/,
  );
});

Deno.test("any words give a command or a usage error of one line", () => {
  fc.assert(fc.property(fc.array(fc.string()), (args) => {
    try {
      parse(args);
    } catch (error) {
      equal(error instanceof UsageError && !/[\r\n]/.test(error.message), true);
    }
  }));
});
