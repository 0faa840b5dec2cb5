//! What goes on, as it goes on.

use std::collections::VecDeque;

use http_body_util::BodyExt;
use serde_json::{Value, json};
use tokio::time::timeout;

use chatsync::domain::Role;

use crate::harness::{
    APP, Browser, HOUR, Host, OTHER_APP, PATIENCE, ServerProcess, Streamed, TestDevice, TestServer,
    Who, unused_number,
};

/// A page that watches.
struct Watching {
    stream: Streamed,
    text: String,
    events: VecDeque<(String, Value)>,
}

impl Watching {
    async fn begin(browser: &Browser) -> Self {
        let stream = browser.stream("/live").await;
        assert_eq!(stream.response.status(), 200);
        let kind = &stream.response.headers()["content-type"];
        assert_eq!(kind, "text/event-stream");
        assert_eq!(stream.response.headers()["cache-control"], "no-store");
        Self {
            stream,
            text: String::new(),
            events: VecDeque::new(),
        }
    }

    /// The next event; `None`: the stream has ended.
    async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Some(event);
            }
            let frame = timeout(PATIENCE, self.stream.response.body_mut().frame()).await;
            let frame = frame.expect("something comes in time")?;
            let data = frame.expect("whole").into_data().expect("data");
            self.text
                .push_str(std::str::from_utf8(&data).expect("text"));
            while let Some((event, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| {
                    let start = format!("{name}: ");
                    event.lines().find_map(|line| line.strip_prefix(&start))
                };
                if let (Some(name), Some(data)) = (field("event"), field("data")) {
                    let data = serde_json::from_str(data).expect("JSON");
                    self.events.push_back((name.into(), data));
                }
                self.text = rest.into();
            }
        }
    }

    /// The next event of this name that is as wanted; within a bounded time.
    async fn sees(&mut self, name: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let seeing = async {
            loop {
                let (found, data) = self.next().await.expect("the stream goes on");
                if found == name && wanted(&data) {
                    return data;
                }
            }
        };
        let seen = timeout(PATIENCE, seeing).await;
        seen.unwrap_or_else(|_| panic!("no {name} in time"))
    }

    async fn ends(&mut self) {
        let ending = async { while self.next().await.is_some() {} };
        timeout(PATIENCE, ending).await.expect("ended in time");
    }
}

#[tokio::test]
async fn what_happens_is_seen_within_the_second() {
    let server = TestServer::synced().await;
    let browser = server.console().await;
    let mut watching = Watching::begin(&browser).await;
    let (name, history) = watching.next().await.expect("an event");
    assert_eq!(name, "history");
    assert!(history["figures"].is_array(), "{history}");

    let quiet = watching.sees("figures", |_| true).await;
    assert_eq!(quiet["notifyP50"], json!(null), "{quiet}");
    let mut phone = server.device("alice", "phone").await;
    let mut laptop = server.device("alice", "laptop").await;
    phone.say("C2Cbob", "hi").await;
    laptop.settle().await;
    watching
        .sees("figures", |figures| figures["connections"] == 2)
        .await;
    phone.delete(&["C2Cbob"]).await;
    laptop.sees_deleted(&["C2Cbob"]).await;
    let busy = watching.sees("figures", |figures| figures["deletionsPerSecond"] != 0.0);
    let busy = busy.await;
    assert_eq!(busy["accounts"], 1, "{busy}");
    assert_eq!(busy["collapses"], 0, "{busy}");
    phone.refused("conversation.delete", json!({})).await;
    watching
        .sees("figures", |figures| figures["errorsPerSecond"] != 0.0)
        .await;

    // Who comes later is shown what was, the times of the pushes with it.
    let (_, history) = Watching::begin(&browser)
        .await
        .next()
        .await
        .expect("an event");
    let figures = history["figures"].as_array().expect("figures");
    let notified = figures
        .iter()
        .filter(|figures| figures["notifyP99"].is_number());
    assert!(notified.count() > 0, "{history}");
    let deletions: f64 = figures
        .iter()
        .filter_map(|f| f["deletionsPerSecond"].as_f64())
        .sum();
    assert!((0.5..1.5).contains(&deletions), "{deletions}");
}

#[tokio::test]
async fn a_second_console_sees_a_switch_that_the_first_flips() {
    let server = TestServer::start().await;
    let first = server.console().await;
    let second = server.signed_in("viewer", Role::Viewer).await;
    let mut watching = Watching::begin(&second).await;
    let path = format!("/apps/{APP}/settings");
    let on = json!({ "syncConversationDeletion": true });
    first.patch(&path, on).await.ok();
    watching.sees("app", |app| app["sdkAppID"] == APP).await;
    let settings = second.get(&path).await.ok();
    assert_eq!(settings["syncConversationDeletion"], true);
    first.post("/apps", json!({ "sdkAppID": 7 })).await.ok();
    watching.sees("app", |app| app["sdkAppID"] == 7).await;
}

#[tokio::test]
async fn a_console_sees_a_switch_that_another_process_flips() {
    let server = ServerProcess::start().await;
    let browser = signed_in(&server).await;
    let mut watching = Watching::begin(&browser).await;
    server.set_switch(true).await;
    watching.sees("app", |app| app["sdkAppID"] == APP).await;
    let settings = browser.get(&format!("/apps/{APP}/settings")).await.ok();
    assert_eq!(
        settings["changed"]["syncConversationDeletion"]["by"],
        "command line"
    );
}

#[tokio::test]
async fn a_disabled_app_loses_its_connections_at_once() {
    let server = TestServer::start().await;
    let browser = server.console().await;
    let mut phone = server.device("alice", "phone").await;
    let other = Who::new("alice", "phone").of_app(OTHER_APP);
    let mut other = TestDevice::fresh(&server, other).await;
    let path = format!("/apps/{APP}");
    let app = browser.patch(&path, json!({ "disabled": true })).await.ok();
    assert_eq!(
        (&app["sdkAppID"], &app["disabled"]),
        (&json!(APP), &json!(true))
    );
    // It is gone by the time the change is answered.
    let devices = browser.get(&format!("{path}/users/alice")).await.ok();
    assert_eq!(devices["devices"][0]["online"], false, "{devices}");
    assert_eq!(phone.closed_with().await, Some(4500));
    phone.try_login(&server).await.expect_err("it is disabled");
    other.settle().await;

    browser
        .patch(&path, json!({ "disabled": false }))
        .await
        .ok();
    phone.resume(&server).await;
}

#[tokio::test]
async fn a_retired_key_sends_its_connections_for_new_credentials() {
    let server = TestServer::start().await;
    let browser = server.console().await;
    let keys = format!("/apps/{APP}/keys");
    let made = browser.call("POST", &keys, None).await;
    assert_eq!(made.status, 201);
    let key = made.ok()["secretKey"].as_str().expect("a key").to_owned();
    let mut old = server.device("alice", "phone").await;
    let mut new = TestDevice::offline(&server, Who::new("alice", "laptop"));
    new.user_sig = signed_with(&server, &key, "alice");
    new.resume(&server).await;
    // Both keys hold until the older one is retired.
    old.settle().await;
    assert_eq!(browser.delete(&format!("{keys}/oldest")).await.status, 204);
    assert_eq!(old.closed_with().await, Some(4401));
    new.settle().await;
    old.try_login(&server).await.expect_err("the key is gone");
    old.user_sig = signed_with(&server, &key, "alice");
    old.resume(&server).await;
    let apps = browser.get("/apps").await.ok();
    assert_eq!(apps["apps"][0]["keys"], 1, "{apps}");
}

#[tokio::test]
async fn a_key_that_two_rotations_push_out_sends_its_connections_away() {
    let server = TestServer::start().await;
    let browser = server.console().await;
    let mut phone = server.device("alice", "phone").await;
    let keys = format!("/apps/{APP}/keys");
    browser.call("POST", &keys, None).await.ok();
    phone.settle().await;
    browser.call("POST", &keys, None).await.ok();
    assert_eq!(phone.closed_with().await, Some(4401));
}

#[tokio::test]
async fn the_command_line_ends_connections_of_a_running_server() {
    let server = ServerProcess::start().await;
    let app = APP.to_string();
    let run = async |words: &[&str]| {
        let output = server.command(words).await;
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).expect("text")
    };
    let mut phone = server.device("alice", "phone").await;
    let rotated = run(&["app", "rotate-key", "--app", &app]).await;
    phone.settle().await;
    run(&["app", "rotate-key", "--app", &app]).await;
    assert_eq!(phone.closed_with().await, Some(4401));

    let key = rotated.trim().rsplit(' ').next().expect("a key");
    phone.user_sig = signed_with(&server, key, "alice");
    phone.resume(&server).await;
    run(&["app", "set", "--app", &app, "disabled=on"]).await;
    assert_eq!(phone.closed_with().await, Some(4500));
}

#[tokio::test]
async fn the_stream_ends_with_the_session() {
    let server = TestServer::start().await;
    let browser = server.console().await;
    let other = server.signed_in("other", Role::Administrator).await;
    let mut left = Watching::begin(&browser).await;
    browser.call("POST", "/sign-out", None).await.ok();
    left.ends().await;
    browser.get("/live").await.refused(401, "signed_out");

    let mut removed = Watching::begin(&other).await;
    let another = server.console().await;
    another.delete("/operators/other").await.ok();
    removed.ends().await;

    // To watch is not to use: a page that is left open does not keep its session.
    let mut idle = Watching::begin(&another).await;
    server.clock.advance(HOUR / 4);
    idle.sees("figures", |figures| figures["time"] == server.now())
        .await;
    server.clock.advance(HOUR / 4);
    idle.ends().await;
}

#[tokio::test]
async fn the_stream_ends_before_the_server_does() {
    let server = TestServer::start().await;
    let browser = server.console().await;
    let mut watching = Watching::begin(&browser).await;
    // One that went on would be cut off in the middle.
    let (_server, ()) = tokio::join!(server.restart(), watching.ends());
}

#[tokio::test]
async fn so_many_may_watch_and_no_more() {
    let server = TestServer::start().await;
    let browser = server.console().await;
    let mut all = Vec::new();
    for _ in 0..64 {
        all.push(Watching::begin(&browser).await);
    }
    browser.get("/live").await.refused(503, "unavailable");
    drop(all);
    // The server finds out as it writes.
    let again = async {
        while browser.stream("/live").await.response.status() != 200 {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, again).await.expect("a place is free");
}

/// An operator of a server in a process of its own.
async fn signed_in(server: &ServerProcess) -> Browser {
    let name = format!("operator-{}", unused_number());
    let output = server.command(&["operator", "set", "--name", &name]).await;
    let printed = String::from_utf8(output.stdout).expect("text");
    let password = printed.trim().rsplit(' ').next().expect("a password");
    let mut browser = Browser::new(server);
    browser.sign_in(&name, password).await.ok();
    browser
}

fn signed_with(host: &impl Host, key: &str, user: &str) -> String {
    use chatsync::domain::app::SecretKey;
    use chatsync::domain::{SdkAppId, UserId};
    use chatsync::engine::usersig::sign;
    let user = UserId::new(user).expect("a userID");
    let key = SecretKey::new(key);
    sign(SdkAppId(APP), &key, &user, host.now() / 1000, 86_400)
}
