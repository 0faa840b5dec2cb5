// The smallest server on uWebSockets that passes what a user's connection says on to the user's other connections.
import uWS from 'uwebsockets';

uWS.App()
  .ws('/:user', {
    compression: uWS.DISABLED,
    // The default, 64 KiB, would drop messages to a device that reads late without a word to anybody.
    maxBackpressure: 64 * 1024 * 1024,
    upgrade: (response, request, context) => {
      response.upgrade(
        { user: request.getParameter(0) },
        request.getHeader('sec-websocket-key'),
        request.getHeader('sec-websocket-protocol'),
        request.getHeader('sec-websocket-extensions'),
        context,
      );
    },
    open: (socket) => socket.subscribe(socket.getUserData().user),
    // A topic for each user; the one that publishes is left out.
    message: (socket, message) => socket.publish(socket.getUserData().user, message, false),
  })
  .listen('127.0.0.1', 0, (listening) => {
    if (!listening) throw new Error('no port');
    console.log(`listening on http://127.0.0.1:${uWS.us_socket_local_port(listening)}`);
  });
