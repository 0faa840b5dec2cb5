// The smallest server on socket.io that passes a user's event on to the user's other connections: a room for each.
import { createServer } from 'node:http';
import { Server } from 'socket.io';

const server = createServer();
const io = new Server(server, {
  transports: ['websocket'],
  serveClient: false,
  perMessageDeflate: false,
});

// socket.io's own advice on memory: the first request of each connection is of no use any more.
io.engine.on('connection', (raw) => {
  raw.request = null;
});

io.on('connection', (socket) => {
  const { user } = socket.handshake.auth;
  socket.join(user);
  socket.on('e', (text) => socket.to(user).emit('e', text));
});

server.listen({ host: '127.0.0.1', port: 0, backlog: 4096 }, () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});
