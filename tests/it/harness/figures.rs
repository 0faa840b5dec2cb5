//! The page of figures that an operator's machine reads.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::Host;

/// `/metrics` as it was at one moment.
#[derive(Debug)]
pub(crate) struct Figures(pub(crate) String);

impl Figures {
    /// Asks as Prometheus does.
    pub(crate) async fn of(host: &impl Host) -> Self {
        let mut socket = TcpStream::connect(host.address()).await.expect("connected");
        let request = "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        socket.write_all(request.as_bytes()).await.expect("asked");
        let mut page = String::new();
        socket.read_to_string(&mut page).await.expect("text");
        Self(page)
    }

    /// The figure of this name and these labels; one that was never counted is 0.
    pub(crate) fn get(&self, name: &str) -> f64 {
        let lines = self.0.lines().filter_map(|line| line.rsplit_once(' '));
        let found = lines.filter(|(label, _)| *label == format!("chatsync_{name}"));
        let mut figures = found.map(|(_, figure)| figure.parse::<f64>().expect("a number"));
        figures.next().unwrap_or(0.0)
    }
}
