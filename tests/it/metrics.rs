//! What an operator sees in `/metrics` of what has just happened.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::harness::{Host, TestServer};

/// The page, as Prometheus asks for it.
async fn page(server: &TestServer) -> String {
    let mut socket = TcpStream::connect(server.address())
        .await
        .expect("connected");
    let request = "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    socket.write_all(request.as_bytes()).await.expect("asked");
    let mut page = String::new();
    socket.read_to_string(&mut page).await.expect("text");
    page
}

/// The figure of this name and these labels; one that was never counted is 0.
fn figure(page: &str, name: &str) -> f64 {
    let lines = page.lines().filter_map(|line| line.rsplit_once(' '));
    let found = lines.filter(|(label, _)| *label == format!("chatsync_{name}"));
    let mut figures = found.map(|(_, figure)| figure.parse::<f64>().expect("a number"));
    figures.next().unwrap_or(0.0)
}

#[tokio::test]
async fn what_happens_is_counted() {
    let server = TestServer::synced().await;
    let mut phone = server.device("alice", "phone").await;
    let mut laptop = server.device("alice", "laptop").await;
    phone.say("C2Cbob", "hi").await;
    laptop.settle().await;
    let before = page(&server).await;

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

    let after = page(&server).await;
    let grown = |name| figure(&after, name) - figure(&before, name);
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
            "{name} grew by {}:\n{after}",
            grown(name)
        );
    }
    let other = page(&elsewhere).await;
    assert!(
        (figure(&other, "resets_total") - 1.0).abs() < 0.5,
        "{other}"
    );
    assert!((figure(&after, "connections") - 1.0).abs() < 0.5, "{after}");

    // The laptop said at a ping how far it is; one more operation and it is one behind.
    laptop.leave().await;
    laptop.resume(&server).await;
    laptop.settle().await;
    phone.delete(&["C2Cbob"]).await;
    laptop.sees_deleted(&["C2Cbob"]).await;
    assert!((figure(&page(&server).await, "lag_max") - 1.0).abs() < 0.5);
    laptop.settle().await;
    laptop.settle().await;
    assert!(figure(&page(&server).await, "lag_max") < 0.5);
}
