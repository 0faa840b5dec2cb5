//! A server that says everything back, on the connections' own reader and writer: for the Autobahn suite, which
//! `tests/autobahn` runs against it.

use std::future::poll_fn;
use std::io;
use std::net::Ipv4Addr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::TaskTracker;

use super::*;
use crate::transport::ws::end::End;
use crate::transport::ws::frame::Opcode;
use crate::transport::ws::line::{Line, Writer};
use crate::transport::ws::reader::{Incoming, Input, Reader};

/// Bytes that are read at once.
const READ: usize = 16 * 1024;

/// The suite's longest message has 16 MiB.
const MOST: usize = 16 * 1024 * 1024;

#[tokio::test]
async fn serve_echo() {
    let address = std::env::var("CHATSYNC_ECHO").expect("CHATSYNC_ECHO: an address to listen at");
    let listener = TcpListener::bind(address).await.expect("a free port");
    let (world, connections) = (World::new().await, TaskTracker::new());
    loop {
        let (stream, _) = listener.accept().await.expect("a client");
        let context = Arc::clone(&world.context);
        connections.spawn(async move {
            if let Err(error) = echo(stream, context).await {
                eprintln!("an echo ended: {error}");
            }
        });
    }
}

async fn echo(mut stream: TcpStream, context: Arc<Context>) -> io::Result<()> {
    let early = shake(&mut stream).await?;
    let address = Ipv4Addr::LOCALHOST.into();
    let line = Line {
        socket: stream,
        peer: Arc::new(Peer {
            admitted: context.admission.admit(address).expect("room"),
        }),
        context,
    };
    let (mut reader, mut writer) = (Reader::default(), Writer::default());
    let mut buffer = vec![0; READ];
    buffer[..early.len()].copy_from_slice(&early);
    let mut count = early.len();
    loop {
        let mut input = Input::new(&mut buffer[..count]);
        let end = loop {
            match reader.next(&mut input, MOST) {
                Ok(None) => break None,
                Ok(Some(Incoming::Text(text))) => writer.text(text.into_owned()),
                Ok(Some(Incoming::Binary(body))) => writer.binary(body.into_owned()),
                Ok(Some(Incoming::Ping(body))) => writer.control(Opcode::Pong, body.to_vec()),
                Ok(Some(Incoming::Pong)) => {}
                Ok(Some(Incoming::Close(body))) => {
                    writer.control(Opcode::Close, body.to_vec());
                    break Some(End::Left);
                }
                Err(fault) => break Some(fault.into()),
            }
        };
        if let Some(end) = end {
            finish::finish(Arc::new(line), writer, end).await;
            return Ok(());
        }
        reader.keep(input.rest(), true);
        poll_fn(|context| writer.poll_flush(&line, context)).await?;
        let kept = reader.kept();
        let read = poll_fn(|context| line.socket.poll_read(context, &mut buffer[kept..])).await?;
        if read == 0 {
            return Ok(());
        }
        reader.restore(&mut buffer);
        count = kept + read;
    }
}

/// Answers the handshake; gives what followed it.
async fn shake(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
    let mut head = Vec::new();
    let end = loop {
        if stream.read_buf(&mut head).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if let Some(at) = head.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
    };
    let text = String::from_utf8_lossy(&head[..end]);
    let key = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("sec-websocket-key")
            .then_some(value.trim())
    });
    let accept = derive_accept_key(key.expect("a key").as_bytes());
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n\r\n"
    );
    stream.write_all(answer.as_bytes()).await?;
    Ok(head.split_off(end))
}
