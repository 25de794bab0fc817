/** A camera that looks at somebody's screen: a film of the code that is shown there. */
import { match } from "node:assert/strict";
import type { Page } from "playwright-core";

const [WIDTH, HEIGHT] = [640, 480];
/** Fewer make Chromium show nothing at all. */
const FRAMES = 10;
/** Brightness of 4:2:0 video; both colours lie in the middle. */
const [DARK, LIGHT, GREY] = [16, 235, 128];

/** Flags of a browser whose camera shows the film at `path`, from the moment it is opened. */
export function cameraFlags(path: string): string[] {
  return [
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    `--use-file-for-fake-video-capture=${path}`,
  ];
}

/** Writes a film of the one QR code that `page` shows, as a y4m. */
export async function film(page: Page, path: string): Promise<void> {
  const code = page.getByRole("img", { name: /QR code/ });
  const size = Number(
    (await code.getAttribute("viewBox"))?.split(" ").at(-1),
  );
  const drawn = await code.locator(".qr-dark").getAttribute("d") ?? "";
  match(drawn, /^(M\d+ \d+h\d+v1h-\d+z)+$/);
  const picture = new Uint8Array(WIDTH * HEIGHT * 3 / 2).fill(GREY);
  picture.fill(LIGHT, 0, WIDTH * HEIGHT);
  const scale = Math.floor(HEIGHT / size);
  const [left, top] = [
    (WIDTH - size * scale) >> 1,
    (HEIGHT - size * scale) >> 1,
  ];
  for (const [, x, y, run] of drawn.matchAll(/M(\d+) (\d+)h(\d+)/g)) {
    for (let row = 0; row < scale; row++) {
      const start = (top + Number(y) * scale + row) * WIDTH + left +
        Number(x) * scale;
      picture.fill(DARK, start, start + Number(run) * scale);
    }
  }
  const text = (words: string) => new TextEncoder().encode(words);
  const file = await Deno.create(path);
  await file.write(
    text(`YUV4MPEG2 W${WIDTH} H${HEIGHT} F30:1 Ip A1:1 C420jpeg\n`),
  );
  for (let frame = 0; frame < FRAMES; frame++) {
    await file.write(text("FRAME\n"));
    for (let at = 0; at < picture.length;) {
      at += await file.write(picture.subarray(at));
    }
  }
  file.close();
}
