/**
 * The least that a message between two pages can cost: a process that passes whatever one WebSocket
 * sends on to the others, and does nothing else. Prints its port.
 */
const sockets = new Set<WebSocket>();

Deno.serve({
  hostname: "localhost",
  port: 0,
  onListen: ({ port }) => console.log(port),
}, (request) => {
  const { socket, response } = Deno.upgradeWebSocket(request);
  socket.binaryType = "arraybuffer";
  socket.onopen = () => sockets.add(socket);
  socket.onclose = () => sockets.delete(socket);
  socket.onmessage = ({ data }) => {
    for (const other of sockets) if (other !== socket) other.send(data);
  };
  return response;
});
