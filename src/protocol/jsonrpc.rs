//! JSON-RPC 2.0: one request or one answer a text frame. No batches, no client notifications.

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::code::Code;

/// The longest text a request's id may be, in bytes.
const MAX_ID: usize = 64;
/// Characters of the client's own words that an error repeats.
const MAX_QUOTE: usize = 200;

/// A request's id, repeated in its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Id {
    Number(i64),
    Text(String),
}

/// A request whose method and params are still to be understood.
#[derive(Debug)]
pub struct Request<'a> {
    pub id: Id,
    pub method: String,
    /// An absent `params` reads as `{}`, and so does null.
    pub params: &'a str,
}

/// What is wrong, for the client.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ErrorObject {
    pub code: i32,
    pub message: String,
    /// What was wrong and where.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<Value>,
}

impl From<Code> for ErrorObject {
    fn from(code: Code) -> Self {
        Self {
            code: code.number,
            message: code.sentence.into(),
            data: None,
        }
    }
}

impl ErrorObject {
    #[must_use]
    pub fn with(code: Code, data: Value) -> Self {
        Self {
            data: Some(data),
            ..code.into()
        }
    }

    /// A parameter that is not as it must be.
    pub fn invalid_params(field: &str, reason: impl std::fmt::Display) -> Self {
        Self::with(
            Code::INVALID_PARAMS,
            json!({ "field": quote(field), "reason": quote(&reason.to_string()) }),
        )
    }
}

/// As much of a text as an error may hold: both may be the client's own words, and those may be many.
fn quote(text: &str) -> String {
    match text.char_indices().nth(MAX_QUOTE) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Reads one text frame. On failure: the id to answer to, if one could be read, and the error.
pub fn parse(text: &str) -> Result<Request<'_>, (Option<Id>, ErrorObject)> {
    #[derive(Deserialize)]
    struct Frame<'a> {
        #[serde(borrow)]
        jsonrpc: Option<&'a RawValue>,
        #[serde(borrow)]
        id: Option<&'a RawValue>,
        #[serde(borrow)]
        method: Option<&'a RawValue>,
        #[serde(borrow)]
        params: Option<&'a RawValue>,
    }

    if !text.trim_ascii_start().starts_with('{') {
        return Err((None, not_an_object(text)));
    }
    let frame: Frame<'_> = serde_json::from_str(text).map_err(|error| {
        // A well-formed frame that names a member twice is JSON all the same.
        let code = if error.is_data() {
            Code::INVALID_REQUEST
        } else {
            Code::PARSE_ERROR
        };
        (
            None,
            ErrorObject::with(code, json!({ "reason": quote(&error.to_string()) })),
        )
    })?;
    let invalid = |id: Option<Id>, field: &str, reason: &str| {
        (
            id,
            ErrorObject::with(
                Code::INVALID_REQUEST,
                json!({ "field": field, "reason": reason }),
            ),
        )
    };
    let id = match frame.id.map(|raw| serde_json::from_str::<Id>(raw.get())) {
        Some(Ok(Id::Text(text))) if text.len() > MAX_ID => {
            return Err(invalid(None, "id", "must be at most 64 bytes"));
        }
        Some(Ok(id)) => id,
        _ => return Err(invalid(None, "id", "must be an integer or a string")),
    };
    if frame.jsonrpc.map(RawValue::get) != Some(r#""2.0""#) {
        return Err(invalid(Some(id), "jsonrpc", r#"must be "2.0""#));
    }
    let Some(Ok(method)) = frame.method.map(|raw| serde_json::from_str(raw.get())) else {
        return Err(invalid(Some(id), "method", "must be a string"));
    };
    let params = frame.params.map_or("{}", RawValue::get);
    if !params.starts_with('{') {
        return Err(invalid(Some(id), "params", "must be an object"));
    }
    Ok(Request { id, method, params })
}

/// What is wrong with a text that doesn't begin as an object does. Not left to the reading of the object: serde
/// also takes a list of an object's values, and finds a syntax error where a list is longer.
fn not_an_object(text: &str) -> ErrorObject {
    match serde_json::from_str::<IgnoredAny>(text) {
        Ok(_) => ErrorObject::with(
            Code::INVALID_REQUEST,
            json!({ "reason": "must be an object" }),
        ),
        Err(error) => ErrorObject::with(Code::PARSE_ERROR, json!({ "reason": error.to_string() })),
    }
}

/// A frame with a result.
pub fn result_frame(id: &Id, result: &impl Serialize) -> Result<String, serde_json::Error> {
    #[derive(Serialize)]
    struct Frame<'a, R> {
        jsonrpc: &'static str,
        id: &'a Id,
        result: &'a R,
    }
    serde_json::to_string(&Frame {
        jsonrpc: "2.0",
        id,
        result,
    })
}

/// A frame with an error; `id` is null where the request's could not be read.
pub fn error_frame(id: Option<&Id>, error: &ErrorObject) -> String {
    json!({ "jsonrpc": "2.0", "id": id, "error": error }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code_of(text: &str) -> (Option<Id>, i32) {
        let (id, error) = parse(text).expect_err(text);
        (id, error.code)
    }

    #[test]
    fn a_request_is_read() {
        let request =
            parse(r#"{"jsonrpc":"2.0","id":7,"method":"ping","params":{"ack":1}}"#).unwrap();
        assert_eq!(
            (request.id, request.method.as_str(), request.params),
            (Id::Number(7), "ping", r#"{"ack":1}"#)
        );
    }

    #[test]
    fn what_is_not_json_is_a_parse_error() {
        for text in ["", "{", "nul", "{\"id\":1,}", "{\"id\":\u{7}}"] {
            assert_eq!(code_of(text), (None, -32700), "{text:?}");
        }
    }

    #[test]
    fn what_is_not_a_request_is_an_invalid_request() {
        for (text, id) in [
            ("[]", None),
            ("1", None),
            ("null", None),
            (r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#, None),
            (r#" ["2.0",1,"ping",{}]"#, None),
            ("[1,2,3,4,5]", None),
            (r#"{"jsonrpc":"2.0","method":"ping"}"#, None),
            (r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, None),
            (r#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#, None),
            (r#"{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}"#, None),
            (
                r#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#,
                Some(Id::Number(1)),
            ),
            (
                r#"{"jsonrpc":"2.0","id":"a","method":5}"#,
                Some(Id::Text("a".into())),
            ),
            (
                r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":[1]}"#,
                Some(Id::Number(1)),
            ),
        ] {
            assert_eq!(code_of(text), (id, -32600), "{text}");
        }
    }

    #[test]
    fn an_error_repeats_little_of_what_was_sent() {
        let long = "李".repeat(20_000);
        let (_, not_a_request) = parse(&format!("\"{long}\"")).unwrap_err();
        for error in [ErrorObject::invalid_params(&long, &long), not_a_request] {
            let text = serde_json::to_string(&error).unwrap();
            assert!(text.len() < 2000, "{} bytes", text.len());
        }
    }
}
