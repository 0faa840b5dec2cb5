//! What an operator sees in `/metrics` of what has just happened.

use crate::harness::{Figures, TestServer};

#[tokio::test]
async fn what_happens_is_counted() {
    let server = TestServer::synced().await;
    let mut phone = server.device("alice", "phone").await;
    let mut laptop = server.device("alice", "laptop").await;
    phone.say("C2Cbob", "hi").await;
    laptop.settle().await;
    let before = Figures::of(&server).await;

    phone.delete(&["C2Cbob"]).await;
    laptop.sees_deleted(&["C2Cbob"]).await;
    laptop.settle().await;
    phone
        .refused(
            "conversation.delete",
            serde_json::json!({ "conversationIDList": [] }),
        )
        .await;
    laptop.leave().await;
    laptop.resume(&server).await;
    // A cursor of another history.
    let elsewhere = server.backed_up().await;
    laptop.leave().await;
    laptop.resume(&elsewhere).await;

    let after = Figures::of(&server).await;
    let grown = |name| after.get(name) - before.get(name);
    for (name, by) in [
        (r#"deletions_total{result="ok"}"#, 1.0),
        (r#"deletions_total{result="refused"}"#, 1.0),
        (
            r#"requests_total{method="conversation.delete",code="-32602"}"#,
            1.0,
        ),
        ("commit_seconds_count", 1.0),
        ("write_seconds_count", 1.0),
        ("catch_ups_total", 1.0),
        ("resets_total", 0.0),
        ("collapses_total", 0.0),
        (r#"closes_total{code="1005"}"#, 2.0),
    ] {
        assert!(
            (grown(name) - by).abs() < 0.5,
            "{name} grew by {}:\n{}",
            grown(name),
            after.0
        );
    }
    let other = Figures::of(&elsewhere).await;
    assert!((other.get("resets_total") - 1.0).abs() < 0.5, "{}", other.0);
    assert!((after.get("connections") - 1.0).abs() < 0.5, "{after:?}");

    // The laptop said at a ping how far it is; one more operation and it is one behind.
    laptop.leave().await;
    laptop.resume(&server).await;
    laptop.settle().await;
    phone.delete(&["C2Cbob"]).await;
    laptop.sees_deleted(&["C2Cbob"]).await;
    assert!((Figures::of(&server).await.get("lag_max") - 1.0).abs() < 0.5);
    laptop.settle().await;
    laptop.settle().await;
    assert!(Figures::of(&server).await.get("lag_max") < 0.5);
}
