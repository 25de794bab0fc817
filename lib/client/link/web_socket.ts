import type { Transport } from "./transport.ts";

/** Frames over the platform's WebSocket (browsers, Deno). */
export const webSocketTransport: Transport = {
  connect(url, events) {
    const socket = new WebSocket(url);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => events.open();
    socket.onmessage = ({ data }) => {
      // A text message is no frame; an empty one fails the frame check the same way.
      events.message(
        data instanceof ArrayBuffer ? new Uint8Array(data) : new Uint8Array(),
      );
    };
    socket.onclose = () => events.closed();
    return {
      send(frame) {
        if (socket.readyState === WebSocket.OPEN) {
          // Frames are made by encodeFrame, which never uses shared memory.
          socket.send(frame as Uint8Array<ArrayBuffer>);
        }
      },
      close: () => socket.close(),
    };
  },
};
