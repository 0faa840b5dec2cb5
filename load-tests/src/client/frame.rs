//! WebSocket frames (RFC 6455, section 5): masked ones out, unmasked ones in, a few bytes at a time.

/// Any will do: it is there for proxies, and there is none.
const MASK: [u8; 4] = [0x5a, 0xc3, 0x17, 0x9e];
/// A message is no larger; a server that sends more is broken.
const MAX_MESSAGE: usize = 16 * 1024 * 1024;

const CONTINUATION: u8 = 0;
const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

/// Adds a text frame.
pub(crate) fn text(out: &mut Vec<u8>, payload: &[u8]) {
    masked(out, TEXT, payload);
}

/// Adds a binary frame.
pub(crate) fn binary(out: &mut Vec<u8>, payload: &[u8]) {
    masked(out, BINARY, payload);
}

/// Adds the answer to a ping.
pub(crate) fn pong(out: &mut Vec<u8>, payload: &[u8]) {
    masked(out, PONG, payload);
}

fn masked(out: &mut Vec<u8>, opcode: u8, payload: &[u8]) {
    out.push(0x80 | opcode);
    push_length(out, 0x80, payload.len());
    out.extend(MASK);
    out.extend(
        payload
            .iter()
            .zip(MASK.iter().cycle())
            .map(|(byte, mask)| byte ^ mask),
    );
}

/// Adds a text frame as a server sends it.
pub(crate) fn unmasked_text(out: &mut Vec<u8>, payload: &[u8]) {
    out.push(0x80 | TEXT);
    push_length(out, 0, payload.len());
    out.extend(payload);
}

fn push_length(out: &mut Vec<u8>, flag: u8, length: usize) {
    if length < 126 {
        out.push(flag | u8::try_from(length).unwrap_or(u8::MAX));
    } else if let Ok(length) = u16::try_from(length) {
        out.push(flag | 0x7e);
        out.extend(length.to_be_bytes());
    } else {
        out.push(flag | 0x7f);
        out.extend((length as u64).to_be_bytes());
    }
}

/// What came in whole.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Frame<'a> {
    Text(&'a [u8]),
    /// Never in fragments: no server that is measured sends it so.
    Binary(&'a [u8]),
    Ping(&'a [u8]),
    /// With its code; 1005 if it has none.
    Close(u16),
}

/// The peer does not speak WebSocket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Broken;

/// Cuts a stream of bytes into frames: a server's, or `MASKED` ones, which are a client's. Keeps nothing while no
/// frame is half there.
#[derive(Debug, Default)]
pub(crate) struct Parser<const MASKED: bool = false> {
    half: Vec<u8>,
    fragments: Vec<u8>,
}

impl<const MASKED: bool> Parser<MASKED> {
    /// Takes `input` and gives every frame that is whole to `each`.
    pub(crate) fn feed(
        &mut self,
        input: &[u8],
        each: &mut impl FnMut(Frame<'_>),
    ) -> Result<(), Broken> {
        if self.half.is_empty() {
            let taken = parse::<MASKED>(input, &mut self.fragments, each)?;
            self.half.extend_from_slice(&input[taken..]);
        } else {
            self.half.extend_from_slice(input);
            let mut half = std::mem::take(&mut self.half);
            let taken = parse::<MASKED>(&half, &mut self.fragments, each)?;
            if taken < half.len() {
                half.drain(..taken);
                self.half = half;
            }
        }
        Ok(())
    }
}

fn parse<const MASKED: bool>(
    bytes: &[u8],
    fragments: &mut Vec<u8>,
    each: &mut impl FnMut(Frame<'_>),
) -> Result<usize, Broken> {
    let mut at = 0;
    while let Some((frame, length)) = head(&bytes[at..], MASKED)? {
        let Some(payload) = bytes.get(at + length..at + length + frame.length) else {
            break;
        };
        let plain;
        let payload = if MASKED {
            plain = unmasked(&bytes[at + length - 4..at + length], payload);
            plain.as_slice()
        } else {
            payload
        };
        at += length + frame.length;
        match (frame.opcode, frame.is_final) {
            (TEXT, true) if fragments.is_empty() => each(Frame::Text(payload)),
            (TEXT, false) if fragments.is_empty() => fragments.extend_from_slice(payload),
            (CONTINUATION, is_final) if !fragments.is_empty() => {
                fragments.extend_from_slice(payload);
                if fragments.len() > MAX_MESSAGE {
                    return Err(Broken);
                }
                if is_final {
                    each(Frame::Text(fragments));
                    *fragments = Vec::new();
                }
            }
            (BINARY, true) if fragments.is_empty() => each(Frame::Binary(payload)),
            (PING, true) => each(Frame::Ping(payload)),
            (PONG, true) => {}
            (CLOSE, true) => {
                let code = payload
                    .first_chunk()
                    .map_or(1005, |code| u16::from_be_bytes(*code));
                each(Frame::Close(code));
            }
            _ => return Err(Broken),
        }
    }
    Ok(at)
}

struct Head {
    is_final: bool,
    opcode: u8,
    length: usize,
}

/// The head of a frame and its own length; none if it is not all there.
fn head(bytes: &[u8], is_masked: bool) -> Result<Option<(Head, usize)>, Broken> {
    let [first, second, rest @ ..] = bytes else {
        return Ok(None);
    };
    if first & 0x70 != 0 || (second & 0x80 != 0) != is_masked {
        return Err(Broken);
    }
    let (length, size) = match second & 0x7f {
        126 => match rest.first_chunk() {
            Some(length) => (usize::from(u16::from_be_bytes(*length)), 4),
            None => return Ok(None),
        },
        127 => match rest.first_chunk() {
            Some(length) => (
                usize::try_from(u64::from_be_bytes(*length)).map_err(|_| Broken)?,
                10,
            ),
            None => return Ok(None),
        },
        length => (usize::from(length), 2),
    };
    if length > MAX_MESSAGE {
        return Err(Broken);
    }
    let head = Head {
        is_final: first & 0x80 != 0,
        opcode: first & 0x0f,
        length,
    };
    Ok(Some((head, if is_masked { size + 4 } else { size })))
}

fn unmasked(mask: &[u8], payload: &[u8]) -> Vec<u8> {
    payload
        .iter()
        .zip(mask.iter().cycle())
        .map(|(byte, mask)| byte ^ mask)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(parser: &mut Parser<false>, input: &[u8]) -> Vec<String> {
        let mut texts = Vec::new();
        parser
            .feed(input, &mut |frame| match frame {
                Frame::Text(text) => texts.push(String::from_utf8(text.to_vec()).unwrap()),
                other => texts.push(format!("{other:?}")),
            })
            .unwrap();
        texts
    }

    #[test]
    fn frames_of_every_length_arrive_however_they_are_cut() {
        let long = [
            "a".repeat(125),
            "b".repeat(126),
            "c".repeat(65_535),
            "d".repeat(65_536),
        ];
        let mut stream = Vec::new();
        for text in &long {
            unmasked_text(&mut stream, text.as_bytes());
        }
        for cut in [1, 2, 3, 7, 1_000, stream.len()] {
            let mut parser = Parser::<false>::default();
            let got: Vec<_> = stream
                .chunks(cut)
                .flat_map(|piece| texts(&mut parser, piece))
                .collect();
            assert_eq!(got, long, "in pieces of {cut}");
            assert!(parser.half.is_empty());
        }
    }

    #[test]
    fn fragments_are_joined_with_a_ping_between_them() {
        let stream = [
            0x01, 2, b'h', b'e', 0x89, 1, b'?', 0x80, 1, b'y', 0x88, 2, 0x11, 0x94,
        ];
        assert_eq!(
            texts(&mut Parser::default(), &stream),
            ["Ping([63])", "hey", "Close(4500)"]
        );
    }

    #[test]
    fn binary_is_told_from_text() {
        assert_eq!(
            texts(&mut Parser::default(), &[0x82, 1, b'b', 0x81, 1, b't']),
            ["Binary([98])", "t"]
        );
    }

    #[test]
    fn what_is_not_from_a_server_is_broken() {
        for bytes in [
            &[0x81, 0x81, 0, 0, 0, 0, 0][..],
            &[0xc1, 0],
            &[0x80, 0],
            &[0x83, 0],
            &[0x02, 0],
        ] {
            assert_eq!(
                Parser::<false>::default().feed(bytes, &mut |_| ()),
                Err(Broken),
                "{bytes:?}"
            );
        }
    }

    #[test]
    fn what_goes_out_is_masked_and_reads_back() {
        let texts = ["hello".to_owned(), "long".repeat(1000)];
        let mut out = Vec::new();
        for message in &texts {
            text(&mut out, message.as_bytes());
        }
        assert_eq!(out[..2], [0x81, 0x85]);
        assert_ne!(out[6..11], *b"hello");
        for cut in [1, 5, out.len()] {
            let mut parser = Parser::<true>::default();
            let mut got = Vec::new();
            for piece in out.chunks(cut) {
                parser
                    .feed(piece, &mut |frame| match frame {
                        Frame::Text(text) => got.push(String::from_utf8(text.to_vec()).unwrap()),
                        other => panic!("{other:?}"),
                    })
                    .unwrap();
            }
            assert_eq!(got, texts);
        }
    }
}
