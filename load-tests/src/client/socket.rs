//! Opening sockets.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use mio::net::TcpStream;
use rustix::io::Errno;
use socket2::{Domain, Protocol, Socket, Type};

/// The kernel gives an address some 28,000 ports towards one server; this many connections leave room.
const PER_ADDRESS: usize = 20_000;

/// Begins to connect, without blocking.
///
/// Towards loopback the connections from `number` 20,000 on come from addresses of their own: 127.0.0.2 for the next
/// 20,000, and so on. The first ones leave the choice of the port to the moment of connecting, which can take one
/// again that has just been used.
pub(crate) fn connect(server: SocketAddr, number: usize) -> io::Result<TcpStream> {
    let socket = Socket::new(
        Domain::for_address(server),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    socket.set_nonblocking(true)?;
    socket.set_tcp_nodelay(true)?;
    if let Some(source) = source(server.ip(), number) {
        socket.set_reuse_address(true)?;
        socket.bind(&SocketAddr::new(source, 0).into())?;
    }
    match socket.connect(&server.into()) {
        Err(error) if error.raw_os_error() != Some(Errno::INPROGRESS.raw_os_error()) => Err(error),
        _ => Ok(TcpStream::from_std(socket.into())),
    }
}

fn source(server: IpAddr, number: usize) -> Option<IpAddr> {
    let range = number / PER_ADDRESS;
    if range == 0 || !matches!(server, IpAddr::V4(server) if server.is_loopback()) {
        return None;
    }
    let [high, low] = u16::try_from(1 + range).unwrap_or(u16::MAX).to_be_bytes();
    Some(Ipv4Addr::new(127, 0, high, low).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_20_000_connections_come_from_an_address_of_their_own() {
        let loopback = IpAddr::from([127, 0, 0, 1]);
        assert_eq!(source(loopback, 19_999), None);
        assert_eq!(source(loopback, 20_000), Some([127, 0, 0, 2].into()));
        assert_eq!(source(loopback, 40_000), Some([127, 0, 0, 3].into()));
        assert_eq!(source([10, 0, 0, 1].into(), 20_000), None);
    }
}
