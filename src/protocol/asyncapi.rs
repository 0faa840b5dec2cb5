//! The protocol as an AsyncAPI 3.0 document, made from the types that speak it.

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::SUBPROTOCOL;
use super::close::Close;
use super::code::Code;
use super::method::Call;
use super::push::Push;

const CHANNEL: &str = "#/channels/ws";

/// The document that is kept as `docs/asyncapi.json`.
pub fn document() -> Value {
    let mut generator = SchemaSettings::draft07()
        .with(|settings| settings.definitions_path = "/components/schemas".into())
        .into_generator();

    let mut messages = Map::new();
    let mut operations = Map::new();
    for (name, params, answer) in Call::schemas(&mut generator) {
        let (request, response) = (format!("{name}.request"), format!("{name}.response"));
        messages.insert(
            request.clone(),
            frame(&json!({
                "type": "object",
                "required": ["jsonrpc", "id", "method"],
                "properties": {
                    "jsonrpc": { "const": "2.0" },
                    "id": { "type": ["integer", "string"] },
                    "method": { "const": name },
                    "params": params,
                },
            })),
        );
        messages.insert(
            response.clone(),
            frame(&json!({
                "type": "object",
                "required": ["jsonrpc", "id", "result"],
                "properties": {
                    "jsonrpc": { "const": "2.0" },
                    "id": { "type": ["integer", "string"] },
                    "result": answer,
                },
            })),
        );
        operations.insert(
            name.into(),
            json!({
                "action": "receive",
                "channel": { "$ref": CHANNEL },
                "messages": [message_ref(&request)],
                "reply": {
                    "channel": { "$ref": CHANNEL },
                    "messages": [message_ref(&response), message_ref("error")],
                },
            }),
        );
    }
    messages.insert("error".into(), frame(&error_schema()));
    for (name, params) in Push::schemas(&mut generator) {
        messages.insert(
            name.into(),
            frame(&json!({
                "type": "object",
                "required": ["jsonrpc", "method", "params"],
                "properties": {
                    "jsonrpc": { "const": "2.0" },
                    "method": { "const": name },
                    "params": params,
                },
            })),
        );
        operations.insert(
            name.into(),
            json!({
                "action": "send",
                "channel": { "$ref": CHANNEL },
                "messages": [message_ref(name)],
            }),
        );
    }

    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "chatsync",
            "version": env!("CARGO_PKG_VERSION"),
            "description": format!(
                "JSON-RPC 2.0 in text frames, subprotocol {SUBPROTOCOL}. The first request must be login."
            ),
        },
        "defaultContentType": "application/json",
        "channels": { "ws": { "address": "/ws", "messages": messages } },
        "operations": operations,
        "components": { "schemas": generator.take_definitions(true) },
        "x-error-codes": Code::ALL.iter().map(|code| (code.number.to_string(), json!(code.sentence))).collect::<Map<_, _>>(),
        "x-close-codes": Close::ALL.iter().map(|close| (close.code().to_string(), json!(close.reason()))).collect::<Map<_, _>>(),
    })
}

fn frame(payload: &Value) -> Value {
    json!({ "payload": payload })
}

fn message_ref(name: &str) -> Value {
    json!({ "$ref": format!("{CHANNEL}/messages/{name}") })
}

fn error_schema() -> Value {
    json!({
        "type": "object",
        "required": ["jsonrpc", "id", "error"],
        "properties": {
            "jsonrpc": { "const": "2.0" },
            "id": { "type": ["integer", "string", "null"] },
            "error": {
                "type": "object",
                "required": ["code", "message"],
                "properties": {
                    "code": { "type": "integer", "description": "See x-error-codes." },
                    "message": { "type": "string" },
                    "data": { "description": "What was wrong and where." },
                },
            },
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEPT: &str = include_str!("../../docs/asyncapi.json");

    /// When this fails the protocol has changed: look at the difference, then let
    /// `cargo run -- protocol > docs/asyncapi.json` write it down.
    #[test]
    fn the_kept_document_is_the_protocol() {
        let kept: Value = serde_json::from_str(KEPT).unwrap();
        assert_eq!(kept, document());
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let document = document();
        let mut found = 0;
        visit(&document, &mut |reference| {
            let target = document.pointer(reference.trim_start_matches('#'));
            assert!(target.is_some(), "{reference}");
            found += 1;
        });
        assert!(found > 100, "{found}");
    }

    fn visit(value: &Value, see: &mut impl FnMut(&str)) {
        match value {
            Value::Object(object) => {
                if let Some(Value::String(reference)) = object.get("$ref") {
                    see(reference);
                }
                object.values().for_each(|value| visit(value, see));
            }
            Value::Array(array) => array.iter().for_each(|value| visit(value, see)),
            _ => {}
        }
    }
}
