//! The token a device resumes from.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::ids::{AccountKey, ConversationId, Epoch, Position, Version};

/// How far an account's state has been told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Since {
    pub version: Version,
    pub position: Position,
}

/// The rest of an answer that did not fit one page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rest {
    /// Where the answer's first page was read. The pages together bring the device at least this far, so this
    /// is what it resumes from once it has them all; what changed meanwhile comes again.
    pub until: Since,
    /// The last conversation of the page before.
    pub after: ConversationId,
}

/// A device's place in its account's history; opaque to clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    pub epoch: Epoch,
    pub account: AccountKey,
    /// What the device has. `None`: nothing yet, it is being given the whole list.
    pub since: Option<Since>,
    pub rest: Option<Rest>,
}

/// The token is not one this release wrote. A device that holds one starts over with a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("unknown cursor")]
pub struct UnknownCursor;

const FORMAT: u8 = 1;
const HAS_SINCE: u8 = 1;
const HAS_REST: u8 = 2;

impl Cursor {
    pub fn encode(&self) -> String {
        let flags =
            u8::from(self.since.is_some()) * HAS_SINCE + u8::from(self.rest.is_some()) * HAS_REST;
        let mut bytes = vec![FORMAT, flags];
        bytes.extend(self.epoch.0.to_be_bytes());
        bytes.extend(self.account.0.to_be_bytes());
        for since in self
            .since
            .iter()
            .chain(self.rest.iter().map(|rest| &rest.until))
        {
            bytes.extend(since.version.0.to_be_bytes());
            bytes.extend(since.position.0.to_be_bytes());
        }
        if let Some(rest) = &self.rest {
            bytes.extend(rest.after.to_string().into_bytes());
        }
        URL_SAFE_NO_PAD.encode(bytes)
    }

    pub fn decode(token: &str) -> Result<Self, UnknownCursor> {
        let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| UnknownCursor)?;
        let mut input = Input(&bytes);
        let [FORMAT, flags] = input.take::<2>()? else {
            return Err(UnknownCursor);
        };
        if flags & !(HAS_SINCE | HAS_REST) != 0 {
            return Err(UnknownCursor);
        }
        let epoch = Epoch(input.number()?);
        let account = AccountKey(i64::from_be_bytes(input.take()?));
        let since = (flags & HAS_SINCE != 0)
            .then(|| input.since())
            .transpose()?;
        let rest = if flags & HAS_REST == 0 {
            None
        } else {
            let until = input.since()?;
            let after = std::str::from_utf8(input.0).map_err(|_| UnknownCursor)?;
            input.0 = &[];
            Some(Rest {
                until,
                after: after.parse().map_err(|_| UnknownCursor)?,
            })
        };
        if input.0.is_empty() {
            Ok(Self {
                epoch,
                account,
                since,
                rest,
            })
        } else {
            Err(UnknownCursor)
        }
    }
}

struct Input<'a>(&'a [u8]);

impl Input<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], UnknownCursor> {
        let (head, tail) = self.0.split_first_chunk::<N>().ok_or(UnknownCursor)?;
        self.0 = tail;
        Ok(*head)
    }

    fn number(&mut self) -> Result<u64, UnknownCursor> {
        self.take().map(u64::from_be_bytes)
    }

    fn since(&mut self) -> Result<Since, UnknownCursor> {
        Ok(Since {
            version: Version(self.number()?),
            position: Position(self.number()?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn since() -> impl Strategy<Value = Since> {
        (any::<u64>(), any::<u64>()).prop_map(|(v, p)| Since {
            version: Version(v),
            position: Position(p),
        })
    }

    proptest! {
        #[test]
        fn a_cursor_reads_back_as_written(
            epoch: u64, account: i64,
            since in proptest::option::of(since()),
            rest in proptest::option::of((since(), "[a-z李]{1,12}")),
        ) {
            let cursor = Cursor {
                epoch: Epoch(epoch),
                account: AccountKey(account),
                since,
                rest: rest.map(|(until, user)| Rest { until, after: format!("C2C{user}").parse().unwrap() }),
            };
            prop_assert_eq!(Cursor::decode(&cursor.encode()), Ok(cursor));
        }

        #[test]
        fn anything_else_is_an_unknown_cursor_and_no_panic(token in ".{0,80}") {
            prop_assert_eq!(Cursor::decode(&token), Err(UnknownCursor));
        }

        #[test]
        fn a_cut_cursor_is_unknown(cut in 0usize..56) {
            let whole = Cursor {
                epoch: Epoch(7),
                account: AccountKey(1),
                since: Some(Since::default()),
                rest: None,
            }
            .encode();
            prop_assume!(cut < whole.len());
            prop_assert_eq!(Cursor::decode(&whole[..cut]), Err(UnknownCursor));
        }
    }
}
