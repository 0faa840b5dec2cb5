//! What people do with their devices, and what they see: the verbs that the tests are told in.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tokio::time::timeout;

use super::device::TestDevice;
use super::server::TestServer;
use super::types::{Deletion, Message, Push, read};
use super::wire::PATIENCE;

/// What is done.
impl TestDevice {
    pub(crate) async fn say(&mut self, conversation: &str, text: &str) -> Message {
        let answer = self
            .ok("message.send", text_message(conversation, text))
            .await;
        read(&answer["message"])
    }

    pub(crate) async fn delete(&mut self, ids: &[&str]) -> Deletion {
        self.delete_with(json!({ "conversationIDList": ids })).await
    }

    pub(crate) async fn delete_keeping_history(&mut self, ids: &[&str]) -> Deletion {
        self.delete_with(json!({ "conversationIDList": ids, "clearHistoryMessage": false }))
            .await
    }

    /// Deletes what this device knows of: nothing that comes meanwhile is lost.
    pub(crate) async fn delete_what_it_knows(&mut self, id: &str) -> Deletion {
        let up_to = self.replica.last_seq(id);
        self.delete_with(json!({ "conversationIDList": [id], "upTo": { id: up_to } }))
            .await
    }

    pub(crate) async fn delete_with(&mut self, params: Value) -> Deletion {
        read(&self.ok("conversation.delete", params).await)
    }

    pub(crate) async fn restore(&mut self, ids: &[&str]) -> Deletion {
        let params = json!({ "conversationIDList": ids });
        read(&self.ok("conversation.restore", params).await)
    }

    pub(crate) async fn mark_read(&mut self, id: &str) {
        self.ok("conversation.read", json!({ "conversationID": id }))
            .await;
    }

    pub(crate) async fn pin(&mut self, id: &str, is_pinned: bool) {
        let params = json!({ "conversationID": id, "isPinned": is_pinned });
        self.ok("conversation.pin", params).await;
    }

    /// Makes a group in which members may be removed and anyone may quit.
    pub(crate) async fn create_group(&mut self, group: &str, members: &[&str]) {
        let members: Vec<_> = members
            .iter()
            .map(|user| json!({ "userID": user }))
            .collect();
        let params =
            json!({ "groupID": group, "name": group, "type": "Public", "memberList": members });
        self.ok("group.create", params).await;
    }

    pub(crate) async fn add_to_group(&mut self, group: &str, user: &str) {
        let params = json!({ "groupID": group, "userIDList": [user] });
        self.ok("group.addMember", params).await;
    }

    pub(crate) async fn remove_from_group(&mut self, group: &str, user: &str) {
        let params = json!({ "groupID": group, "userIDList": [user] });
        self.ok("group.deleteMember", params).await;
    }

    pub(crate) async fn quit_group(&mut self, group: &str) {
        self.ok("group.quit", json!({ "groupID": group })).await;
    }

    pub(crate) async fn dismiss_group(&mut self, group: &str) {
        self.ok("group.dismiss", json!({ "groupID": group })).await;
    }
}

pub(crate) fn text_message(conversation: &str, text: &str) -> Value {
    json!({ "conversationID": conversation, "type": "TIMTextElem", "payload": { "text": text } })
}

/// What is seen.
impl TestDevice {
    /// One frame that says these and no others were deleted, and takes them off the list.
    pub(crate) async fn sees_deleted(&mut self, ids: &[&str]) -> Push {
        let push = self
            .next_push("a deletion", |push| push.method == "conversation.deleted")
            .await;
        let expected: BTreeSet<_> = ids.iter().copied().collect();
        let seen: BTreeSet<_> = push.conversations().into_iter().collect();
        assert_eq!(seen, expected, "{}", self.who.device);
        for id in ids {
            assert!(
                !self.replica.lists(id),
                "{} still lists {id}",
                self.who.device
            );
        }
        push
    }

    /// A deletion that leaves what is above `up_to`.
    pub(crate) async fn sees_deleted_up_to(&mut self, id: &str, up_to: u64) {
        let push = self
            .next_push("a deletion", |push| push.method == "conversation.deleted")
            .await;
        let list = json!([{ "conversationID": id, "upTo": up_to }]);
        assert_eq!(push.params["conversationList"], list);
    }

    pub(crate) async fn sees_message(&mut self, text: &str) -> Message {
        let push = self
            .next_push(text, |push| {
                push.params["message"]["payload"]["text"] == text
            })
            .await;
        read(&push.params["message"])
    }

    pub(crate) async fn sees_update(&mut self, id: &str) -> Push {
        self.next_push("an update", |push| {
            push.method == "conversation.updated" && push.conversations() == [id]
        })
        .await
    }

    /// Nothing was pushed that this story has not told of.
    pub(crate) async fn sees_nothing_more(&mut self) {
        let untold = self.untold().await;
        assert!(untold.is_empty(), "{} saw {untold:?}", self.who.device);
    }

    /// What the server knows of one of the account's devices.
    pub(crate) async fn known_device(&mut self, id: &str) -> Value {
        let answer = self.ok("device.list", json!({})).await;
        let list = answer["deviceList"].as_array().expect("a list");
        let device = list.iter().find(|device| device["deviceID"] == id);
        device
            .unwrap_or_else(|| panic!("no {id} in {answer}"))
            .clone()
    }

    pub(crate) async fn sees_offline(&mut self, id: &str) {
        self.eventually("it go offline", async |device| {
            device.known_device(id).await["isOnline"] == false
        })
        .await;
    }

    /// Asks again and again, for things that nobody is told of and that the server gets to in its own time.
    pub(crate) async fn eventually(&mut self, what: &str, holds: impl AsyncFn(&mut Self) -> bool) {
        let asking = async { while !holds(self).await {} };
        let in_time = timeout(PATIENCE * 3, asking).await;
        assert!(in_time.is_ok(), "did not see {what}");
    }

    /// Its conversation list, brought up to date, is exactly this.
    pub(crate) async fn lists_only(&mut self, ids: &[&str]) {
        self.settle().await;
        let listed: Vec<_> = self.replica.list().into_keys().collect();
        let mut expected = ids.to_vec();
        expected.sort_unstable();
        assert_eq!(listed, expected, "{}", self.who.device);
    }

    pub(crate) async fn texts(&mut self, id: &str) -> Vec<String> {
        let messages = self.history(id).await.into_iter();
        let messages = messages.filter(|message| !message.is_control);
        messages.map(|message| message.text().into()).collect()
    }
}

impl TestServer {
    /// All of an account's devices show the same list, and it is what one that logs in now is shown.
    pub(crate) async fn all_agree(&self, devices: &mut [&mut TestDevice]) {
        let fresh = self.fresh_device(&devices[0].who.user).await;
        all_show(&fresh, devices).await;
    }
}

/// All of an account's devices, once brought up to date, show what a `fresh` one was shown.
pub(crate) async fn all_show(fresh: &TestDevice, devices: &mut [&mut TestDevice]) {
    let expected = fresh.replica.list();
    for device in devices {
        device.settle().await;
        let listed = device.replica.list();
        let ids: BTreeSet<_> = listed.keys().chain(expected.keys()).collect();
        for id in ids {
            let (has, should) = (listed.get(id), expected.get(id));
            assert_eq!(has, should, "{id} on {}", device.who.device);
        }
    }
}
