//! What the server writes about itself: one line an event, and no secret.

use crate::harness::{APP, Launch, ServerProcess, TestDevice, Who, key_of};

#[tokio::test]
async fn logs_are_lines_of_json_and_hold_no_secret() {
    let launch = Launch::default()
        .set("CHATSYNC__LOG__FORMAT", "json")
        // All that the server itself can be made to say; its libraries' own bytes are not its words.
        .set("CHATSYNC__LOG__FILTER", "chatsync=trace,info");
    let mut server = ServerProcess::start_with(launch).await;
    server.set_switch(true).await;
    let mut phone = server.device("alice", "phone").await;
    phone.say("C2Cbob", "a word between friends").await;
    phone.delete(&["C2Cbob"]).await;
    let mut stranger = TestDevice::offline(&server, Who::new("mallory", "phone"));
    stranger.user_sig.clone_from(&phone.user_sig);
    let refused = stranger.try_login(&server).await.expect_err("not hers");
    assert_eq!(refused.code, 70013);
    server
        .command(&["app", "rotate-key", "--app", &APP.to_string()])
        .await;
    server.terminate();
    let said = server.ended().await.said;

    assert!(said.lines().count() > 3, "{said}");
    for line in said.lines() {
        let line: serde_json::Value = serde_json::from_str(line).expect("a line of JSON");
        assert!(
            line["timestamp"].is_string() && line["level"].is_string(),
            "{line}"
        );
    }
    for secret in [&key_of(APP), &phone.user_sig, "a word between friends"] {
        assert!(!said.contains(secret), "{secret} in {said}");
    }
}
