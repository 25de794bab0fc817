/** The camera's picture, and what is read in it. */
import { CameraOff } from "lucide-preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Button } from "../parts/button.tsx";
import { text } from "../text/mod.ts";
import { type CameraFailure, scanWithCamera } from "./scan.ts";

const words = text.verify;

export function Scanner(
  { name, foreign, onFound, onCancel }: {
    name: string;
    /** A code that is no safety number was seen. */
    foreign: boolean;
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
            <p>{words.aim(name)}</p>
            <div class="scanner-picture">
              <video ref={video} aria-label={words.camera} muted playsInline />
              <span class="scanner-frame" aria-hidden="true" />
            </div>
            <p class="scanner-foreign" role="status">
              {foreign && words.noNumber(name)}
            </p>
          </>
        )}
      <Button onClick={onCancel}>{words.stopScanning}</Button>
    </div>
  );
}
