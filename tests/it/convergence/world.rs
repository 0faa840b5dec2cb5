//! The server, the devices and the model, moved together.

use serde_json::{Value, json};

use super::Step;
use super::model::{ALICE, BOB, Conv, DEVICES, Model, USERS};
use crate::harness::{DAY, Host, TestDevice, TestServer, Who, text_message};

const NAMES: [&str; DEVICES] = ["phone", "laptop", "browser"];

pub(super) struct World {
    server: TestServer,
    devices: [Vec<TestDevice>; 2],
    model: Model,
    requests: u64,
}

impl World {
    /// `kept`: days that history is kept.
    pub(super) async fn new(synced: bool, kept: Option<i64>) -> Self {
        let server = TestServer::with(|settings| {
            // Small enough that a burst overflows it.
            settings.limits.queue_frames = 3;
            settings.limits.page = 2;
        })
        .await;
        server.set_switch(synced).await;
        let kept = kept.map(|days| days * DAY);
        server
            .change_app(move |app| app.features.history_retention = kept)
            .await;
        let mut devices = [Vec::new(), Vec::new()];
        for user in [ALICE, BOB] {
            for name in NAMES {
                devices[user].push(server.device(USERS[user], name).await);
            }
        }
        let mut model = Model::new(synced, kept, server.now());
        for user in [ALICE, BOB] {
            for device in 0..DEVICES {
                model.online[user][device] = true;
            }
        }
        devices[ALICE][0].create_group("team", &["bob"]).await;
        let mut world = Self {
            server,
            devices,
            model,
            requests: 0,
        };
        world.model.delivered();
        world
    }

    pub(super) async fn take(mut self, step: Step) -> Self {
        self.model.now = self.server.now();
        match step {
            Step::Send { who, conv } => self.send(who, conv).await,
            Step::Delete {
                who,
                convs,
                clear,
                known,
                lose_reply,
            } => {
                self.delete(who, &convs, clear, known, lose_reply).await;
            }
            Step::Restore { who, convs } => self.restore(who, &convs).await,
            Step::Clear { who, conv } => {
                let exists = self.model.exists(who.0, conv);
                if self
                    .mark(who, "conversation.clearHistory", conv, json!({}), exists)
                    .await
                {
                    self.model.clear(who.0, conv);
                }
            }
            Step::Read { who, conv } => {
                let exists = self.model.exists(who.0, conv);
                if self
                    .mark(who, "conversation.read", conv, json!({}), exists)
                    .await
                {
                    self.model.mark_read(who.0, conv);
                }
            }
            Step::Pin { who, conv, pinned } => {
                let is_listed = self.model.is_listed(who.0, conv);
                if self
                    .mark(
                        who,
                        "conversation.pin",
                        conv,
                        json!({ "isPinned": pinned }),
                        is_listed,
                    )
                    .await
                {
                    self.model.pin(who.0, conv, pinned);
                }
            }
            Step::Revoke { who, conv } => self.revoke(who, conv).await,
            Step::Burst { convs } => self.burst(&convs).await,
            Step::Membership { add } => self.membership(add).await,
            Step::Leave { who } => {
                if self.model.online[who.0][who.1] {
                    // What is on its way to it arrives first: the model says so of those that are connected.
                    self.device(who).settle().await;
                    self.device(who).leave().await;
                    self.model.leave(who.0, who.1);
                }
            }
            Step::Vanish { who } => {
                if self.model.online[who.0][who.1] {
                    self.device(who).settle().await;
                    self.device(who).vanish();
                    self.model.leave(who.0, who.1);
                }
            }
            Step::Return { who } => self.awake(who).await,
            Step::StartOver { who } => {
                let fresh = Who::new(USERS[who.0], NAMES[who.1]);
                self.devices[who.0][who.1] = TestDevice::fresh(&self.server, fresh).await;
                self.model.start_over(who.0, who.1);
            }
            Step::Switch { on } => {
                self.server.set_switch(on).await;
                self.model.synced = on;
            }
            Step::Restart => self = self.restart().await,
            Step::Wait { days } => {
                self.server.clock.advance(days * DAY);
                self.server.sweep().await;
                self.model.now = self.server.now();
                self.model.sweep();
            }
            Step::Check => self.check().await,
        }
        self.model.delivered();
        self
    }

    fn device(&mut self, (user, device): (usize, usize)) -> &mut TestDevice {
        &mut self.devices[user][device]
    }

    /// Whoever is to do something is connected.
    async fn awake(&mut self, who: (usize, usize)) {
        if !self.model.online[who.0][who.1] {
            let device = &mut self.devices[who.0][who.1];
            device.resume(&self.server).await;
            self.model.resume(who.0, who.1);
        }
    }

    async fn send(&mut self, who: (usize, usize), conv: Conv) {
        self.awake(who).await;
        let params = text_message(&conv.id(who.0), "hello");
        if self.model.may_send(who.0, conv) {
            let answer = self.device(who).ok("message.send", params).await;
            let seq = self.model.send(who.0, conv);
            assert_eq!(answer["message"]["seq"], seq, "seqs are without holes");
        } else {
            self.device(who).refused("message.send", params).await;
        }
    }

    async fn delete(
        &mut self,
        who: (usize, usize),
        convs: &[Conv],
        clear: bool,
        known: bool,
        lose_reply: bool,
    ) {
        self.awake(who).await;
        if !self.model.synced {
            // A message that a hint stood in for, and that was then deleted in secret, was never seen: whether it
            // was is settled first.
            for device in 0..DEVICES {
                if self.model.online[who.0][device] {
                    self.devices[who.0][device].settle().await;
                }
            }
        }
        self.requests += 1;
        let ids: Vec<_> = convs.iter().map(|conv| conv.id(who.0)).collect();
        let mut params = json!({
            "conversationIDList": ids,
            "clearHistoryMessage": clear,
            "requestID": format!("r{}", self.requests),
        });
        let replica = &self.device(who).replica;
        let up_to: Vec<_> = ids
            .iter()
            .map(|id| known.then(|| replica.last_seq(id)))
            .collect();
        if known {
            params["upTo"] = ids
                .iter()
                .cloned()
                .zip(&up_to)
                .map(|(id, up_to)| (id, json!(up_to)))
                .collect::<Value>();
        }
        if lose_reply {
            // It may have been done or not; the retry finds out, and does it once.
            let device = self.device(who);
            device.ask("conversation.delete", &params).await;
            device.vanish();
            let device = &mut self.devices[who.0][who.1];
            device.resume(&self.server).await;
        }
        let answer = self.device(who).ok("conversation.delete", params).await;
        let list: Vec<_> = convs
            .iter()
            .zip(up_to)
            .map(|(conv, up_to)| (*conv, up_to.map(|seq| usize::try_from(seq).expect("a seq"))))
            .collect();
        for (result, (conv, _)) in answer["results"]
            .as_array()
            .expect("results")
            .iter()
            .zip(&list)
        {
            let expected = if self.model.exists(who.0, *conv) {
                0
            } else {
                2500
            };
            assert_eq!(result["code"], expected, "{answer}");
        }
        self.model.delete(who.0, who.1, &list, clear);
        assert_eq!(
            answer["version"], self.model.versions[who.0],
            "one deletion, one version"
        );
        assert_eq!(answer["synced"], self.model.synced);
    }

    async fn restore(&mut self, who: (usize, usize), convs: &[Conv]) {
        self.awake(who).await;
        let ids: Vec<_> = convs.iter().map(|conv| conv.id(who.0)).collect();
        let answer = self
            .device(who)
            .ok("conversation.restore", json!({ "conversationIDList": ids }))
            .await;
        let done = self.model.restore(who.0, convs);
        for (result, done) in answer["results"]
            .as_array()
            .expect("results")
            .iter()
            .zip(done)
        {
            assert_eq!(result["code"] == 0, done, "{answer}");
        }
        assert_eq!(answer["version"], self.model.versions[who.0]);
    }

    /// Calls a method about one conversation; whether it is to succeed is the model's to say.
    async fn mark(
        &mut self,
        who: (usize, usize),
        method: &str,
        conv: Conv,
        mut params: Value,
        exists: bool,
    ) -> bool {
        self.awake(who).await;
        params["conversationID"] = conv.id(who.0).into();
        if exists {
            self.device(who).ok(method, params).await;
        } else {
            assert_eq!(self.device(who).refused(method, params).await.code, 2500);
        }
        exists
    }

    async fn revoke(&mut self, who: (usize, usize), conv: Conv) {
        let Some(seq) = self.model.revocable(who.0, conv) else {
            return;
        };
        self.awake(who).await;
        let id = conv.id(who.0);
        let history = self.device(who).history(&id).await;
        let message = history
            .iter()
            .find(|message| message.seq == seq as u64)
            .expect("readable");
        let params = json!({ "conversationID": id, "ID": message.id });
        match self.device(who).call("message.revoke", params).await {
            Ok(_) => self.model.revoke(who.0, conv, seq),
            // Days may have passed since it was sent.
            Err(error) => assert_eq!(error.code, 20016, "{error:?}"),
        }
    }

    /// Every connected device says several things at once: queues overflow, and hints take their place.
    async fn burst(&mut self, convs: &[Conv]) {
        let mut asked = Vec::new();
        for user in [ALICE, BOB] {
            for device in 0..DEVICES {
                if !self.model.online[user][device] {
                    continue;
                }
                for &conv in convs
                    .iter()
                    .filter(|conv| self.model.may_send(user, **conv))
                {
                    for _ in 0..3 {
                        let params = text_message(&conv.id(user), "burst");
                        let id = self.devices[user][device]
                            .ask("message.send", &params)
                            .await;
                        asked.push((user, device, conv, id));
                    }
                }
            }
        }
        let mut sent = Vec::new();
        for (user, device, conv, id) in asked {
            let answer = self.devices[user][device].answer(id).await.expect("sent");
            let message = serde_json::from_value(answer["message"].clone()).expect("a message");
            self.devices[user][device].replica.received(&message);
            sent.push((conv, message.seq, user));
        }
        sent.sort_unstable();
        for (conv, seq, user) in sent {
            assert_eq!(
                self.model.send(user, conv) as u64,
                seq,
                "seqs are without holes"
            );
        }
    }

    async fn membership(&mut self, add: bool) {
        // When what he had goes depends on what the others let go of: that has stories of its own.
        if add == self.model.bob_is_member() || self.model.kept.is_some() {
            return;
        }
        self.awake((ALICE, 0)).await;
        let alice = self.device((ALICE, 0));
        if add {
            alice.add_to_group("team", "bob").await;
            self.model.enrol_bob();
        } else {
            alice.remove_from_group("team", "bob").await;
            self.model.remove_bob();
        }
    }

    async fn restart(mut self) -> Self {
        for user in [ALICE, BOB] {
            for device in 0..DEVICES {
                if self.model.online[user][device] {
                    self.devices[user][device].settle().await;
                    self.devices[user][device].vanish();
                    self.model.leave(user, device);
                }
            }
        }
        self.server = self.server.restart().await;
        self
    }

    /// Everyone comes back and catches up; then each device is held against the model, and so is one that is new.
    pub(super) async fn check(&mut self) {
        for user in [ALICE, BOB] {
            for device in 0..DEVICES {
                self.awake((user, device)).await;
            }
        }
        for user in [ALICE, BOB] {
            for device in 0..DEVICES {
                self.devices[user][device].settle().await;
                assert_eq!(
                    self.devices[user][device].replica.version(),
                    self.model.versions[user]
                );
            }
            let mut fresh = self.server.fresh_device(USERS[user]).await;
            for conv in Conv::ALL {
                let id = conv.id(user);
                assert_eq!(
                    fresh.replica.lists(&id),
                    self.model.is_listed(user, conv),
                    "new: {id}"
                );
                for device in 0..DEVICES {
                    self.check_device((user, device), conv);
                }
                if self.model.is_listed(user, conv) {
                    self.check_line(user, conv, &fresh, true);
                }
            }
            fresh.leave().await;
        }
    }

    fn check_device(&self, who: (usize, usize), conv: Conv) {
        let device = &self.devices[who.0][who.1];
        let id = conv.id(who.0);
        let expected = self.model.is_shown(who.0, who.1, conv);
        assert_eq!(
            device.replica.lists(&id),
            expected,
            "{}: {id}",
            device.who.device
        );
        if self.model.is_listed(who.0, conv) {
            self.check_line(who.0, conv, device, !self.model.is_secret(who.0, conv));
        }
    }

    fn check_line(&self, user: usize, conv: Conv, device: &TestDevice, with_read: bool) {
        let expected = self.model.line(user, conv);
        let id = conv.id(user);
        let line = device.replica.list().remove(&id).expect("listed");
        let name = &device.who.device;
        assert_eq!(line.last_seq, expected.last_seq as u64, "{name}: {id}");
        assert_eq!(line.membership, expected.membership, "{name}: {id}");
        if !with_read {
            return;
        }
        assert_eq!(line.is_pinned, expected.is_pinned, "{name}: {id}");
        let (last, is_revoked) = match line.last_message {
            Some((message, is_revoked)) => {
                let (_, seq) = message.rsplit_once('-').expect("<log>-<seq>");
                (Some(seq.parse::<usize>().expect("a seq")), is_revoked)
            }
            None => (None, false),
        };
        assert_eq!(last, expected.last_message, "{name}: {id}");
        if let Some(expected) = expected.is_revoked {
            assert_eq!(is_revoked, expected, "{name}: {id}");
        }
        if let Some((unread, read_up_to)) = expected.read {
            assert_eq!(
                (line.unread_count, line.read_up_to),
                (unread as u64, read_up_to as u64),
                "{name}: {id}"
            );
        }
    }
}
