// The smallest server on `ws` that passes what a user's connection says on to the user's other connections.
import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';

const users = new Map();
const server = createServer();
// Off by default, and said here: compression. `clientTracking` would keep a set of all connections beside ours.
const sockets = new WebSocketServer({ server, perMessageDeflate: false, clientTracking: false });

sockets.on('connection', (socket, request) => {
  const user = request.url;
  const devices = users.get(user) ?? [];
  users.set(user, devices);
  devices.push(socket);
  socket.on('message', (data) => {
    for (const device of devices) {
      if (device !== socket) device.send(data, { binary: false });
    }
  });
  socket.on('close', () => {
    devices.splice(devices.indexOf(socket), 1);
    if (devices.length === 0 && users.get(user) === devices) users.delete(user);
  });
});

server.listen({ host: '127.0.0.1', port: 0, backlog: 4096 }, () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});
