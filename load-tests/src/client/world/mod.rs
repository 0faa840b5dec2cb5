//! All devices of a client process: their sockets, what they are waiting for, what they have heard.

mod calls;
mod events;
mod network;

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Instant;

use mio::{Events, Interest, Poll, Token, Waker};
use socket2::SockRef;

use super::connection::{Connection, Stage};
use super::order::{Block, Resume, Setup, Tally};
use super::socket;
use super::timer::Timer;
use crate::oracle::Oracle;
use crate::wire::{Call, Stream, Who, Wire};

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
    /// Accounts of a circle.
    circle: u32,
    pub(crate) connections: Vec<Connection>,
    calls: HashMap<u64, Pending>,
    next_id: u64,
    pub(crate) oracle: Oracle,
    pub(crate) tally: Tally,
    /// Connections on the way to being logged in.
    pub(crate) opening: usize,
    /// Those that did not get there, since this was last emptied.
    pub(crate) fallen: Vec<usize>,
    /// Calls that were refused, and when, and have to be made all the same.
    pub(crate) put_off: Vec<(Instant, usize, Call)>,
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
            circle: setup.circle,
            connections,
            calls: HashMap::new(),
            next_id: 1,
            oracle: Oracle::default(),
            tally: Tally::default(),
            opening: 0,
            fallen: Vec::new(),
            put_off: Vec::new(),
            complete: 0,
            random: fastrand::Rng::with_seed(setup.seed),
        })
    }

    /// Ends a [`wait`](Self::wait) from another thread.
    pub(crate) fn waker(&self) -> io::Result<Waker> {
        Waker::new(self.poll.registry(), WAKER)
    }

    /// The messages of the account's circle.
    fn circle(&self, account: u32) -> Stream {
        Stream::Circle(account / self.circle)
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
        let streams = [Stream::Account(who.account), self.circle(who.account)];
        self.connections[slot].circle_at = self.oracle.position(slot, streams[1]);
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
