//! The accept loop. It is ours because `axum::serve` has no header timeout, no cap and no drain.

use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tower::ServiceExt as _;

use super::admission::Full;
use super::metrics::TurnedAway;
use super::{Context, Peer};
use crate::settings::ServerSettings;

/// A pause after running out of descriptors or memory, for others to give some back.
const BREATH: Duration = Duration::from_millis(50);
/// Bytes of one request's head.
const MAX_HEAD: usize = 16 * 1024;

const OVERLOADED: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\n\
    Content-Length: 0\r\nConnection: close\r\n\r\n";

/// Listens as the settings say.
///
/// Through a socket of our own: `TcpListener::bind` listens with a backlog of 128, which a storm of
/// reconnecting clients overflows.
pub fn bind(settings: &ServerSettings) -> io::Result<TcpListener> {
    let socket = if settings.listen.is_ipv4() {
        TcpSocket::new_v4()
    } else {
        TcpSocket::new_v6()
    }?;
    // A restart must not wait for the connections of the process before to time out.
    socket.set_reuseaddr(true)?;
    socket.bind(settings.listen)?;
    socket.listen(settings.backlog)
}

/// Serves connections until the drain begins, then closes the listener.
pub async fn accept(listener: TcpListener, router: Router, context: Arc<Context>) {
    loop {
        let accepted = tokio::select! {
            () = context.draining.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, address)) => admit(stream, address, &router, &context),
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                // Out of descriptors, most likely. The connection stays in the backlog, so that accepting again
                // at once would spin.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(BREATH).await;
            }
        }
    }
}

fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::Interrupted
    )
}

fn admit(stream: TcpStream, address: SocketAddr, router: &Router, context: &Arc<Context>) {
    match context.admission.admit(address.ip()) {
        Ok(admitted) => {
            let peer = Arc::new(Peer { admitted });
            context
                .tracker
                .spawn(serve(stream, peer, router.clone(), Arc::clone(context)));
        }
        Err(full) => {
            tracing::debug!(%address, %full, "a connection was turned away");
            let full = match full {
                Full::Server => "server",
                Full::Address => "address",
            };
            context
                .metrics
                .turned_away
                .get_or_create(&TurnedAway { full })
                .inc();
            turn_away(stream);
        }
    }
}

/// Says so and hangs up, as far as that takes no waiting and no memory.
fn turn_away(stream: TcpStream) {
    let Ok(mut stream) = stream.into_std() else {
        return;
    };
    // The socket does not block. Reading what has come keeps the kernel from answering it with a reset, which
    // would take the answer with it.
    _ = stream.write(OVERLOADED);
    _ = stream.read(&mut [0; 1024]);
}

/// One connection, up to its end or its upgrade; the upgraded one is a task of its own.
async fn serve(stream: TcpStream, peer: Arc<Peer>, router: Router, context: Arc<Context>) {
    // Frames are small and flushed whole: waiting to fill a packet would only delay them.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection was gone before it began");
        return;
    }
    let service = service_fn(move |mut request: hyper::Request<hyper::body::Incoming>| {
        request.extensions_mut().insert(Arc::clone(&peer));
        router.clone().oneshot(request.map(Body::new))
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        // Runs from the moment it waits for a head: it covers a silent new connection and an idle kept one too.
        .header_read_timeout(Duration::from_millis(context.server.header_timeout_ms))
        .max_buf_size(MAX_HEAD)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = context.draining.cancelled() => {
            connection.as_mut().graceful_shutdown();
            tokio::select! {
                ended = connection => ended,
                () = context.halt.cancelled() => return,
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "an HTTP connection failed");
    }
}
