/** Reads QR codes from the camera. Pictures stay in memory, and one at a time. */
import { decodeQR } from "qr/decode.js";

export type CameraFailure =
  /** The person or the browser's settings said no. */
  | "refused"
  /** This device has no camera, or another program holds it. */
  | "none";

/** Between two looks, ms: a decoder that always runs would make a phone warm. */
const EVERY = 120;
/** Longest side of what is looked at, px: enough for a code that fills a third of the picture. */
const SIDE = 720;

/**
 * Shows the camera in `video`, and calls `found` with each text read until it says true or `stop` is
 * aborted; then the camera is off.
 * @returns why there is no picture; undefined once it is over
 */
export async function scanWithCamera(
  video: HTMLVideoElement,
  found: (code: string) => Promise<boolean>,
  stop: AbortSignal,
): Promise<CameraFailure | undefined> {
  const camera = await openCamera();
  if (typeof camera === "string") return camera;
  try {
    video.srcObject = camera;
    if (!stop.aborted) await video.play();
    const canvas = document.createElement("canvas");
    while (!stop.aborted) {
      const code = readCode(video, canvas);
      if (code !== undefined && await found(code)) break;
      await new Promise((resolve) => setTimeout(resolve, EVERY));
    }
  } catch (error) {
    // Taken off the page while it began to play: that is what stopping is.
    if (!stop.aborted) throw error;
  } finally {
    for (const track of camera.getTracks()) track.stop();
    video.srcObject = null;
  }
}

async function openCamera(): Promise<MediaStream | CameraFailure> {
  try {
    // Absent where the browser has no such thing at all.
    const devices: MediaDevices | undefined = navigator.mediaDevices;
    if (!devices) return "none";
    return await devices.getUserMedia({
      video: { facingMode: "environment" },
      audio: false,
    });
  } catch (error) {
    const refused = error instanceof DOMException &&
      (error.name === "NotAllowedError" || error.name === "SecurityError");
    return refused ? "refused" : "none";
  }
}

/** The text of a code in the present picture; undefined when there is none. */
function readCode(
  video: HTMLVideoElement,
  canvas: HTMLCanvasElement,
): string | undefined {
  const { videoWidth, videoHeight } = video;
  if (videoWidth === 0 || video.readyState < video.HAVE_CURRENT_DATA) return;
  const scale = Math.min(1, SIDE / Math.max(videoWidth, videoHeight));
  const width = Math.round(videoWidth * scale);
  const height = Math.round(videoHeight * scale);
  canvas.width = width;
  canvas.height = height;
  const picture = canvas.getContext("2d", { willReadFrequently: true });
  if (!picture) return undefined;
  picture.drawImage(video, 0, 0, width, height);
  try {
    return decodeQR(picture.getImageData(0, 0, width, height));
  } catch {
    // How the decoder says that there is none.
    return undefined;
  }
}
