import { deepEqual, equal, match, throws } from "node:assert/strict";
import fc from "fast-check";
import { DEFAULT_LIMITS } from "../lib/relay/mod.ts";
import { parseCommandLine, unknownSettings } from "./command_line.ts";
import { help } from "./help.ts";
import { LIMIT_OPTIONS } from "./limit_options.ts";
import { duration, durationText, size, sizeText } from "./option_values.ts";
import { COMMANDS, environmentName, isCommand, OPTIONS } from "./options.ts";
import { UsageError } from "./usage_error.ts";

const parse = (args: string[], environment: Record<string, string> = {}) =>
  parseCommandLine(args, (name) => environment[name]);

const DEFAULTS = {
  port: 8000,
  host: "127.0.0.1",
  data: undefined,
  publicUrl: undefined,
  tls: undefined,
  access: undefined,
  metricsPort: undefined,
  forward: {
    allow: undefined,
    deny: undefined,
    private: false,
    throughTor: false,
  },
  tor: undefined,
  limits: {},
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
    ["access", "a horse, a battery"],
    ["metrics-port", "9100"],
    ["forward-allow", "relay.example, *.Example.org"],
    ["forward-deny", "bad.example.org"],
    ["messages-per-queue", "100"],
    ["bytes-per-queue", "2MiB"],
    ["message-lifetime", "36h"],
  ] as const;
  const expected = {
    name: "serve",
    options: {
      port: 9000,
      host: "0.0.0.0",
      data: "/srv/whisper",
      publicUrl: "https://whisper.example",
      tls: { cert: "c.pem", key: "k.pem" },
      access: { password: "a horse, a battery" },
      metricsPort: 9100,
      forward: {
        allow: ["relay.example", "*.example.org"],
        deny: ["bad.example.org"],
        private: false,
        throughTor: false,
      },
      tor: undefined,
      limits: {
        messagesPerQueue: 100,
        bytesPerQueue: 2_097_152,
        messageLifetime: 129_600,
      },
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

Deno.test("a password can be in a file, whose name may be in the environment", () => {
  const { options } = parse([], { WHISPER_ACCESS_FILE: "secret" }) as {
    options: typeof DEFAULTS;
  };
  deepEqual(options, { ...DEFAULTS, access: { file: "secret" } });
});

Deno.test("Tor is used as a flag says, one that runs when it is named", () => {
  const tor = (args: string[], environment?: Record<string, string>) => {
    const { options } = parse(args, environment) as {
      options: { tor?: unknown };
    };
    return options.tor;
  };
  const own = {
    publish: true,
    running: undefined,
    passwordFile: undefined,
    configFile: undefined,
  };
  deepEqual(tor(["--tor"]), own);
  deepEqual(tor(["--forward-through-tor"]), { ...own, publish: false });
  equal(tor(["--forward-through-tor", "--no-forward"]), undefined);
  deepEqual(tor(["--tor", "--tor-config", "c"]), { ...own, configFile: "c" });
  deepEqual(
    tor([], {
      WHISPER_TOR: "yes",
      WHISPER_TOR_CONTROL: "[::1]:9051",
      WHISPER_TOR_PASSWORD_FILE: "p",
    }),
    { ...own, running: { host: "::1", port: 9051 }, passwordFile: "p" },
  );
});

Deno.test("the command line wins over the environment, and an empty variable is none", () => {
  const { options } = parse(["--port", "1"], {
    WHISPER_PORT: "2",
    WHISPER_HOST: "",
  }) as { options: typeof DEFAULTS };
  deepEqual(options, { ...DEFAULTS, port: 1 });
});

Deno.test("a flag is given or not, in the environment yes or no", () => {
  const forwarding = (args: string[], environment?: Record<string, string>) => {
    const { options } = parse(args, environment) as {
      options: typeof DEFAULTS;
    };
    return options.forward;
  };
  const { forward } = DEFAULTS;
  equal(forwarding(["--no-forward"]), undefined);
  equal(forwarding([], { WHISPER_NO_FORWARD: "yes" }), undefined);
  deepEqual(forwarding([], { WHISPER_NO_FORWARD: "no" }), forward);
  const anywhere = { ...forward, private: true };
  deepEqual(forwarding(["--forward-private"]), anywhere);
  deepEqual(forwarding([], { WHISPER_FORWARD_PRIVATE: "1" }), anywhere);
  throws(() => parse([], { WHISPER_NO_FORWARD: "maybe" }), (error) => {
    return error instanceof UsageError &&
      error.message ===
        'WHISPER_NO_FORWARD is "maybe"; it must be yes or no.';
  });
  for (const wrong of ["https://relay.example", "a b", "*", "x.*.example"]) {
    throws(() => parse(["--forward-allow", wrong]), UsageError, wrong);
  }
});

Deno.test("the help names every option and command, on lines of at most 80 characters", () => {
  const whole = help() + help("serve") + help("doctor") + help("backup") +
    help("restore") +
    help("onion");
  for (const name of OPTIONS.keys()) {
    match(whole, new RegExp(`^  --${name}( |$)`, "m"));
  }
  for (const name of Object.keys(COMMANDS)) {
    match(help(), new RegExp(`whisper \\[?${name}\\b`));
    if (isCommand(name)) match(help(name), new RegExp(`^whisper ${name}: `));
  }
  const long = whole.split("\n").filter((line) => line.length > 80);
  deepEqual(long, []);
});

Deno.test("variables that look like settings and are none are found; those of one command's files are none", () => {
  deepEqual(
    unknownSettings([
      ...["WHISPER_PROT", "WHISPER_PORT", "PATH", "WHISPER_TO", "WHISPER_TOR"],
      "WHISPER_CONNECTIONS",
    ]),
    ["WHISPER_PROT", "WHISPER_TO"],
  );
});

Deno.test("the version is asked for like help, which goes before it", () => {
  for (const args of [["--version"], ["backup", "--version"]]) {
    deepEqual(parse(args), { name: "version" });
  }
  deepEqual(parse(["--version", "--help"]), { name: "help", of: undefined });
});

Deno.test("help is asked for anywhere, of the program or of a command", () => {
  for (
    const args of [["--help"], ["-h"], ["help"], ["--port", "1", "--help"], [
      "--port",
      "--help",
    ]]
  ) deepEqual(parse(args), { name: "help", of: undefined });
  for (
    const args of [["backup", "--help"], ["help", "backup"], [
      "-h",
      "backup",
    ], ["backup", "--to", "--help"]]
  ) deepEqual(parse(args), { name: "help", of: "backup" });
});

Deno.test("every limit of the relay is an option whose default is the relay's own", () => {
  const limits = [...LIMIT_OPTIONS.values()];
  deepEqual(
    limits.map(({ limit }) => limit).sort(),
    Object.keys(DEFAULT_LIMITS).sort(),
  );
  for (const { limit, fallback, parse } of limits) {
    equal(parse(fallback), DEFAULT_LIMITS[limit], limit);
  }
  const given = [...LIMIT_OPTIONS].flatMap((
    [name, { fallback }],
  ) => [`--${name}`, fallback]);
  deepEqual(parse(given), {
    name: "serve",
    options: { ...DEFAULTS, limits: DEFAULT_LIMITS },
  });
});

Deno.test("a limit that is too much beside the default of another is not beside a smaller one", () => {
  const args = ["--bundles-per-pool", "20"];
  throws(() => parse(args), /^UsageError: --bundles-per-pool is "20": /);
  deepEqual(parse([...args, "--bytes-per-bundle", "2KiB"]), {
    name: "serve",
    options: {
      ...DEFAULTS,
      limits: { bundlesPerPool: 20, bytesPerBundle: 2_048 },
    },
  });
});

Deno.test("sizes and times are read in any of their units, and written in the largest that fits", () => {
  deepEqual(["16MiB", "16 MiB", "16777216", "16777216B"].map(size), [
    16_777_216,
    16_777_216,
    16_777_216,
    16_777_216,
  ]);
  deepEqual(["21d", "504h", "30240m", "1814400", "1814400s"].map(duration), [
    1_814_400,
    1_814_400,
    1_814_400,
    1_814_400,
    1_814_400,
  ]);
  for (const wrong of ["16MB", "16mib", "1.5GiB", "-1", "", "MiB", "9e9"]) {
    throws(() => size(wrong), /^ValueError: a size such as/);
    throws(() => duration(wrong), /^ValueError: a time such as/);
  }
  fc.assert(fc.property(fc.nat(), fc.nat({ max: 20 }), (number, zeros) => {
    const value = number * 2 ** zeros;
    equal(size(sizeText(value)), value);
    equal(duration(durationText(value)), value);
  }));
});

Deno.test("backup and restore need their file, and take nothing of serve but the directory", () => {
  deepEqual(parse(["backup", "--to", "b", "--data", "d"]), {
    name: "backup",
    data: "d",
    to: "b",
  });
  deepEqual(parse(["restore", "--from=b", "--force"], { WHISPER_DATA: "d" }), {
    name: "restore",
    data: "d",
    from: "b",
    force: true,
  });
  deepEqual(
    parse(["backup", "--to", "b"], { WHISPER_TO: "c", WHISPER_PORT: "x" }),
    {
      name: "backup",
      data: undefined,
      to: "b",
    },
  );
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
  [
    ["--access", "hunter2", "--access-file", "secret"],
    /^--access and --access-file are both given: one is enough\.$/,
  ],
  [["--access", ""], /^--access needs a value\.$/],
  [["--prot", "1"], /^There is no option --prot; see --help\.$/],
  [["-p", "1"], /^There is no option -p; see --help\.$/],
  [["--messages-per-queue", "many"], /it must be a whole number\.$/],
  [["--bytes-per-queue", "16MB"], /it must be a size such as 16MiB/],
  [
    ["--message-lifetime", "22d"],
    /^--message-lifetime is "22d": .* 21 days\.$/,
  ],
  [["--work-bits", "25"], /^--work-bits is "25": .* 24 bits\.$/],
  [["--connections", "4294967296"], /^--connections is "4294967296": /],
  [
    ["--bytes-per-bundle", "4500", "--bundles-per-pool", "6"],
    /^--bundles-per-pool is "6" and --bytes-per-bundle is "4500": a prekey pool must fit/,
  ],
  [
    ["--buffered-bytes", "1MiB"],
    /^--buffered-bytes is "1MiB": pushing must pause before/,
  ],
  [["backup"], /^--to is needed: the backup to write\.$/],
  [["restore", "--force"], /^--from is needed: the backup to read\.$/],
  [["restore", "--from", "x", "--force=1"], /^--force takes no value\.$/],
  [
    ["backup", "--port", "1"],
    /^backup has no option --port; see whisper backup/,
  ],
  [["--to", "x"], /^serve has no option --to; see whisper serve --help\.$/],
  [
    ["--access-code=hunter2"],
    /^There is no option --access-code; see --help\.$/,
  ],
  [
    ["backup", "/srv/x"],
    /^backup does not take "\/srv\/x"; use: whisper backup --to FILE \[--data DIRECTORY\]$/,
  ],
  [
    ["listen", "carefully"],
    /^There is no command "listen carefully"; see --help\.$/,
  ],
  [
    ["--tor-control", "127.0.0.1:9051"],
    /^--tor-control needs --tor or --forward-through-tor beside it/,
  ],
  [["--tor", "--tor-control", "9051"], /must be an address and a port/],
  [
    ["--tor", "--tor-password-file", "p"],
    /^--tor-password-file needs --tor-control/,
  ],
  [
    ["--tor", "--tor-config", "c", "--tor-control", "[::1]:9051"],
    /^--tor-config is for a tor that is started/,
  ],
  [["onion", "--authorise", "a b"], /must be up to 32 letters/],
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
