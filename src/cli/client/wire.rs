//! Frames as a client writes and reads them: JSON-RPC 2.0 from the other side.

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::protocol::push::Push;

/// What came from the server.
#[derive(Debug)]
pub(super) enum Incoming {
    /// The answer to the request of this number.
    Answer {
        id: u64,
        outcome: Result<Box<RawValue>, Refusal>,
    },
    Push(Push),
    /// A push of a newer release, or an answer to nobody: a client ignores what it does not know.
    Unknown(String),
}

/// An error answer.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Refusal {
    pub(super) code: i32,
    pub(super) message: String,
    #[serde(default)]
    pub(super) data: Option<Value>,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "error {}: {}", self.code, self.message)?;
        match &self.data {
            Some(data) => write!(f, " {data}"),
            None => Ok(()),
        }
    }
}

/// A request's frame.
pub(super) fn request(id: u64, method: &str, params: &Value) -> String {
    json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }).to_string()
}

/// Reads one text frame.
pub(super) fn read(text: &str) -> Result<Incoming, serde_json::Error> {
    #[derive(Deserialize)]
    struct Frame<'a> {
        #[serde(default)]
        id: Option<u64>,
        #[serde(default)]
        method: Option<String>,
        #[serde(default, borrow)]
        params: Option<&'a RawValue>,
        #[serde(default)]
        result: Option<Box<RawValue>>,
        #[serde(default)]
        error: Option<Refusal>,
    }

    let frame: Frame<'_> = serde_json::from_str(text)?;
    Ok(match frame {
        Frame {
            method: Some(method),
            params,
            ..
        } => {
            if Push::NAMES.contains(&method.as_str()) {
                // In the order that serde reads without a buffer, whatever the order in the frame.
                let params = params.map_or("{}", RawValue::get);
                let ordered = format!(r#"{{"method":{},"params":{params}}}"#, json!(method));
                Incoming::Push(serde_json::from_str(&ordered)?)
            } else {
                Incoming::Unknown(method)
            }
        }
        Frame {
            id: Some(id),
            error: Some(error),
            ..
        } => Incoming::Answer {
            id,
            outcome: Err(error),
        },
        Frame {
            id: Some(id),
            result: Some(result),
            ..
        } => Incoming::Answer {
            id,
            outcome: Ok(result),
        },
        Frame {
            error: Some(error), ..
        } => Incoming::Unknown(error.to_string()),
        _ => Incoming::Unknown("a frame without method, result or error".into()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Version;
    use crate::protocol::jsonrpc;
    use crate::protocol::push::SyncHint;

    #[test]
    fn the_server_understands_what_is_written() {
        let text = request(7, "ping", &json!({ "ack": 3 }));
        let request = jsonrpc::parse(&text).unwrap();
        assert_eq!(
            (request.method.as_str(), request.params),
            ("ping", r#"{"ack":3}"#)
        );
        assert_eq!(request.id, jsonrpc::Id::Number(7));
    }

    #[test]
    fn answers_errors_and_pushes_are_told_apart() {
        let id = jsonrpc::Id::Number(7);
        let text = jsonrpc::result_frame(&id, &json!({ "head": 1 })).unwrap();
        let Ok(Incoming::Answer {
            id: 7,
            outcome: Ok(result),
        }) = read(&text)
        else {
            panic!("{text}");
        };
        assert_eq!(result.get(), r#"{"head":1}"#);

        let error = jsonrpc::ErrorObject::invalid_params("platform", "unknown");
        let text = jsonrpc::error_frame(Some(&id), &error);
        let Ok(Incoming::Answer {
            id: 7,
            outcome: Err(refusal),
        }) = read(&text)
        else {
            panic!("{text}");
        };
        assert_eq!(refusal.code, -32602);
        assert!(refusal.to_string().contains("platform"));

        let text = Push::SyncHint(SyncHint { head: Version(9) })
            .frame()
            .unwrap();
        assert!(
            matches!(read(&text), Ok(Incoming::Push(Push::SyncHint(hint))) if hint.head == Version(9))
        );
    }

    #[test]
    fn what_is_not_known_is_no_error() {
        assert!(matches!(
            read(r#"{"method":"typing","params":{}}"#),
            Ok(Incoming::Unknown(_))
        ));
        assert!(matches!(
            read(r#"{"id":null,"error":{"code":-32700,"message":"m"}}"#),
            Ok(Incoming::Unknown(_))
        ));
        assert!(read("[").is_err());
    }

    #[test]
    fn a_push_is_read_in_any_order() {
        let text = r#"{"params":{"message":{"payload":{"text":"hi"},"ID":"m","conversationID":"C2Cbob","seq":3,"from":"bob","time":1,"type":"TIMTextElem","isRevoked":false,"isControl":false}},"method":"message.received"}"#;
        assert!(matches!(
            read(text),
            Ok(Incoming::Push(Push::MessageReceived(_)))
        ));
    }
}
