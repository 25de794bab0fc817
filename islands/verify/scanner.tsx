/** The camera's picture, and what is read in it. */
import { CameraOff } from "lucide-preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Button } from "../parts/button.tsx";
import { type CameraFailure, scanWithCamera } from "./scan.ts";

/** What is said around the picture. */
export interface ScannerWords {
  /** Where to point the camera. */
  readonly aim: string;
  readonly camera: string;
  readonly cameraFailure: Readonly<Record<CameraFailure, string>>;
  readonly stopScanning: string;
}

export function Scanner(
  { words, foreign, onFound, onCancel }: {
    words: ScannerWords;
    /** What is said of a code that is not the one one looks for, when one was seen. */
    foreign: string | false;
    /** Whether that was the code one looked for. */
    onFound: (code: string) => Promise<boolean>;
    onCancel: () => void;
  },
) {
  const video = useRef<HTMLVideoElement>(null);
  const [failure, setFailure] = useState<CameraFailure>();
  useEffect(() => {
    const stop = new AbortController();
    if (video.current) {
      scanWithCamera(video.current, onFound, stop.signal).then(setFailure);
    }
    return () => stop.abort();
  }, []);
  return (
    <div class="scanner">
      {failure
        ? (
          <p class="verify-state verify-bad" role="alert">
            <CameraOff size={20} aria-hidden="true" />
            {words.cameraFailure[failure]}
          </p>
        )
        : (
          <>
            <p>{words.aim}</p>
            <div class="scanner-picture">
              <video ref={video} aria-label={words.camera} muted playsInline />
              <span class="scanner-frame" aria-hidden="true" />
            </div>
            <p class="scanner-foreign" role="status">
              {foreign}
            </p>
          </>
        )}
      <Button onClick={onCancel}>{words.stopScanning}</Button>
    </div>
  );
}
