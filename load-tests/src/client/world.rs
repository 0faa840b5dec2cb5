//! All devices of a client process: their sockets, what they are waiting for, what they have heard.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use mio::event::Event as Readiness;
use mio::{Events, Interest, Poll, Token, Waker};
use socket2::SockRef;

use super::connection::{Connection, Stage};
use super::frame::{self, Frame};
use super::order::{Block, Resume, Setup, Tally};
use super::timer::Timer;
use super::{handshake, socket};
use crate::oracle::{Heard, Oracle};
use crate::wire::{Answer, Call, Content, Event, Opening, Stream, StreamKind, Told, Who, Wire};

const TIMER: Token = Token(usize::MAX);
const WAKER: Token = Token(usize::MAX - 1);
/// Bytes read at once, by all connections.
const BUFFER: usize = 64 * 1024;
/// What the kernel takes in for a device that does not read; else it would read megabytes on its behalf.
const SLOW_BUFFER: usize = 4096;
/// Sockets handled before the schedule is looked at again.
const BATCH: usize = 128;

/// A call on its way.
#[derive(Debug, Clone, Copy)]
struct Pending {
    slot: usize,
    intended: Instant,
    /// None: a login.
    call: Option<Call>,
}

/// The devices of one client process.
pub(crate) struct World {
    poll: Poll,
    events: Events,
    timer: Timer,
    buffer: Vec<u8>,
    server: SocketAddr,
    wire: Rc<dyn Wire>,
    /// Connections begun so far.
    begun: usize,
    pub(crate) blocks: Vec<Block>,
    pub(crate) connections: Vec<Connection>,
    calls: HashMap<u64, Pending>,
    next_id: u64,
    pub(crate) oracle: Oracle,
    pub(crate) tally: Tally,
    /// Connections on the way to being logged in.
    pub(crate) opening: usize,
    /// Those that did not get there, since this was last emptied.
    pub(crate) fallen: Vec<usize>,
    /// Operations that everybody has heard of.
    pub(crate) complete: u64,
    pub(crate) random: fastrand::Rng,
}

impl World {
    pub(crate) fn new(setup: &Setup) -> io::Result<Self> {
        let poll = Poll::new()?;
        let timer = Timer::new(poll.registry(), TIMER)?;
        let wire = setup.access.protocol.wire(setup);
        let connections = setup
            .blocks
            .iter()
            .flat_map(|block| {
                let accounts = block.first_account..block.first_account + block.accounts;
                let devices = block.first_device..block.first_device + block.devices;
                accounts.flat_map(move |account| {
                    devices.clone().map(move |device| Who { account, device })
                })
            })
            .map(Connection::new)
            .collect();
        Ok(Self {
            poll,
            events: Events::with_capacity(BATCH),
            timer,
            buffer: vec![0; BUFFER],
            server: setup.access.server,
            wire,
            begun: 0,
            blocks: setup.blocks.clone(),
            connections,
            calls: HashMap::new(),
            next_id: 1,
            oracle: Oracle::default(),
            tally: Tally::default(),
            opening: 0,
            fallen: Vec::new(),
            complete: 0,
            random: fastrand::Rng::with_seed(setup.seed),
        })
    }

    /// Ends a [`wait`](Self::wait) from another thread.
    pub(crate) fn waker(&self) -> io::Result<Waker> {
        Waker::new(self.poll.registry(), WAKER)
    }

    /// The places of a block's devices: an account's stand together.
    pub(crate) fn slots(&self, block: usize) -> std::ops::Range<usize> {
        let first = self
            .blocks
            .iter()
            .take(block)
            .map(|block| block.connections())
            .sum();
        let count = self
            .blocks
            .get(block)
            .map_or(0, |block| block.connections());
        first..first + count
    }

    /// Calls that wait for an answer.
    pub(crate) fn waiting(&self) -> usize {
        self.calls.len()
    }

    /// Lets a device read nothing, or read again.
    pub(crate) fn stall(&mut self, slot: usize, on: bool) {
        let connection = &mut self.connections[slot];
        connection.stalled = on;
        connection.excused = true;
        if let Some(socket) = &connection.socket {
            let size = if on { SLOW_BUFFER } else { BUFFER };
            if let Err(error) = SockRef::from(socket).set_recv_buffer_size(size) {
                self.broke(slot, &error);
            }
        }
        if !on {
            // What came meanwhile is no new event.
            self.read(slot);
        }
    }

    /// Gives up on every call.
    pub(crate) fn abandon_calls(&mut self) {
        self.tally.faults.unanswered += self.calls.len() as u64;
        for (_, pending) in self.calls.drain() {
            self.connections[pending.slot].waiting = 0;
        }
    }

    /// Begins to connect and log in.
    pub(crate) fn open(&mut self, slot: usize, intended: Instant, resume: Resume) {
        self.opening += 1;
        self.begun += 1;
        let connection = &mut self.connections[slot];
        connection.intended = intended;
        connection.resume = resume;
        let is_kept = resume == Resume::SameCursor;
        connection.anchor = connection.cursor.clone().filter(|_| is_kept);
        connection.stage = Stage::Connecting;
        let registered = socket::connect(self.server, self.begun).and_then(|mut socket| {
            let interest = Interest::READABLE | Interest::WRITABLE;
            self.poll
                .registry()
                .register(&mut socket, Token(slot), interest)?;
            Ok(socket)
        });
        match registered {
            Ok(socket) => connection.socket = Some(socket),
            Err(error) => self.fall(slot, &format!("connect: {error}")),
        }
    }

    /// Closes a connection from this side.
    pub(crate) fn close(&mut self, slot: usize) {
        let connection = &mut self.connections[slot];
        if connection.stage == Stage::Closed {
            return;
        }
        if connection.stage != Stage::Ready {
            self.opening -= 1;
        }
        connection.reset();
        let who = connection.who;
        self.forget(slot, who);
    }

    /// Sends a call; its latency runs from `intended`. False if the device is not logged in.
    pub(crate) fn call(&mut self, slot: usize, call: Call, intended: Instant) -> bool {
        if self.connections[slot].stage != Stage::Ready {
            return false;
        }
        self.send(slot, call, intended);
        true
    }

    /// Sends something to the account's other devices that the server does not acknowledge. False if the device is
    /// not logged in.
    pub(crate) fn publish(&mut self, slot: usize, intended: Instant) -> bool {
        let connection = &self.connections[slot];
        let who = connection.who;
        let account = Stream::Account(who.account);
        let number = self.oracle.newest(account) + 1;
        let message = self.wire.call(0, who, Call::Publish { number }, None);
        let Some(message) = message.filter(|_| connection.stage == Stage::Ready) else {
            return false;
        };
        // It is done once it is sent: its delivery must not be heard of before.
        let content = Content {
            device: Some(who.device),
            conversations: None,
        };
        let heard = self.oracle.done(slot, content, account, number, intended);
        self.heard(&heard);
        self.tally.answered += 1;
        self.say(slot, &message);
        true
    }

    /// Sends a call, if the server knows it.
    fn send(&mut self, slot: usize, call: Call, intended: Instant) {
        let id = self.next_id;
        let connection = &self.connections[slot];
        let cursor = connection.cursor.as_deref();
        if let Some(message) = self.wire.call(id, connection.who, call, cursor) {
            self.ask(slot, Some(call), &message, intended);
        }
    }

    /// The upgrade is there: begins to log in.
    fn log_in(&mut self, slot: usize) {
        let connection = &mut self.connections[slot];
        connection.stage = Stage::LoggingIn;
        let intended = connection.intended;
        let cursor = connection.cursor.as_deref();
        let cursor = cursor.filter(|_| connection.resume != Resume::Nothing);
        match self.wire.open(self.next_id, connection.who, cursor) {
            Opening::Call(message) => self.ask(slot, None, &message, intended),
            Opening::Say(message) => self.say(slot, &message),
            Opening::Listen => {}
            Opening::None => self.let_in(slot, Instant::now()),
        }
    }

    /// Sends a message with the next id, which the server will answer.
    fn ask(&mut self, slot: usize, call: Option<Call>, message: &str, intended: Instant) {
        self.connections[slot].waiting += 1;
        self.calls.insert(
            self.next_id,
            Pending {
                slot,
                intended,
                call,
            },
        );
        self.next_id += 1;
        self.say(slot, message);
    }

    fn say(&mut self, slot: usize, message: &str) {
        let mut bytes = Vec::with_capacity(message.len() + 14);
        if self.wire.is_binary() {
            frame::binary(&mut bytes, message.as_bytes());
        } else {
            frame::text(&mut bytes, message.as_bytes());
        }
        if let Err(error) = self.connections[slot].write(&bytes) {
            self.broke(slot, &error);
        }
    }

    fn take_call(&mut self, id: u64) -> Option<Pending> {
        let pending = self.calls.remove(&id)?;
        let waiting = &mut self.connections[pending.slot].waiting;
        *waiting = waiting.saturating_sub(1);
        Some(pending)
    }

    /// Waits for something to happen and handles it; until `until` at most.
    pub(crate) fn wait(&mut self, until: Option<Instant>) -> io::Result<()> {
        let now = Instant::now();
        let timeout = match until {
            Some(until) if until <= now => Some(Duration::ZERO),
            Some(until) => {
                self.timer.set(until - now)?;
                None
            }
            None => None,
        };
        let mut events = std::mem::replace(&mut self.events, Events::with_capacity(0));
        match self.poll.poll(&mut events, timeout) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
            _ => {}
        }
        for event in &events {
            if event.token().0 < self.connections.len() {
                self.ready(event);
            }
        }
        self.events = events;
        Ok(())
    }

    fn ready(&mut self, event: &Readiness) {
        let slot = event.token().0;
        if self.connections[slot].stage == Stage::Connecting && event.is_writable() {
            self.connected(slot);
        }
        if event.is_writable()
            && let Err(error) = self.connections[slot].flush()
        {
            self.broke(slot, &error);
        }
        if event.is_readable() && !self.connections[slot].stalled {
            self.read(slot);
        }
    }

    fn connected(&mut self, slot: usize) {
        let connection = &mut self.connections[slot];
        let Some(socket) = &connection.socket else {
            return;
        };
        let shaken = match socket.take_error() {
            Ok(None) => {
                connection.stage = Stage::Shaking;
                connection.write(&self.wire.handshake(connection.who))
            }
            Ok(Some(error)) | Err(error) => Err(error),
        };
        if let Err(error) = shaken {
            self.broke(slot, &error);
        }
    }

    /// Reads all there is.
    pub(crate) fn read(&mut self, slot: usize) {
        let mut buffer = std::mem::take(&mut self.buffer);
        loop {
            match self.connections[slot].read(&mut buffer) {
                Ok(None) => break,
                Ok(Some(0)) => {
                    self.ended(slot, "the server hung up");
                    break;
                }
                Ok(Some(count)) => {
                    self.tally.received += count as u64;
                    self.input(slot, &buffer[..count]);
                    // The next bytes are a new event: a stream that gave less than it could is empty.
                    if count < buffer.len() {
                        break;
                    }
                }
                Err(error) => {
                    self.broke(slot, &error);
                    break;
                }
            }
        }
        self.buffer = buffer;
    }

    fn input(&mut self, slot: usize, bytes: &[u8]) {
        let connection = &mut self.connections[slot];
        if connection.stage != Stage::Shaking {
            self.frames(slot, bytes);
            return;
        }
        connection.head.extend_from_slice(bytes);
        match handshake::accepted(&connection.head) {
            Ok(None) => {}
            Ok(Some(length)) => {
                let head = std::mem::take(&mut connection.head);
                self.log_in(slot);
                self.frames(slot, &head[length..]);
            }
            Err(why) => self.fall(slot, &why),
        }
    }

    fn frames(&mut self, slot: usize, bytes: &[u8]) {
        let now = Instant::now();
        let mut parser = std::mem::take(&mut self.connections[slot].parser);
        let is_binary = self.wire.is_binary();
        let fed = parser.feed(bytes, &mut |frame| match frame {
            Frame::Text(text) if !is_binary => self.message(slot, text, now),
            Frame::Binary(bytes) if is_binary => self.message(slot, bytes, now),
            Frame::Text(_) | Frame::Binary(_) => self.garbled(slot, "a message of the wrong kind"),
            Frame::Ping(payload) => self.pinged(slot, payload),
            Frame::Close(code) => {
                *self.tally.closed.entry(code).or_default() += 1;
                self.ended(slot, &format!("closed with {code}"));
            }
        });
        if fed.is_err() {
            self.garbled(slot, "not a WebSocket frame");
        } else if self.connections[slot].stage != Stage::Closed {
            self.connections[slot].parser = parser;
        }
    }

    fn pinged(&mut self, slot: usize, payload: &[u8]) {
        self.tally.pings += 1;
        let mut pong = Vec::with_capacity(payload.len() + 6);
        frame::pong(&mut pong, payload);
        if let Err(error) = self.connections[slot].write(&pong) {
            self.broke(slot, &error);
        }
    }

    fn garbled(&mut self, slot: usize, why: &str) {
        self.tally.faults.garbled += 1;
        self.ended(slot, why);
    }

    fn message(&mut self, slot: usize, message: &[u8], now: Instant) {
        let wire = Rc::clone(&self.wire);
        let who = self.connections[slot].who;
        wire.read(who, message, &mut |event| self.event(slot, event, now));
    }

    fn event(&mut self, slot: usize, event: Event<'_>, now: Instant) {
        // What stood behind the end is not heard any more.
        if self.connections[slot].stage == Stage::Closed {
            return;
        }
        match event {
            Event::Answer { id, answer } => match self.take_call(id) {
                Some(pending) if pending.slot == slot => self.answered(pending, &answer, now),
                _ => self.tally.faults.garbled += 1,
            },
            Event::Refusal { id, code } => {
                *self.tally.refused.entry(code).or_default() += 1;
                if let Some(Pending { call: None, .. }) = self.take_call(id) {
                    self.fall(slot, &format!("login: error {code}"));
                }
            }
            Event::Told(told) => self.told(slot, told, now),
            Event::Hint => {
                self.tally.hints += 1;
                self.send(slot, Call::Sync, now);
            }
            Event::Reply(message) => self.say(slot, &message),
            Event::Ready => self.let_in(slot, now),
            Event::TurnedDown(why) => self.ended(slot, why),
            Event::Garbled => self.garbled(slot, "not what such a server says"),
            Event::Other => {}
        }
    }

    /// A login without an answer is complete: from here on the device follows its account.
    fn let_in(&mut self, slot: usize, now: Instant) {
        let connection = &self.connections[slot];
        if connection.stage != Stage::LoggingIn {
            return;
        }
        let (account, intended) = (Stream::Account(connection.who.account), connection.intended);
        let newest = self.oracle.newest(account);
        self.oracle.caught_up(slot, account, newest);
        self.logged_in(slot, intended, now);
    }

    fn logged_in(&mut self, slot: usize, intended: Instant, now: Instant) {
        self.connections[slot].stage = Stage::Ready;
        self.opening -= 1;
        self.tally.opened += 1;
        self.tally
            .login
            .record(now.saturating_duration_since(intended));
    }

    fn answered(&mut self, pending: Pending, answer: &Answer<'_>, now: Instant) {
        let Pending {
            slot,
            intended,
            call,
        } = pending;
        let connection = &mut self.connections[slot];
        if let Some(cursor) = answer.cursor {
            connection.cursor = Some(cursor.to_owned());
        }
        let who = connection.who;
        let account = Stream::Account(who.account);
        match call {
            None | Some(Call::Sync) => self.caught_up(slot, intended, answer, now),
            Some(Call::Ping { .. }) => {
                if let Some(head) = answer.version {
                    self.oracle.head(account, head);
                }
            }
            Some(call) => {
                self.tally.answered += 1;
                self.tally
                    .answer
                    .record(now.saturating_duration_since(intended));
                self.tally.faults.garbled += u64::from(!is_whole(call, answer));
                let content = Content {
                    device: Some(who.device),
                    conversations: Some(answer.conversations),
                };
                let heard = match (call, answer.version, answer.seq) {
                    (Call::Seed { .. }, ..) => return,
                    (Call::Send, _, Some(seq)) => {
                        let pair = Stream::Pair(who.account / 2);
                        self.oracle
                            .done(slot, Content::default(), pair, seq, intended)
                    }
                    _ if !answer.synced => {
                        self.tally.unsynced += 1;
                        return;
                    }
                    (_, Some(version), _) => {
                        self.oracle.done(slot, content, account, version, intended)
                    }
                    _ => return,
                };
                self.heard(&heard);
            }
        }
    }

    /// The answer to a login or a catch-up: asks for the next page, or is done.
    fn caught_up(&mut self, slot: usize, intended: Instant, answer: &Answer<'_>, now: Instant) {
        self.tally.pages += 1;
        self.tally.entries += answer.entries as u64;
        self.tally.resets += u64::from(answer.reset);
        if !answer.completed {
            self.send(slot, Call::Sync, intended);
            return;
        }
        let connection = &mut self.connections[slot];
        let account = Stream::Account(connection.who.account);
        if let Some(anchor) = connection.anchor.take() {
            connection.cursor = Some(anchor);
        }
        let pair = Stream::Pair(connection.who.account / 2);
        if let Some(seq) = answer.pair_seq.or(connection.pair_at.take()) {
            self.oracle.caught_up(slot, pair, seq);
        } else if connection.stage == Stage::LoggingIn {
            self.oracle.caught_up(slot, pair, 0);
        }
        if connection.stage == Stage::LoggingIn {
            self.logged_in(slot, intended, now);
        }
        match answer.version {
            Some(version) => self.oracle.caught_up(slot, account, version),
            None => self.tally.faults.garbled += 1,
        }
    }

    fn told(&mut self, slot: usize, told: Told, now: Instant) {
        let own = self.connections[slot].who.account;
        let (stream, is_own) = match told.stream {
            StreamKind::Account => (
                Stream::Account(own),
                told.owner.is_none_or(|owner| owner == own),
            ),
            StreamKind::Pair => (
                Stream::Pair(own / 2),
                told.owner.is_none_or(|from| from / 2 == own / 2),
            ),
        };
        self.tally.told += 1;
        if is_own {
            let heard = self
                .oracle
                .told(slot, stream, told.number, told.content, now);
            self.heard(&heard);
        } else {
            self.tally.faults.misplaced += 1;
        }
    }

    fn heard(&mut self, heard: &Heard) {
        for latency in &heard.latencies {
            self.tally.delivery.record(*latency);
        }
        self.complete += u64::from(heard.is_complete);
    }

    fn broke(&mut self, slot: usize, error: &io::Error) {
        self.ended(slot, &error.to_string());
    }

    /// The connection is over, and not by our doing.
    fn ended(&mut self, slot: usize, why: &str) {
        match self.connections[slot].stage {
            Stage::Closed => {}
            Stage::Ready => {
                self.tally.faults.cut += u64::from(!self.connections[slot].excused);
                self.connections[slot].reset();
                let who = self.connections[slot].who;
                self.forget(slot, who);
            }
            stage => self.fall(slot, &format!("{stage:?}: {why}")),
        }
    }

    /// The connection did not come to be.
    fn fall(&mut self, slot: usize, why: &str) {
        *self.tally.failed.entry(why.to_owned()).or_default() += 1;
        self.fallen.push(slot);
        self.close(slot);
    }

    /// A device without a connection follows nothing, and its calls get no answer.
    fn forget(&mut self, slot: usize, who: Who) {
        let streams = [Stream::Account(who.account), Stream::Pair(who.account / 2)];
        self.connections[slot].pair_at = self.oracle.position(slot, streams[1]);
        self.oracle.left(slot, streams);
        let oracle = &mut self.oracle;
        // Most close with nothing under way, and there may be very many calls of others.
        if std::mem::take(&mut self.connections[slot].waiting) == 0 {
            return;
        }
        self.calls.retain(|_, pending| {
            let is_lost = pending.slot == slot;
            match pending.call {
                Some(Call::Send) if is_lost => oracle.unknown(streams[1]),
                Some(Call::Delete { .. } | Call::Read { .. }) if is_lost => {
                    oracle.unknown(streams[0]);
                }
                _ => {}
            }
            !is_lost
        });
    }
}

/// Whether the answer covers all that was asked for.
fn is_whole(call: Call, answer: &Answer<'_>) -> bool {
    match call {
        Call::Delete { count, .. } => {
            answer.failures == 0
                && answer.conversations == count as usize
                && answer.version.is_some()
        }
        _ => answer.failures == 0,
    }
}
