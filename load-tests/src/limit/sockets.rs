//! A bare hub: one thread, one `write` for each frame and socket, nothing stored, nothing checked.
//!
//! It answers the frames of `chatsync.v1` that the harness sends, with [texts] as long as the server's. So the same
//! clients can be driven against it, and what differs is the server's own work.

use std::collections::HashMap;
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::os::fd::AsRawFd as _;

use clap::{Args, ValueEnum};
use mio::net::TcpListener;
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};
use socket2::{Domain, Protocol, Socket, Type};

use super::texts;
use crate::Fallible;
use crate::client::connection::Connection;
use crate::client::frame::{Frame, Parser, unmasked_text};
use crate::client::handshake;
use crate::wire::Who;
use crate::wire::scan::{after, number, text};

const LISTENER: Token = Token(usize::MAX);
const STDIN: Token = Token(usize::MAX - 1);
const BACKLOG: i32 = 4096;

/// A client's socket, and which device it is.
struct Client {
    connection: Connection,
    parser: Parser<true>,
    is_shaken: bool,
    head: Vec<u8>,
}

#[derive(Default)]
struct Account {
    version: u64,
    clients: Vec<usize>,
    /// Rises with each change of a conversation: what a cursor holds.
    changes: u64,
    /// What each was changed by last, and which change that was.
    changed: HashMap<String, (u64, texts::Change)>,
}

impl Account {
    fn change(&mut self, conversation: &str, change: texts::Change) {
        self.changes += 1;
        let change = (self.changes, change);
        match self.changed.get_mut(conversation) {
            Some(last) => *last = change,
            None => _ = self.changed.insert(conversation.to_owned(), change),
        }
    }
}

/// The `hub` command.
#[derive(Debug, Clone, Copy, Default, Args)]
pub(crate) struct Options {
    /// Do this to every tenth notification, so that a test can see the harness find it
    #[arg(long)]
    spoil: Option<Spoil>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Spoil {
    Lose,
    Repeat,
    /// Hold it back until after the next one.
    Swap,
    /// Send it to another account.
    Misplace,
    /// Leave out what was deleted.
    Shorten,
}

#[derive(Default)]
struct Hub {
    options: Options,
    notifications: u64,
    held: HashMap<usize, Vec<u8>>,
    clients: Vec<Option<Client>>,
    free: Vec<usize>,
    accounts: HashMap<u32, Account>,
    /// Messages of each conversation: of a pair, by its number; of the one group.
    seqs: HashMap<Option<u32>, u64>,
}

/// Serves until standard input ends.
pub(crate) fn serve(options: Options) -> Fallible<()> {
    let mut poll = Poll::new()?;
    let mut listener = listen()?;
    poll.registry()
        .register(&mut listener, LISTENER, Interest::READABLE)?;
    let stdin = io::stdin().as_raw_fd();
    poll.registry()
        .register(&mut SourceFd(&stdin), STDIN, Interest::READABLE)?;
    writeln!(
        io::stdout(),
        "listening on http://{}",
        listener.local_addr()?
    )?;
    let mut events = Events::with_capacity(128);
    let mut buffer = vec![0; 64 * 1024];
    let mut hub = Hub {
        options,
        ..Hub::default()
    };
    loop {
        poll.poll(&mut events, None)?;
        for event in &events {
            match event.token() {
                // Whoever started this has ended.
                STDIN => return Ok(()),
                LISTENER => hub.accept(&listener, &poll)?,
                Token(slot) => {
                    if event.is_writable()
                        && hub
                            .connection(slot)
                            .is_some_and(|client| client.flush().is_err())
                    {
                        hub.drop(slot);
                    }
                    if event.is_readable() {
                        hub.read(slot, &mut buffer);
                    }
                }
            }
        }
    }
}

fn listen() -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))?;
    socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok(TcpListener::from_std(socket.into()))
}

impl Hub {
    fn accept(&mut self, listener: &TcpListener, poll: &Poll) -> io::Result<()> {
        loop {
            let mut socket = match listener.accept() {
                Ok((socket, _)) => socket,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            };
            socket.set_nodelay(true)?;
            let slot = self.free.pop().unwrap_or(self.clients.len());
            let interest = Interest::READABLE | Interest::WRITABLE;
            poll.registry()
                .register(&mut socket, Token(slot), interest)?;
            let nobody = Who {
                account: u32::MAX,
                device: 0,
            };
            let mut connection = Connection::new(nobody);
            connection.socket = Some(socket);
            let client = Some(Client {
                connection,
                parser: Parser::default(),
                is_shaken: false,
                head: Vec::new(),
            });
            match self.clients.get_mut(slot) {
                Some(place) => *place = client,
                None => self.clients.push(client),
            }
        }
    }

    fn connection(&mut self, slot: usize) -> Option<&mut Connection> {
        Some(&mut self.clients.get_mut(slot)?.as_mut()?.connection)
    }

    fn drop(&mut self, slot: usize) {
        if let Some(client) = self.clients.get_mut(slot).and_then(Option::take) {
            if let Some(account) = self.accounts.get_mut(&client.connection.who.account) {
                account.clients.retain(|other| *other != slot);
            }
            self.free.push(slot);
        }
    }

    fn read(&mut self, slot: usize, buffer: &mut [u8]) {
        loop {
            match self
                .connection(slot)
                .map(|connection| connection.read(buffer))
            {
                None | Some(Ok(None)) => return,
                Some(Ok(Some(0)) | Err(_)) => return self.drop(slot),
                Some(Ok(Some(count))) => {
                    self.input(slot, &buffer[..count]);
                    if count < buffer.len() {
                        return;
                    }
                }
            }
        }
    }

    fn input(&mut self, slot: usize, bytes: &[u8]) {
        let Some(client) = self.clients.get_mut(slot).and_then(Option::as_mut) else {
            return;
        };
        if !client.is_shaken {
            client.head.extend_from_slice(bytes);
            if handshake::end(&client.head).is_some() {
                // It has no pages.
                if !handshake::is_request(&client.head) {
                    return self.drop(slot);
                }
                client.is_shaken = true;
                client.head = Vec::new();
                self.write(slot, &handshake::answer());
            }
            return;
        }
        let mut parser = std::mem::take(&mut client.parser);
        let fed = parser.feed(bytes, &mut |frame| {
            if let Frame::Text(text) = frame {
                self.message(slot, text);
            }
        });
        match self.clients.get_mut(slot).and_then(Option::as_mut) {
            Some(client) if fed.is_ok() => client.parser = parser,
            _ => self.drop(slot),
        }
    }

    fn write(&mut self, slot: usize, bytes: &[u8]) {
        if self
            .connection(slot)
            .is_some_and(|connection| connection.write(bytes).is_err())
        {
            self.drop(slot);
        }
    }

    fn answer(&mut self, slot: usize, id: u64, result: &str) {
        let mut bytes = Vec::new();
        unmasked_text(&mut bytes, texts::answer(id, result).as_bytes());
        self.write(slot, &bytes);
    }

    fn message(&mut self, slot: usize, message: &[u8]) {
        let id = after(message, r#""id":"#).and_then(number).unwrap_or(0);
        let method = after(message, r#""method":"#)
            .and_then(text)
            .unwrap_or_default();
        let Some(who) = self.connection(slot).map(|connection| connection.who) else {
            return;
        };
        match method {
            "login" => self.login(slot, id, message),
            "ping" => {
                let account = self.accounts.entry(who.account).or_default();
                let answer = texts::ping(account.version, account.changes);
                self.answer(slot, id, &answer);
            }
            "conversation.delete" | "conversation.read" => self.delete(slot, id, who, message),
            "message.send" => self.send(slot, id, who, message),
            _ => self.answer(slot, id, ""),
        }
    }

    fn login(&mut self, slot: usize, id: u64, message: &[u8]) {
        let named = |name: &str, letter: char| {
            after(message, name)
                .and_then(text)
                .and_then(|text| text.strip_prefix(letter)?.parse().ok())
        };
        let (Some(account), Some(device)) =
            (named(r#""userID":"#, 'u'), named(r#""deviceID":"#, 'd'))
        else {
            return self.drop(slot);
        };
        if let Some(connection) = self.connection(slot) {
            connection.who = Who { account, device };
        }
        let state = self.accounts.entry(account).or_default();
        state.clients.push(slot);
        let since = after(message, r#""cursor":"#)
            .and_then(text)
            .and_then(|cursor| cursor.parse::<u64>().ok());
        // Whoever brings no cursor gets the list, in which nothing deleted stands.
        let is_told = |at: u64, change: texts::Change| match since {
            Some(since) => at > since,
            None => matches!(change, texts::Change::Written(_)),
        };
        let changed: Vec<_> = state
            .changed
            .iter()
            .filter(|(_, (at, change))| is_told(*at, *change))
            .map(|(conversation, (_, change))| (conversation.as_str(), *change))
            .collect();
        let answer = texts::login(state.version, state.changes, &changed);
        self.answer(slot, id, &answer);
    }

    /// The push is as long as the server's: one entry for each conversation.
    fn delete(&mut self, slot: usize, id: u64, who: Who, message: &[u8]) {
        let conversations = texts::conversations(message);
        let account = self.accounts.entry(who.account).or_default();
        account.version += 1;
        let version = account.version;
        for conversation in &conversations {
            account.change(conversation, texts::Change::Deleted);
        }
        let push = texts::deleted(version, &conversations, who.device);
        let siblings = account.clients.clone();
        if self.options.spoil.is_some() {
            for sibling in siblings.into_iter().filter(|sibling| *sibling != slot) {
                self.notify(sibling, who, &push);
            }
        } else {
            let mut bytes = Vec::new();
            unmasked_text(&mut bytes, push.as_bytes());
            for sibling in siblings.into_iter().filter(|sibling| *sibling != slot) {
                self.write(sibling, &bytes);
            }
        }
        self.answer(slot, id, &texts::deletion(version, &conversations));
    }

    /// Writes a notification, or spoils it.
    fn notify(&mut self, slot: usize, who: Who, push: &str) {
        self.notifications += 1;
        let mut bytes = Vec::new();
        unmasked_text(&mut bytes, push.as_bytes());
        match self.options.spoil {
            Some(spoil) if self.notifications.is_multiple_of(10) => match spoil {
                Spoil::Lose => {}
                Spoil::Repeat => {
                    self.write(slot, &bytes);
                    self.write(slot, &bytes);
                }
                Spoil::Swap => _ = self.held.insert(slot, bytes),
                Spoil::Misplace => {
                    let mut others = self
                        .accounts
                        .iter()
                        .filter(|(account, _)| **account != who.account);
                    let other = others
                        .find_map(|(_, account)| account.clients.first())
                        .copied();
                    self.write(other.unwrap_or(slot), &bytes);
                }
                Spoil::Shorten => {
                    let (head, _) = push.split_once("[{").unwrap_or((push, ""));
                    let (_, tail) = push.split_once("}]").unwrap_or(("", push));
                    let mut bytes = Vec::new();
                    unmasked_text(&mut bytes, format!("{head}[]{tail}").as_bytes());
                    self.write(slot, &bytes);
                }
            },
            _ => {
                self.write(slot, &bytes);
                if let Some(held) = self.held.remove(&slot) {
                    self.write(slot, &held);
                }
            }
        }
    }

    fn send(&mut self, slot: usize, id: u64, who: Who, message: &[u8]) {
        let to = after(message, r#""conversationID":"#)
            .and_then(text)
            .unwrap_or_default();
        if to.starts_with("C2Cp") {
            return self.answer(slot, id, r#""message":{"seq":1}"#);
        }
        let is_group = to.starts_with("GROUP");
        let pair = (!is_group).then_some(who.account / 2);
        let seq = self.seqs.entry(pair).or_default();
        *seq += 1;
        let seq = *seq;
        let shown = |conversation: &str| texts::message(seq, conversation, who.account);
        let readers = if is_group {
            vec![(None, to.to_owned())]
        } else {
            vec![
                (Some(who.account), to.to_owned()),
                (Some(who.account ^ 1), format!("C2Cu{}", who.account)),
            ]
        };
        for (account, conversation) in readers {
            let push = texts::received(&shown(&conversation));
            let mut bytes = Vec::new();
            unmasked_text(&mut bytes, push.as_bytes());
            let clients: Vec<_> = match account {
                Some(account) => {
                    let account = self.accounts.entry(account).or_default();
                    account.change(&conversation, texts::Change::Written(seq));
                    account.clients.clone()
                }
                None => self
                    .accounts
                    .values()
                    .flat_map(|account| account.clients.iter().copied())
                    .collect(),
            };
            for client in clients.into_iter().filter(|client| *client != slot) {
                self.write(client, &bytes);
            }
        }
        self.answer(slot, id, &shown(to));
    }
}
