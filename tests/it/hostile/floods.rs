//! Too much of what would be good in small numbers. While a flood lasts, the bystander's life goes on.

use serde_json::{Value, json};

use super::case::{ping_frame, request};
use super::ground::{ATTACKER, Ground, discreet, status};
use super::raw::{FIN, Heard, PING, Raw, frame, text_frame};
use crate::harness::{APP, Host as _, TestServer, Who, user_sig};

/// A server whose clients may ask as often as it ships, and no more.
async fn strict() -> Ground {
    strict_after(200).await
}

/// As above, with another burst.
async fn strict_after(burst: u32) -> Ground {
    let server = TestServer::synced_with(|settings| {
        settings.limits.requests_per_second = 50;
        settings.limits.request_burst = burst;
    })
    .await;
    Ground::on(server).await
}

/// Frames of a flood: more than the patience of ten times the burst, and fewer bytes than the server reads and drops
/// once it has closed a connection, so that its close frame arrives.
const FLOOD: usize = 10_000;

fn codes(texts: &[Value]) -> Vec<i64> {
    texts
        .iter()
        .filter_map(|text| text["error"]["code"].as_i64())
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_requests_is_refused_and_then_closed() {
    let mut ground = strict().await;
    let raw = ground.attacker().await;
    let bytes = ping_frame().repeat(FLOOD);
    let (texts, end) = ground
        .bystander
        .unharmed_by(raw.send_until_closed(&bytes))
        .await;
    assert_eq!(end, Heard::Closed(1008));
    let answered = texts
        .iter()
        .filter(|text| text.get("result").is_some())
        .count();
    assert!((150..1000).contains(&answered), "{answered} answered");
    let codes = codes(&texts);
    assert!(
        codes.len() >= 1900 && codes.iter().all(|code| *code == 2996),
        "{} refused",
        codes.len()
    );
    let refused = texts
        .iter()
        .find(|text| text.get("error").is_some())
        .expect("a refusal");
    assert!(refused["error"]["data"]["retryAfter"].is_u64(), "{refused}");
    discreet(refused);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_nonsense_is_refused_and_then_closed() {
    let mut ground = strict().await;
    let raw = ground.attacker().await;
    let bytes = text_frame("{").repeat(FLOOD);
    let (texts, end) = ground
        .bystander
        .unharmed_by(raw.send_until_closed(&bytes))
        .await;
    assert_eq!(end, Heard::Closed(1008));
    assert!(codes(&texts).iter().all(|code| *code == -32700));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_before_the_login_is_refused_and_then_closed() {
    let mut ground = strict().await;
    let raw = Raw::upgraded(ground.server.address()).await;
    let bytes = ping_frame().repeat(FLOOD);
    let (texts, end) = ground
        .bystander
        .unharmed_by(raw.send_until_closed(&bytes))
        .await;
    assert_eq!(end, Heard::Closed(1008));
    assert!(codes(&texts).iter().all(|code| [2024, 2996].contains(code)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_pings_is_closed() {
    let mut ground = strict().await;
    let raw = ground.attacker().await;
    let bytes = frame(FIN | PING, b"x").repeat(FLOOD);
    let (texts, end) = ground
        .bystander
        .unharmed_by(raw.send_until_closed(&bytes))
        .await;
    assert_eq!((texts, end), (Vec::new(), Heard::Closed(1008)));
}

/// Each of them is nearly as large as may be.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_large_frames_is_closed() {
    let mut ground = strict_after(50).await;
    let raw = ground.attacker().await;
    let large = request(
        "ping",
        format!(r#"{{"x":{}{}}}"#, "[".repeat(30_000), "]".repeat(30_000)),
    );
    let bytes = text_frame(&large).repeat(3_000);
    let (_, end) = ground
        .bystander
        .unharmed_by(raw.send_until_closed(&bytes))
        .await;
    // More is on its way than the server waits for once it has closed, and a reset may overtake its close frame.
    assert!(matches!(end, Heard::Closed(1008) | Heard::Ended), "{end:?}");
}

/// What is refused takes no place: who was let in stays, and the next one is let in when there is room again.
#[tokio::test]
async fn connections_beyond_the_limit_are_refused() {
    let server = TestServer::synced_with(|settings| settings.limits.connections = 12).await;
    let mut ground = Ground::on(server).await;
    let address = ground.server.address();
    refused_beyond_a_limit(&mut ground, address, 10).await;
}

#[tokio::test]
async fn strangers_of_one_address_beyond_the_limit_are_refused() {
    let server =
        TestServer::synced_with(|settings| settings.limits.anonymous_per_address = 5).await;
    let mut ground = Ground::on(server).await;
    let address = ground.server.address();
    refused_beyond_a_limit(&mut ground, address, 5).await;
    // Who has logged in does not count.
    let mut devices = Vec::new();
    for _ in 0..10 {
        devices.push(ground.attacker().await);
    }
    ground.bystander.round_trip().await;
}

async fn refused_beyond_a_limit(ground: &mut Ground, address: std::net::SocketAddr, room: usize) {
    let attack = async {
        let mut strangers = Vec::new();
        for _ in 0..room {
            strangers.push(Raw::upgraded(address).await);
        }
        for _ in 0..20 {
            let mut refused = Raw::connect(address).await;
            let head = refused.head().await.expect("an answer");
            assert_eq!(status(&head), 503, "{head}");
            assert!(head.to_lowercase().contains("retry-after: "), "{head}");
        }
        drop(strangers.pop());
        let let_in = async {
            loop {
                let mut again = Raw::connect(address).await;
                again.send(super::raw::HANDSHAKE.as_bytes()).await;
                if again.head().await.is_some_and(|head| status(&head) == 101) {
                    break;
                }
            }
        };
        tokio::time::timeout(crate::harness::PATIENCE, let_in)
            .await
            .expect("let in again");
    };
    ground.bystander.unharmed_by(attack).await;
}

#[tokio::test]
async fn devices_of_one_account_beyond_the_limit_are_refused() {
    let server =
        TestServer::synced_with(|settings| settings.limits.connections_per_account = 3).await;
    let mut ground = Ground::on(server).await;
    let mut devices = Vec::new();
    for _ in 0..3 {
        devices.push(ground.attacker().await);
    }
    let address = ground.server.address();
    let mut one_more = Raw::upgraded(address).await;
    let answer = one_more.ask("login", "login", &ground.login()).await;
    assert_eq!(answer["error"]["code"], 2996, "{answer}");
    discreet(&answer);
    assert_eq!(one_more.hear().await, Heard::Closed(1013));
    for device in &mut devices {
        let alive = device.ask("alive", "ping", &json!({})).await;
        assert!(alive.get("result").is_some(), "{alive}");
    }
    ground.bystander.round_trip().await;
}

/// A device that comes again takes its own place, as often as it likes; the one before is told.
#[tokio::test]
async fn a_device_that_logs_in_again_and_again_takes_one_place() {
    let server =
        TestServer::synced_with(|settings| settings.limits.connections_per_account = 1).await;
    let mut ground = Ground::on(server).await;
    let address = ground.server.address();
    let login = Who::new(ATTACKER, "laptop").login(&user_sig(&ground.server, APP, ATTACKER), None);
    let attack = async {
        let mut before: Option<Raw> = None;
        for _ in 0..50 {
            let mut raw = Raw::upgraded(address).await;
            let answer = raw.ask("login", "login", &login).await;
            assert!(answer.get("result").is_some(), "{answer}");
            if let Some(mut before) = before.replace(raw) {
                let end = loop {
                    match before.hear().await {
                        Heard::Text(_) => {}
                        end => break end,
                    }
                };
                assert_eq!(end, Heard::Closed(4509));
            }
        }
    };
    ground.bystander.unharmed_by(attack).await;
}

/// Connections that end in every way a connection can, in the middle of whatever it was.
#[tokio::test]
async fn connections_that_come_and_go_trouble_nobody() {
    let mut ground = Ground::new().await;
    let address = ground.server.address();
    let login = text_frame(&request("login", ground.login()));
    let attack = async {
        let whole = [super::raw::HANDSHAKE.as_bytes(), &login, &ping_frame()].concat();
        for cut in (0..whole.len()).step_by(7) {
            let mut raw = Raw::connect(address).await;
            raw.send(&whole[..cut]).await;
        }
    };
    ground.bystander.unharmed_by(attack).await;
}
