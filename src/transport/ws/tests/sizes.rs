//! What an idle connection costs. Each of these is multiplied by all connections that there are.

use super::*;
use crate::transport::ws::line::Line;
use crate::transport::ws::session::Device;
use tokio::net::TcpStream;

/// With what the runtime puts around it, a task of up to 144 bytes takes 256, and any larger one 384.
#[test]
fn a_connection_is_small() {
    let sizes = [
        ("task", size_of::<Connection<TcpStream>>(), 144),
        ("socket", size_of::<Line<TcpStream>>(), 64),
        ("session", size_of::<Device>(), 112),
        ("peer", size_of::<Peer>(), 32),
    ];
    for (name, size, most) in sizes {
        assert!(size <= most, "{name}: {size}; all: {sizes:?}");
    }
}
