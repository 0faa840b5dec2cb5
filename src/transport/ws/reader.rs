//! From a client's bytes to its messages (RFC 6455, section 5.4).
//!
//! Bytes come in whatever pieces the network makes of them. A message that is whole in one piece is handed out where
//! it lies; only what is incomplete is kept, so that a connection at rest has no buffer.

use std::borrow::Cow;
use std::mem;

use super::frame::{Fault, Head, MOST_CONTROL, Opcode, check_close, unmask};

/// What a client sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Incoming<'a> {
    Text(Cow<'a, str>),
    Binary(Cow<'a, [u8]>),
    Ping(&'a [u8]),
    Pong,
    /// With the body that answers it.
    Close(&'a [u8]),
}

/// Bytes that came in one piece.
#[derive(Debug)]
pub(super) struct Input<'a>(&'a mut [u8]);

impl<'a> Input<'a> {
    pub(super) fn new(bytes: &'a mut [u8]) -> Self {
        Self(bytes)
    }

    /// What was not taken.
    pub(super) fn rest(&self) -> &[u8] {
        self.0
    }

    /// Takes so many bytes off the front.
    fn take(&mut self, count: usize) -> &'a mut [u8] {
        let (front, rest) = mem::take(&mut self.0).split_at_mut(count);
        self.0 = rest;
        front
    }
}

/// Takes a client's bytes apart.
#[derive(Debug, Default)]
pub(super) struct Reader(Option<Box<UnderWay>>);

/// What is there of a message that is not all there.
#[derive(Debug, Default)]
struct UnderWay {
    /// Bytes that were not looked at, or that end within a head or a control frame.
    unread: Vec<u8>,
    /// There is nothing to be made of `unread` until more comes.
    is_starved: bool,
    frame: Option<Open>,
    message: Option<Message>,
}

/// A frame whose payload is still coming.
#[derive(Debug)]
struct Open {
    left: usize,
    /// As it lies over the next byte.
    mask: [u8; 4],
    is_final: bool,
}

#[derive(Debug)]
struct Message {
    is_text: bool,
    bytes: Vec<u8>,
    /// Of a text: so many bytes are known to be UTF-8.
    valid: usize,
}

impl Reader {
    /// The next message in `input`, which is left with what follows it; none if more must come. `most`: bytes that a
    /// message may have.
    pub(super) fn next<'a>(
        &mut self,
        input: &mut Input<'a>,
        most: usize,
    ) -> Result<Option<Incoming<'a>>, Fault> {
        loop {
            if let Some(under_way) = &mut self.0
                && let Some(frame) = &mut under_way.frame
            {
                let part = input.take(frame.left.min(input.0.len()));
                let message = under_way.message.as_mut().ok_or(Fault::Protocol)?;
                unmask(part, frame.mask);
                frame.mask.rotate_left(part.len() % 4);
                frame.left -= part.len();
                message.append(part)?;
                if frame.left > 0 {
                    return Ok(None);
                }
                let is_final = frame.is_final;
                under_way.frame = None;
                if is_final && let Some(message) = under_way.message.take() {
                    self.tidy();
                    return message.into_incoming().map(Some);
                }
            }
            let Some((head, length)) = Head::parse(input.0)? else {
                return Ok(None);
            };
            if head.opcode.is_control() {
                if head.length > most as u64 {
                    return Err(Fault::TooBig);
                }
                if head.length > MOST_CONTROL {
                    return Err(Fault::Protocol);
                }
                return control(input, &head, length);
            }
            let (is_first, so_far) = match self.message() {
                Some(message) => (false, message.bytes.len()),
                None => (true, 0),
            };
            if is_first == (head.opcode == Opcode::Continuation) {
                return Err(Fault::Protocol);
            }
            let payload = usize::try_from(head.length).map_err(|_| Fault::TooBig)?;
            if payload > most.saturating_sub(so_far) {
                return Err(Fault::TooBig);
            }
            let is_text = head.opcode == Opcode::Text;
            input.take(length);
            if is_first && head.is_final && payload <= input.0.len() {
                let bytes = input.take(payload);
                unmask(bytes, head.mask);
                return whole(is_text, bytes).map(Some);
            }
            let under_way = self.0.get_or_insert_default();
            under_way.message.get_or_insert(Message {
                is_text,
                bytes: Vec::new(),
                valid: 0,
            });
            under_way.frame = Some(Open {
                left: payload,
                mask: head.mask,
                is_final: head.is_final,
            });
        }
    }

    /// Keeps what [`next`](Self::next) left; `is_starved`: because more must come.
    pub(super) fn keep(&mut self, rest: &[u8], is_starved: bool) {
        if rest.is_empty() {
            return;
        }
        let under_way = self.0.get_or_insert_default();
        under_way.unread.extend_from_slice(rest);
        under_way.is_starved = is_starved;
    }

    /// What was kept; none if nothing can be made of it until more comes.
    pub(super) fn unread(&mut self) -> Option<Vec<u8>> {
        let under_way = self.0.as_mut()?;
        if under_way.unread.is_empty() || under_way.is_starved {
            return None;
        }
        let unread = mem::take(&mut under_way.unread);
        self.tidy();
        Some(unread)
    }

    /// How many bytes were kept.
    pub(super) fn kept(&self) -> usize {
        self.0.as_ref().map_or(0, |kept| kept.unread.len())
    }

    /// Puts what was kept into the front of `buffer`.
    pub(super) fn restore(&mut self, buffer: &mut [u8]) {
        if let Some(under_way) = &mut self.0 {
            let unread = mem::take(&mut under_way.unread);
            buffer[..unread.len()].copy_from_slice(&unread);
            self.tidy();
        }
    }

    /// Bytes of memory for what is incomplete, but for a few that do not grow.
    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        self.0.as_ref().map_or(0, |under_way| {
            let message = under_way.message.as_ref();
            1 + under_way.unread.capacity() + message.map_or(0, |message| message.bytes.capacity())
        })
    }

    fn message(&self) -> Option<&Message> {
        self.0.as_ref()?.message.as_ref()
    }

    /// Gives the memory back once nothing is under way.
    fn tidy(&mut self) {
        self.0.take_if(|under_way| {
            under_way.message.is_none() && under_way.frame.is_none() && under_way.unread.is_empty()
        });
    }
}

/// A control frame, once it is all there: it is short.
fn control<'a>(
    input: &mut Input<'a>,
    head: &Head,
    length: usize,
) -> Result<Option<Incoming<'a>>, Fault> {
    let payload = usize::try_from(head.length).map_err(|_| Fault::Protocol)?;
    if input.0.len() < length + payload {
        return Ok(None);
    }
    input.take(length);
    let body = input.take(payload);
    unmask(body, head.mask);
    Ok(Some(match head.opcode {
        Opcode::Ping => Incoming::Ping(body),
        Opcode::Close => {
            check_close(body)?;
            Incoming::Close(body)
        }
        _ => Incoming::Pong,
    }))
}

fn whole(is_text: bool, bytes: &[u8]) -> Result<Incoming<'_>, Fault> {
    if !is_text {
        return Ok(Incoming::Binary(bytes.into()));
    }
    match str::from_utf8(bytes) {
        Ok(text) => Ok(Incoming::Text(text.into())),
        Err(_) => Err(Fault::NotUtf8),
    }
}

impl Message {
    fn append(&mut self, part: &[u8]) -> Result<(), Fault> {
        self.bytes.extend_from_slice(part);
        if !self.is_text {
            return Ok(());
        }
        match str::from_utf8(&self.bytes[self.valid..]) {
            Ok(_) => self.valid = self.bytes.len(),
            // It may end within a character.
            Err(error) if error.error_len().is_none() => self.valid += error.valid_up_to(),
            Err(_) => return Err(Fault::NotUtf8),
        }
        Ok(())
    }

    fn into_incoming<'a>(self) -> Result<Incoming<'a>, Fault> {
        if !self.is_text {
            return Ok(Incoming::Binary(self.bytes.into()));
        }
        match String::from_utf8(self.bytes) {
            Ok(text) => Ok(Incoming::Text(text.into())),
            Err(_) => Err(Fault::NotUtf8),
        }
    }
}
