//! A call with its requestID, and what became of it.

use serde_json::{Value, json};

use super::truth::Truth;
use crate::harness::{TestDevice, text_message};

/// Made by one device.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) method: &'static str,
    pub(super) params: Value,
    /// None: it was not acknowledged.
    pub(super) answer: Option<Value>,
}

impl Call {
    /// A message whose text is its requestID, which is unlike any other's.
    pub(super) fn send(conversation: &str, request: &str) -> Self {
        let mut params = text_message(conversation, request);
        params["requestID"] = json!(request);
        Self {
            method: "message.send",
            params,
            answer: None,
        }
    }

    pub(super) fn delete(conversations: &[&str], clear_history: bool, request: &str) -> Self {
        let params = json!({
            "conversationIDList": conversations,
            "clearHistoryMessage": clear_history,
            "requestID": request,
        });
        Self {
            method: "conversation.delete",
            params,
            answer: None,
        }
    }

    pub(super) fn request(&self) -> &str {
        self.params["requestID"].as_str().expect("a requestID")
    }

    /// Makes it for the first time, and it must succeed.
    pub(super) async fn made(mut self, device: &mut TestDevice) -> Self {
        self.answer = Some(device.ok(self.method, self.params.clone()).await);
        self
    }

    /// Makes it again. It succeeds, with the answer it had; or, if it had none, with the one that is stored.
    pub(super) async fn retry(&mut self, device: &mut TestDevice, truth: &Truth) {
        let stored = truth.answer(&device.who, self.request());
        let answer = device.ok(self.method, self.params.clone()).await;
        if let Some(before) = self.answer.as_ref().or(stored.as_ref()) {
            assert_eq!(&answer, before, "another answer to {self:?}");
        }
        self.answer = Some(answer);
    }
}

/// Whether what these calls were acknowledged for is in the store.
pub(super) fn check_acknowledged(device: &TestDevice, calls: &[Call], truth: &Truth) {
    for call in calls {
        let Some(answer) = &call.answer else { continue };
        let stored = truth.answer(&device.who, call.request());
        assert_eq!(
            stored.as_ref(),
            Some(answer),
            "acknowledged and lost: {call:?}"
        );
        match call.method {
            "message.send" => truth.has_message(&device.who.user, &answer["message"]),
            _ => truth.has_deletion(&device.who.user, &answer["version"], &answer["results"]),
        }
    }
}
