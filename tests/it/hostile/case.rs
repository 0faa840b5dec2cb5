//! What is sent, and the one answer that is defined for it.

use serde_json::{Value, json};

use super::raw::text_frame;

/// One bad input, or one that looks bad and must be taken.
#[derive(Debug)]
pub(super) struct Case {
    pub(super) name: String,
    pub(super) input: Input,
    pub(super) answer: Answer,
}

#[derive(Debug)]
pub(super) enum Input {
    /// A text frame of a device that has logged in.
    Text(String),
    /// A text frame of a client that has not.
    FirstText(String),
    /// Bytes in place of frames, on the connection of a device that has logged in.
    Frames(Vec<u8>),
    /// Bytes on a new TCP connection.
    Http(Vec<u8>),
}

#[derive(Debug, PartialEq)]
pub(super) enum Answer {
    /// Done as asked: the answer to this id is a result.
    Result(Value),
    /// An error, to this id, about this field if any. The connection goes on.
    Error(Value, i32, Option<String>),
    /// An error, and then the end.
    LastError(i32, u16),
    /// A close frame with this code.
    Close(u16),
    /// An HTTP answer with this status.
    Status(u16),
    /// The end, without a word.
    Ended,
    /// What nothing may be answered with: a text that is not JSON as everybody reads it.
    Garbled(String),
    /// Neither a word nor the end, which is no answer either.
    Silence,
}

impl Case {
    /// A frame sent by a device, as it is.
    pub(super) fn text(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self::new(name, Input::Text(text.into()))
    }

    /// A call by a device.
    pub(super) fn call(
        name: impl Into<String>,
        method: &str,
        params: impl std::fmt::Display,
    ) -> Self {
        Self::text(name, request(method, params))
    }

    /// A call by a client that has not logged in.
    pub(super) fn first_call(
        name: impl Into<String>,
        method: &str,
        params: impl std::fmt::Display,
    ) -> Self {
        Self::new(name, Input::FirstText(request(method, params)))
    }

    pub(super) fn frames(name: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        Self::new(name, Input::Frames(bytes.into()))
    }

    pub(super) fn http(name: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        Self::new(name, Input::Http(bytes.into()))
    }

    fn new(name: impl Into<String>, input: Input) -> Self {
        Self {
            name: name.into(),
            input,
            answer: Answer::Result(json!(1)),
        }
    }

    pub(super) fn gets(self, answer: Answer) -> Self {
        Self { answer, ..self }
    }

    /// Is refused with `code`, by a frame that answers to the id 1.
    pub(super) fn refused(self, code: i32) -> Self {
        self.gets(Answer::Error(json!(1), code, None))
    }

    pub(super) fn refused_for(self, code: i32, field: impl Into<String>) -> Self {
        self.gets(Answer::Error(json!(1), code, Some(field.into())))
    }

    /// Its params are refused for the sake of `field`.
    pub(super) fn invalid(self, field: impl Into<String>) -> Self {
        self.refused_for(-32602, field)
    }
}

/// The text of a call with the id 1. `params` is JSON, or meant to be.
pub(super) fn request(method: &str, params: impl std::fmt::Display) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{params}}}"#)
}

/// A frame that asks for a ping with the id 1.
pub(super) fn ping_frame() -> Vec<u8> {
    text_frame(&request("ping", "{}"))
}
