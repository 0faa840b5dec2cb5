//! What nobody's page sends: it has a defined answer, and costs no more than its bound.

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::harness::{Host, PATIENCE, TestServer};

#[tokio::test]
async fn a_body_that_is_not_as_it_must_be_is_named() {
    let server = TestServer::start().await;
    let browser = server.console().await;
    let deep = "[".repeat(10_000);
    for (body, field) in [
        ("", "body"),
        ("{", "body"),
        ("nonsense", "body"),
        ("null", "body"),
        ("[]", "body"),
        ("[\"a\",\"viewer\",null]", "body"),
        ("{\"name\":\"a\",\"role\":\"viewer\"} x", "body"),
        ("{\"name\":\"a\"}", "role"),
        ("{\"name\":\"\",\"role\":\"viewer\"}", "name"),
        ("{\"name\":\"a\\u0000\",\"role\":\"viewer\"}", "name"),
        ("{\"name\":\"a\",\"role\":\"emperor\"}", "role"),
        (
            "{\"name\":\"a\",\"name\":\"b\",\"role\":\"viewer\"}",
            "name",
        ),
        ("{\"name\":{\"a\":1},\"role\":\"viewer\"}", "name"),
        (
            "{\"name\":\"a\",\"role\":\"viewer\",\"password\":\"short\"}",
            "password",
        ),
        (
            "{\"name\":\"a\",\"role\":\"viewer\",\"isAdmin\":true}",
            "isAdmin",
        ),
        (&deep, "body"),
    ] {
        let raw = Some(body.to_owned());
        let refused = browser.call_raw("POST", "/operators", raw).await;
        refused.refused(400, "invalid");
        let start: String = body.chars().take(60).collect();
        assert_eq!(
            refused.body["error"]["field"], field,
            "{start}: {refused:?}"
        );
    }
    for name in ["x".repeat(65), "x".repeat(10_000)] {
        let long = json!({ "name": name, "role": "viewer" });
        browser
            .post("/operators", long)
            .await
            .refused(400, "invalid");
    }
    let operators = browser.get("/operators").await.ok();
    assert_eq!(operators["operators"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn a_body_of_another_kind_or_size_is_refused() {
    let server = TestServer::start().await;
    let mut browser = server.console().await;
    let huge = format!("{{\"name\":\"{}\",\"password\":\"\"}}", "x".repeat(1 << 20));
    let refused = browser.call_raw("POST", "/sign-in", Some(huge)).await;
    refused.refused(400, "invalid");
    assert_eq!(refused.body["error"]["field"], "body");
    for kind in [
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "json",
    ] {
        browser.headers = vec![("content-type", kind.into())];
        let refused = browser
            .post("/sign-in", json!({ "name": "a", "password": "b" }))
            .await;
        refused.refused(400, "invalid");
        assert_eq!(refused.body["error"]["field"], "Content-Type", "{kind}");
    }
}

#[tokio::test]
async fn a_call_that_is_not_there_gets_json_and_no_page() {
    let server = TestServer::start().await;
    let browser = server.console().await;
    for path in [
        "",
        "/",
        "/nothing",
        "/index.html",
        "/apps/",
        "/sign-in/x",
        "/../index.html",
    ] {
        let missing = browser.get(path).await;
        missing.refused(404, "not_found");
        assert_eq!(missing.header("content-type"), "application/json", "{path}");
    }
    browser.delete("/apps").await.refused(405, "not_found");
    browser.get("/sign-in").await.refused(405, "not_found");
}

#[tokio::test]
async fn every_answer_is_kept_by_nobody_and_framed_by_nobody() {
    let server = TestServer::start().await;
    let mut browser = server.console().await;
    browser.headers = vec![("origin", "https://evil.example".into())];
    let foreign = browser.post("/apps", json!({})).await;
    browser.headers = Vec::new();
    for answer in [
        foreign,
        browser.get("/apps").await,
        browser.get("/nothing").await,
    ] {
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        let policy = answer.header("content-security-policy");
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
    }
}

/// A hundred at once try to guess: each gets an answer, and whoever has signed in is served all the while.
#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_guesses_leaves_the_others_alone() {
    let server = TestServer::start().await;
    let browser = server.console().await;
    let guesses = (0..100).map(|number| {
        let mut stranger = browser.clone();
        stranger.cookie = None;
        async move { stranger.sign_in(&format!("name{number}"), "a guess").await }
    });
    let guessing = futures_util::future::join_all(guesses);
    let serving = async {
        for _ in 0..20 {
            browser.get("/apps").await.ok();
        }
    };
    let (answers, ()) = tokio::join!(guessing, serving);
    for answer in &answers {
        assert!(matches!(answer.status, 401 | 429 | 503), "{answer:?}");
    }
    let looked_at = answers.iter().filter(|answer| answer.status == 401).count();
    assert!((1..=11).contains(&looked_at), "{looked_at} were looked at");
}

/// Heads that no client library would send.
#[tokio::test]
async fn a_head_that_says_two_things_is_refused() {
    let server = TestServer::start().await;
    let address = server.address();
    let answered = async |head: String| -> String {
        let mut socket = TcpStream::connect(address).await.expect("connected");
        let head = head.replace('\n', "\r\n");
        socket.write_all(head.as_bytes()).await.expect("sent");
        let mut answer = String::new();
        let reading = socket.read_to_string(&mut answer);
        timeout(PATIENCE, reading)
            .await
            .expect("in time")
            .expect("text");
        answer
    };
    let start = format!(
        "POST /console/api/sign-in HTTP/1.1\nHost: {address}\nConnection: close\n\
         Content-Type: application/json\nContent-Length: 2\n"
    );
    let own = format!("Origin: http://{address}\n");
    for (headers, code) in [
        (format!("{own}Origin: https://evil.example\n"), "bad_origin"),
        (
            format!("{own}Sec-Fetch-Site: same-origin\nSec-Fetch-Site: cross-site\n"),
            "bad_origin",
        ),
        (own, "invalid"),
    ] {
        let answer = answered(format!("{start}{headers}\n{{}}")).await;
        let (_, body) = answer.split_once("\r\n\r\n").expect("a body");
        let body: Value = serde_json::from_str(body).expect("JSON");
        assert_eq!(body["error"]["code"], code, "{headers}");
    }
}
