//! The audit log: searched, and taken away.

use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tokio::time::timeout;

use chatsync::domain::SdkAppId;

use super::{path, uri};
use crate::harness::{APP, Browser, HOUR, OTHER_APP, PATIENCE, SECOND, START, TestServer};

async fn records(browser: &Browser, query: &str) -> Vec<Value> {
    let found = browser.get(&format!("/audit?{query}")).await.ok();
    found["records"].as_array().expect("records").clone()
}

/// Changes a setting, as `by`.
async fn change(server: &TestServer, app: u32, by: &str, undo_window: i64) {
    let changed = server.engine().change_app(SdkAppId(app), by, move |app| {
        app.features.undo_window = undo_window;
    });
    changed.await.expect("changed");
}

#[tokio::test]
async fn it_is_searched_by_every_filter() {
    let server = TestServer::synced().await;
    let browser = server.console().await;
    server.clock.advance(SECOND);
    change(&server, APP, "ann", 1).await;
    server.clock.advance(SECOND);
    change(&server, OTHER_APP, "ann", 2).await;
    server.clock.advance(SECOND);
    let mut phone = server.device("alice", "phone").await;
    phone.say("C2Cbob", "hi").await;
    phone.delete(&["C2Cbob"]).await;
    server.clock.advance(SECOND);
    browser
        .patch(&path("settings"), json!({ "undoWindow": 3 }))
        .await
        .ok();

    let count = async |query: &str| records(&browser, query).await.len();
    assert_eq!(count("actor=ann").await, 2);
    assert_eq!(count("actor=an").await, 2, "by how it begins");
    assert_eq!(count("actor=nn").await, 0);
    assert_eq!(count(&format!("actor=ann&app={OTHER_APP}")).await, 1);
    assert_eq!(count("action=app.set").await, 3);
    assert_eq!(count("action=conversation.").await, 1);
    assert_eq!(count("target=undo-window").await, 3);
    assert_eq!(count("target=alice").await, 1);
    let (one, two) = (START + SECOND, START + 2 * SECOND);
    assert_eq!(count(&format!("from={one}&to={two}")).await, 2);
    assert_eq!(count(&format!("from={two}&target=undo-window")).await, 2);
    let all = count("").await;
    assert_eq!(
        count("actor=&action=&target=&from=&to=&app=&before=&limit=").await,
        all
    );
}

#[tokio::test]
async fn a_record_says_who_when_what_from_and_to() {
    let server = TestServer::start().await;
    let browser = server.console().await;
    change(&server, APP, "ann", 1).await;
    let found = records(&browser, "actor=ann").await;
    assert_eq!(
        found,
        [json!({
            "id": found[0]["id"], "time": START, "app": APP, "actor": "ann", "action": "app.set",
            "target": "undo-window", "detail": { "from": 604_800_000, "to": 1 },
        })]
    );
}

#[tokio::test]
async fn a_long_log_comes_in_pages_newest_first() {
    let server = TestServer::start().await;
    let browser = server.console().await;
    for number in 1..=10 {
        change(&server, APP, "ann", number).await;
    }
    let (mut seen, mut before) = (Vec::new(), String::new());
    loop {
        let page = format!("/audit?actor=ann&limit=3&before={before}");
        let page = browser.get(&page).await.ok();
        let found = page["records"].as_array().expect("records");
        seen.extend(
            found
                .iter()
                .map(|record| record["detail"]["to"].as_i64().expect("a number")),
        );
        if page["next"].is_null() {
            break;
        }
        before = page["next"].to_string();
    }
    assert_eq!(seen, (1..=10).rev().collect::<Vec<_>>());
    for (query, field) in [
        ("limit=501", "limit"),
        ("before=x", "before"),
        ("from=today", "from"),
        ("to=1.5", "to"),
        ("app=-1", "app"),
        ("who=ann", "query"),
    ] {
        for call in ["/audit", "/audit/export"] {
            let refused = browser.get(&format!("{call}?format=csv&{query}")).await;
            if call == "/audit/export" && field == "limit" {
                continue;
            }
            refused.refused(400, "invalid");
            assert_eq!(refused.body["error"]["field"], field, "{query}");
        }
    }
}

/// Reads an export as it comes: each part, and how many there were.
async fn exported(browser: &Browser, query: &str) -> (String, usize) {
    let mut answer = browser.stream(&format!("/audit/export?{query}")).await;
    assert_eq!(answer.response.status(), 200);
    let (mut text, mut parts) = (Vec::new(), 0);
    let body = answer.response.body_mut();
    while let Some(part) = timeout(PATIENCE, body.frame()).await.expect("in time") {
        let part = part.expect("whole").into_data().expect("data");
        assert!(part.len() <= 256 * 1024, "{} bytes at once", part.len());
        text.extend_from_slice(&part);
        parts += 1;
    }
    (String::from_utf8(text).expect("text"), parts)
}

#[tokio::test]
async fn ten_thousand_records_are_taken_away_bit_by_bit() {
    let server = TestServer::with(|settings| settings.store.readers = 1).await;
    let browser = server.console().await;
    for number in 1..=10_000 {
        change(&server, APP, "ann", number).await;
    }
    let (text, parts) = exported(&browser, "format=jsonl&actor=ann").await;
    let numbers: Vec<_> = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON")["detail"]["to"].as_i64())
        .collect();
    let expected: Vec<_> = (1..=10_000).rev().map(Some).collect();
    assert!(numbers == expected, "{} records", numbers.len());
    assert!(parts >= 20, "{parts}");

    // One that nobody reads on keeps the one reader there is from nobody.
    let mut stalled = browser.stream("/audit/export?format=csv").await;
    let first = timeout(PATIENCE, stalled.response.body_mut().frame()).await;
    assert!(first.is_ok_and(|first| first.is_some()));
    assert_eq!(records(&browser, "actor=ann&limit=1").await.len(), 1);
    // What is recorded meanwhile is not in it.
    change(&server, APP, "later", 1).await;
    let rest = timeout(PATIENCE, stalled.response.into_body().collect()).await;
    let rest = rest.expect("in time").expect("whole").to_bytes();
    let rest = String::from_utf8(rest.to_vec()).expect("text");
    assert!(rest.lines().count() >= 10_000 && !rest.contains("later"));
}

#[tokio::test]
async fn a_spreadsheet_finds_no_formula() {
    let server = TestServer::synced().await;
    let browser = server.console().await;
    let evil = "=cmd|' /C calc'!A0";
    for name in [evil, "+1", "-1", "@SUM(1)", "a\",=1,\"b"] {
        let mut phone = server.device(name, "phone").await;
        phone.say("C2Cbob", "hi").await;
        phone.delete(&["C2Cbob"]).await;
        change(&server, APP, name, 1).await;
        change(&server, APP, "somebody", 2).await;
    }
    let (text, _) = exported(&browser, "format=csv").await;
    let mut lines = text.split("\r\n");
    assert_eq!(
        lines.next(),
        Some(r#""id","time","app","actor","action","target","detail""#)
    );
    // Nothing that starts a cell starts a formula: after a quote that opens one comes none of these.
    for line in text.split("\r\n") {
        for opening in
            [r#"=""#, r#"+""#, r#"-""#, r#"@""#].map(|sign| sign.chars().next().expect("one"))
        {
            assert!(!line.starts_with(&format!("\"{opening}")), "{line}");
            assert!(!line.contains(&format!(",\"{opening}")), "{line}");
        }
    }
    assert!(
        text.contains(r#","'=cmd|' /C calc'!A0","#),
        "kept, and shown as a text"
    );
    assert!(text.contains(r#""a"",=1,""b""#));
    // In JSON lines it is what it is.
    let query = format!("format=jsonl&target={}", uri(evil));
    let (text, _) = exported(&browser, &query).await;
    let record: Value = serde_json::from_str(text.trim_end()).expect("one record");
    assert_eq!(record["target"], evil);

    let answer = browser.get("/audit/export?format=csv&actor=nobody").await;
    assert_eq!(answer.header("content-type"), "text/csv; charset=utf-8");
    assert_eq!(
        answer.header("content-disposition"),
        "attachment; filename=\"chatsync-audit.csv\""
    );
    assert_eq!(exported(&browser, "format=jsonl&actor=nobody").await.0, "");
    for format in ["", "format=", "format=xml", "format=CSV"] {
        let refused = browser.get(&format!("/audit/export?{format}")).await;
        refused.refused(400, "invalid");
        assert_eq!(refused.body["error"]["field"], "format");
    }
}

#[tokio::test]
async fn records_stay_found_when_the_clock_is_set_back() {
    let server = TestServer::start().await;
    let browser = server.console().await;
    change(&server, APP, "ann", 1).await;
    server.clock.advance(-HOUR);
    change(&server, APP, "ann", 2).await;
    let found = records(&browser, &format!("actor=ann&to={}", START - 1)).await;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0]["detail"]["to"], 2);
    assert_eq!(records(&browser, "actor=ann").await.len(), 2);
}
