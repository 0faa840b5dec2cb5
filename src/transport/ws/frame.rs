//! Frames as bytes (RFC 6455, section 5.2): what stands before a payload, and the mask over it. No state, no I/O.

use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

/// The longest head that a server writes: no mask.
const MOST: usize = 10;
/// The longest payload of a control frame, in bytes.
pub(super) const MOST_CONTROL: u64 = 125;

const FINAL: u8 = 0x80;
const RESERVED: u8 = 0x70;
const MASKED: u8 = 0x80;

/// How a client broke the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// A rule of framing.
    Protocol,
    /// A text, or the reason of a close, is not UTF-8.
    NotUtf8,
    /// A message is longer than the limit.
    TooBig,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Opcode {
    Continuation = 0x0,
    Text = 0x1,
    Binary = 0x2,
    Close = 0x8,
    Ping = 0x9,
    Pong = 0xa,
}

impl Opcode {
    fn of(byte: u8) -> Result<Self, Fault> {
        Ok(match byte {
            0x0 => Self::Continuation,
            0x1 => Self::Text,
            0x2 => Self::Binary,
            0x8 => Self::Close,
            0x9 => Self::Ping,
            0xa => Self::Pong,
            _ => return Err(Fault::Protocol),
        })
    }

    pub(super) fn is_control(self) -> bool {
        matches!(self, Self::Close | Self::Ping | Self::Pong)
    }
}

/// What a client's frame says of itself before its payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) opcode: Opcode,
    pub(super) is_final: bool,
    /// Bytes of payload.
    pub(super) length: u64,
    pub(super) mask: [u8; 4],
}

impl Head {
    /// The head at the front of `input`, and its own length; none if it is not all there. What breaks a rule is
    /// refused as soon as it can be seen.
    pub(super) fn parse(input: &[u8]) -> Result<Option<(Self, usize)>, Fault> {
        let Some(&[first, second]) = input.first_chunk() else {
            return Ok(None);
        };
        let opcode = Opcode::of(first & 0x0f)?;
        let is_final = first & FINAL != 0;
        let short = u64::from(second & !MASKED);
        if first & RESERVED != 0 || second & MASKED == 0 {
            return Err(Fault::Protocol);
        }
        if opcode.is_control() && !is_final {
            return Err(Fault::Protocol);
        }
        let input = &input[2..];
        let (length, extra) = match short {
            126 => match input.first_chunk() {
                Some(length) => (u64::from(u16::from_be_bytes(*length)), 2),
                None => return Ok(None),
            },
            127 => match input.first_chunk() {
                Some(length) => (u64::from_be_bytes(*length), 8),
                None => return Ok(None),
            },
            short => (short, 0),
        };
        let Some(&mask) = input[extra..].first_chunk() else {
            return Ok(None);
        };
        let head = Self {
            opcode,
            is_final,
            length,
            mask,
        };
        Ok(Some((head, 2 + extra + 4)))
    }
}

/// What a server writes before a payload.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lead {
    bytes: [u8; MOST],
    length: u8,
}

impl Lead {
    /// Of a whole message, or a control frame, with so many bytes of payload.
    pub(super) fn new(opcode: Opcode, payload: usize) -> Self {
        let mut bytes = [0; MOST];
        bytes[0] = FINAL | opcode as u8;
        let length = if let Ok(short) = u8::try_from(payload)
            && u64::from(short) <= MOST_CONTROL
        {
            bytes[1] = short;
            2
        } else if let Ok(medium) = u16::try_from(payload) {
            bytes[1] = 126;
            bytes[2..4].copy_from_slice(&medium.to_be_bytes());
            4
        } else {
            bytes[1] = 127;
            bytes[2..].copy_from_slice(&(payload as u64).to_be_bytes());
            10
        };
        Self { bytes, length }
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }
}

/// Takes the mask off, or puts it on.
pub(super) fn unmask(payload: &mut [u8], mask: [u8; 4]) {
    let [a, b, c, d] = mask;
    let wide = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let (eights, rest) = payload.as_chunks_mut();
    for eight in eights {
        *eight = (u64::from_ne_bytes(*eight) ^ wide).to_ne_bytes();
    }
    for (byte, mask) in rest.iter_mut().zip(mask.into_iter().cycle()) {
        *byte ^= mask;
    }
}

/// Whether the body of a close is one (section 7.4): nothing, or a code that may be sent and a reason.
pub(super) fn check_close(body: &[u8]) -> Result<(), Fault> {
    if body.is_empty() {
        return Ok(());
    }
    let (code, reason) = body.split_first_chunk().ok_or(Fault::Protocol)?;
    if !CloseCode::from(u16::from_be_bytes(*code)).is_allowed() {
        return Err(Fault::Protocol);
    }
    match str::from_utf8(reason) {
        Ok(_) => Ok(()),
        Err(_) => Err(Fault::NotUtf8),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lead_takes_the_shortest_form() {
        for (payload, lead) in [
            (0, &[0x81, 0][..]),
            (125, &[0x81, 125]),
            (126, &[0x81, 126, 0, 126]),
            (65_535, &[0x81, 126, 0xff, 0xff]),
            (65_536, &[0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]),
        ] {
            assert_eq!(Lead::new(Opcode::Text, payload).as_bytes(), lead);
        }
    }

    #[test]
    fn a_head_is_whole_or_not_there() {
        let bytes = [0x81, 0xfe, 1, 0, 9, 8, 7, 6];
        for end in 0..bytes.len() {
            assert_eq!(Head::parse(&bytes[..end]), Ok(None), "{end}");
        }
        let head = Head {
            opcode: Opcode::Text,
            is_final: true,
            length: 256,
            mask: [9, 8, 7, 6],
        };
        assert_eq!(Head::parse(&bytes), Ok(Some((head, 8))));
    }

    #[test]
    fn a_mask_goes_on_as_it_comes_off() {
        for length in 0..40 {
            let plain: Vec<u8> = (0..length).collect();
            let mut bytes = plain.clone();
            unmask(&mut bytes, [1, 2, 3, 4]);
            let byte_by_byte = plain.iter().zip([1, 2, 3, 4].iter().cycle());
            assert!(bytes.iter().copied().eq(byte_by_byte.map(|(a, b)| a ^ b)));
            unmask(&mut bytes, [1, 2, 3, 4]);
            assert_eq!(bytes, plain);
        }
    }
}
