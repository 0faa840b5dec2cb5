//! What is written in which order: answers in their place among the pushes.

use super::{Connection, Doing, Flow, encoded};
use crate::hub::{Item, Outbox};
use crate::protocol::close::Close;
use crate::protocol::push::{Push, SyncHint};
use crate::transport::ws::end::End;
use crate::transport::ws::session::{Next, Reply, Session, Turn};
use crate::transport::ws::socket::Socket;

/// Pushes that are written before the client is listened to again.
const BATCH: usize = 64;

impl<S: Socket> Connection<S> {
    /// Writes an answer in its place.
    pub(super) fn on_turn(&mut self, turn: Turn) -> Flow {
        let is_in_place = std::mem::take(&mut self.answer_is_next);
        let frame = match turn.reply {
            Reply::Frame(frame) => {
                if !is_in_place {
                    if let Some(session) = self.identified() {
                        session.catch_up();
                    }
                    self.write_queued(true)?;
                }
                Some(frame)
            }
            Reply::Pong { id, reached } => {
                // The pong says that all up to `reached` came before it on this connection.
                self.write_queued(false)?;
                self.identified().map(|session| session.pong(&id, reached))
            }
        };
        if let Some(frame) = frame {
            self.writer.text(frame);
        }
        match turn.next {
            Next::Stay => {}
            Next::Become(session) => self.become_session(session)?,
            Next::Close(close) => return Err(close.into()),
        }
        match self.restart.take() {
            Some(order) => Err(End::Close(*order)),
            None => Ok(()),
        }
    }

    fn become_session(&mut self, session: Session) -> Flow {
        let is_identified = session.identified().is_some();
        self.session = Some(session);
        if is_identified {
            self.line.peer.admitted.identified();
            // The drain may have gone through the hub before this session was in it.
            if self.line.context.draining.is_cancelled() {
                return Err(Close::Restart.into());
            }
        }
        Ok(())
    }

    /// Writes a batch of what the hub queued.
    pub(super) fn on_queued(&mut self, first: Item) -> Flow {
        let is_working = matches!(self.doing, Doing::Working(_));
        let mut next = Some(first);
        for left in (0..BATCH).rev() {
            match next {
                Some(Item::Answer) if is_working => {
                    self.answer_is_next = true;
                    break;
                }
                Some(item) => self.write(item)?,
                None => break,
            }
            // Nothing is taken that would not be written.
            next = if left > 0 {
                self.outbox().and_then(Outbox::try_take)
            } else {
                None
            };
        }
        match self.restart.take() {
            Some(order) if !is_working => Err(End::Close(*order)),
            order => {
                self.restart = order;
                Ok(())
            }
        }
    }

    /// Writes what is queued now, or as much of it as lies before the place of an answer.
    fn write_queued(&mut self, until_answer: bool) -> Flow {
        let mut left = self.outbox().map_or(0, Outbox::len);
        while left > 0 {
            let Some(item) = self.outbox().and_then(Outbox::try_take) else {
                break;
            };
            match item {
                Item::Answer if until_answer => break,
                // It jumps the queue, so it takes nobody's turn.
                Item::Notice(_) => {}
                _ => left -= 1,
            }
            self.write(item)?;
        }
        Ok(())
    }

    fn write(&mut self, item: Item) -> Flow {
        match item {
            Item::Push { frame, committed } => self.writer.push(frame, committed),
            Item::Notice(frame) => self.writer.text(frame),
            Item::Hint(head) => {
                if let Some(session) = self.identified() {
                    session.hinted();
                }
                if let Some(frame) = encoded(&Push::SyncHint(SyncHint { head })) {
                    self.writer.text(frame);
                }
            }
            // Nothing is in hand whose place this could be.
            Item::Answer => {}
            Item::Close(order) if order.close == Close::Restart => {
                self.restart = Some(Box::new(order));
            }
            Item::Close(order) => return Err(End::Close(order)),
        }
        Ok(())
    }
}
