//! From sockets that are ready to messages.

use std::io;
use std::time::{Duration, Instant};

use mio::Events;
use mio::event::Event as Readiness;

use super::World;
use crate::client::connection::Stage;
use crate::client::frame::{self, Frame};
use crate::client::handshake;

impl World {
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

    pub(super) fn garbled(&mut self, slot: usize, why: &str) {
        self.tally.faults.garbled += 1;
        self.ended(slot, why);
    }
}
