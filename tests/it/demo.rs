//! The live demo's few addresses: who gets to them, and that nothing but the demo's own is within their reach.

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use chatsync::domain::SdkAppId;
use chatsync::settings::DemoServed;

use crate::harness::{
    APP, HOUR, Host, Launch, OTHER_APP, ServerProcess, TestDevice, TestServer, Who,
};

const ALICE: &str = "demo-alice-0123456789";

/// What came back: the status, the head and the body.
#[derive(Debug)]
struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// One request, its head as written here.
async fn ask(server: &impl Host, line: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let headers: String = headers
        .iter()
        .map(|(name, value)| [name, ": ", value, "\r\n"].concat())
        .collect();
    let length = body.len();
    let request = format!(
        "{line} HTTP/1.1\r\nConnection: close\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
    );
    let mut socket = TcpStream::connect(server.address())
        .await
        .expect("connected");
    socket.write_all(request.as_bytes()).await.expect("asked");
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.expect("text");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    Answer {
        status: status.expect("a status"),
        head: head.to_lowercase(),
        body: body.into(),
    }
}

/// As the demo's own page asks, opened on this machine.
async fn call(server: &impl Host, line: &str, body: &Value) -> Answer {
    let port = server.address().port();
    let (host, origin) = (
        format!("localhost:{port}"),
        format!("http://localhost:{port}"),
    );
    let headers = [
        ("Host", host.as_str()),
        ("Origin", &origin),
        ("Content-Type", "application/json"),
    ];
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    ask(server, line, &headers, &body).await
}

async fn users(server: &impl Host, names: &[&str]) -> Answer {
    call(
        server,
        "POST /demo/api/users",
        &json!({ "userIDList": names }),
    )
    .await
}

async fn serving(serve: DemoServed) -> TestServer {
    TestServer::with(|settings| settings.demo.serve = serve).await
}

async fn apps(server: &TestServer) -> Vec<u32> {
    let apps = server.engine().apps().await.expect("apps");
    apps.into_iter().map(|app| app.id.0).collect()
}

#[tokio::test]
async fn a_page_that_is_opened_gets_users_who_can_log_in() {
    let server = TestServer::start().await;
    let given = users(&server, &[ALICE, "demo-bob-0123456789"]).await;
    assert_eq!(given.status, 200, "{given:?}");
    assert!(given.head.contains("cache-control: no-store"), "{given:?}");
    let given = given.json();
    let app = u32::try_from(given["sdkAppID"].as_u64().expect("a number")).expect("an app's");
    assert_eq!(given["users"][0]["userID"], ALICE);

    let mut phone = TestDevice::offline(&server, Who::new(ALICE, "phone").of_app(app));
    phone.user_sig = given["users"][0]["userSig"].as_str().expect("text").into();
    let login = phone.try_login(&server).await.expect("logged in");
    assert_eq!(login["features"]["syncConversationDeletion"], true);

    // It holds for an hour.
    server.clock.advance(HOUR);
    assert_eq!(
        phone.try_login(&server).await.expect_err("expired").code,
        70001
    );
    let again = users(&server, &[ALICE]).await.json();
    assert_eq!(again["sdkAppID"], app);
    phone.user_sig = again["users"][0]["userSig"].as_str().expect("text").into();
    phone.try_login(&server).await.expect("logged in");
}

#[tokio::test]
async fn the_switch_is_the_demos_own_and_audited_as_the_demos() {
    let server = ServerProcess::start().await;
    let state = call(&server, "GET /demo/api/switch", &Value::Null).await;
    assert_eq!(
        (
            state.status,
            state.json()["syncConversationDeletion"].as_bool()
        ),
        (200, Some(true))
    );
    let off = json!({ "syncConversationDeletion": false });
    let state = call(&server, "PUT /demo/api/switch", &off).await;
    assert_eq!(
        (
            state.status,
            state.json()["syncConversationDeletion"].as_bool()
        ),
        (200, Some(false))
    );
    let demo = state.json()["sdkAppID"].as_i64().expect("an app");
    assert_ne!(demo, i64::from(APP));

    let store = server.data().join("chatsync.db");
    let store = rusqlite::Connection::open(store).expect("the store");
    let mut rows = store
        .prepare("SELECT app, actor, action, target FROM audit WHERE actor = 'demo' ORDER BY id")
        .expect("the audit log");
    let entries = rows.query_map([], |row| Ok((row.get(0)?, row.get(2)?, row.get(3)?)));
    let entries: Vec<(i64, String, String)> = entries
        .expect("read")
        .map(|row| row.expect("an entry"))
        .collect();
    assert_eq!(
        entries,
        [
            (demo, "app.create".into(), demo.to_string()),
            (demo, "app.set".into(), "sync-conversation-deletion".into()),
        ]
    );
}

#[tokio::test]
async fn apps_of_the_servers_own_are_out_of_its_reach() {
    let server = TestServer::start().await;
    let before = server.engine().apps().await.expect("apps");
    let given = users(&server, &[ALICE]).await.json();
    call(
        &server,
        "PUT /demo/api/switch",
        &json!({ "syncConversationDeletion": true }),
    )
    .await;
    call(
        &server,
        "PUT /demo/api/switch",
        &json!({ "syncConversationDeletion": false }),
    )
    .await;
    let after = server.engine().apps().await.expect("apps");
    assert_eq!(after.len(), before.len() + 1);
    for app in &before {
        assert!(after.contains(app), "{app:?} was changed");
    }

    // What it gives holds nowhere else.
    for app in [APP, OTHER_APP] {
        let mut phone = TestDevice::offline(&server, Who::new(ALICE, "phone").of_app(app));
        phone.user_sig = given["users"][0]["userSig"].as_str().expect("text").into();
        assert_eq!(
            phone
                .try_login(&server)
                .await
                .expect_err("another app's")
                .code,
            70014
        );
    }
    // Nor can another app be asked for.
    let body = json!({ "userIDList": [ALICE], "sdkAppID": APP });
    assert_eq!(
        call(&server, "POST /demo/api/users", &body).await.status,
        422
    );
    let body = json!({ "syncConversationDeletion": true, "sdkAppID": APP });
    assert_eq!(
        call(&server, "PUT /demo/api/switch", &body).await.status,
        422
    );
}

#[tokio::test]
async fn an_app_that_has_the_number_keeps_it() {
    let server =
        TestServer::with(|settings| settings.bootstrap.apps[0].sdk_app_id = 1_399_999_999).await;
    let given = users(&server, &[ALICE]).await.json();
    assert_eq!(given["sdkAppID"], 1_399_999_998);
    // Also after a restart, and however many open it at once.
    let server = server.restart().await;
    let (one, other) = tokio::join!(users(&server, &[ALICE]), users(&server, &[ALICE]));
    assert_eq!(
        (
            one.json()["sdkAppID"].as_i64(),
            other.json()["sdkAppID"].as_i64()
        ),
        (Some(1_399_999_998), Some(1_399_999_998))
    );
    assert_eq!(
        apps(&server).await,
        [1_399_999_998, 1_399_999_999, OTHER_APP]
    );
}

#[tokio::test]
async fn two_first_visitors_meet_in_one_app() {
    let server = TestServer::start().await;
    let (one, other) = tokio::join!(
        users(&server, &[ALICE]),
        users(&server, &["demo-bob-9876543210"])
    );
    assert_eq!(one.json()["sdkAppID"], other.json()["sdkAppID"]);
    assert_eq!(apps(&server).await.len(), 3);
}

#[tokio::test]
async fn only_names_of_the_demos_own_get_a_credential() {
    let server = TestServer::start().await;
    for name in [
        "alice",
        "administrator",
        "demo-alice",
        "demo-alice-short",
        "Demo-alice-0123456789",
    ] {
        let refused = users(&server, &[ALICE, name]).await;
        assert_eq!(
            (refused.status, refused.json()["error"]["code"].as_str()),
            (400, Some("invalid")),
            "{name}"
        );
        assert!(!refused.body.contains("userSig"), "{refused:?}");
    }
    for names in [Vec::new(), vec![ALICE; 9]] {
        assert_eq!(users(&server, &names).await.status, 400);
    }
    assert_eq!(users(&server, &[&"n".repeat(5000)]).await.status, 413);
    let port = server.address().port();
    let (host, origin) = (
        format!("127.0.0.1:{port}"),
        format!("http://127.0.0.1:{port}"),
    );
    let headers = [
        ("Host", host.as_str()),
        ("Origin", &origin),
        ("Content-Type", "application/json"),
    ];
    for body in [
        "",
        "{",
        "[]",
        "{}",
        r#"{"userIDList":"x"}"#,
        r#"{"userIDList":[1]}"#,
        "\u{0}",
    ] {
        let refused = ask(&server, "POST /demo/api/users", &headers, body).await;
        assert!([400, 422].contains(&refused.status), "{body}: {refused:?}");
        assert_eq!(refused.json()["error"]["code"], "invalid");
    }
    // As a form of another page could send it, unasked.
    let refused = ask(&server, "POST /demo/api/users", &headers[..2], "{}").await;
    assert_eq!(refused.status, 415);
    assert_eq!(apps(&server).await, [APP, OTHER_APP]);
}

#[tokio::test]
async fn it_exists_for_this_machine_unless_the_settings_say_otherwise() {
    let here = [("Host", "localhost")];
    let elsewhere = [("Host", "chat.example.com")];
    let through_a_proxy = [("Host", "localhost"), ("X-Forwarded-For", "192.0.2.1")];
    for (serve, expected) in [
        (DemoServed::Never, [404, 404, 404]),
        (DemoServed::Loopback, [200, 404, 404]),
        (DemoServed::Always, [200, 200, 200]),
    ] {
        let server = serving(serve).await;
        for line in [
            "GET /demo/",
            "GET /demo/sdk/index.js",
            "GET /demo/api/switch",
        ] {
            for (headers, status) in [&here[..], &elsewhere, &through_a_proxy]
                .into_iter()
                .zip(expected)
            {
                let answer = ask(&server, line, headers, "").await;
                assert_eq!(answer.status, status, "{serve:?} {line} {headers:?}");
            }
        }
        let made = apps(&server).await.len();
        assert_eq!(made, if serve == DemoServed::Never { 2 } else { 3 });
    }
}

#[tokio::test]
async fn no_other_page_gets_in() {
    let json = ("Content-Type", "application/json");
    let body = json!({ "userIDList": [ALICE] }).to_string();
    for serve in [DemoServed::Loopback, DemoServed::Always] {
        let server = TestServer::with(|settings| {
            settings.demo.serve = serve;
            settings.server.allowed_origins = vec!["http://localhost:7".into()];
        })
        .await;
        let post = async |origins: &[&str]| {
            let origins = origins.iter().map(|origin| ("Origin", *origin));
            let headers: Vec<_> = [("Host", "localhost:9"), json]
                .into_iter()
                .chain(origins)
                .collect();
            ask(&server, "POST /demo/api/users", &headers, &body)
                .await
                .status
        };
        assert_eq!(post(&["http://localhost:9"]).await, 200);
        assert_eq!(post(&["http://localhost:7"]).await, 200);
        for foreign in ["http://localhost:8", "http://example.com", "null"] {
            assert_eq!(post(&[foreign]).await, 404, "{foreign}");
        }
        assert_eq!(post(&[]).await, 404);
        assert_eq!(
            post(&["http://localhost:9", "http://example.com"]).await,
            404
        );
    }
}

#[tokio::test]
async fn it_gives_out_so_many_and_then_says_when() {
    let server = TestServer::start().await;
    let names = [ALICE; 8];
    let mut given = 0;
    let refused = loop {
        let answer = users(&server, &names).await;
        if answer.status != 200 {
            break answer;
        }
        given += names.len();
        assert!(given <= 3_100, "no end of it");
    };
    assert!(given >= 2_900, "{given}");
    assert_eq!(
        (refused.status, refused.json()["error"]["code"].as_str()),
        (429, Some("too_many"))
    );
    assert!(refused.head.contains("retry-after: "), "{refused:?}");
}

#[tokio::test]
async fn an_operator_can_close_it() {
    let server = TestServer::start().await;
    let app = users(&server, &[ALICE]).await.json()["sdkAppID"]
        .as_u64()
        .expect("an app");
    let app = SdkAppId(u32::try_from(app).expect("an app's"));
    let closed = server
        .engine()
        .change_app(app, "test", |app| app.disabled = true)
        .await;
    closed.expect("changed");
    assert_eq!(users(&server, &[ALICE]).await.status, 403);
    let on = json!({ "syncConversationDeletion": false });
    assert_eq!(call(&server, "PUT /demo/api/switch", &on).await.status, 403);
}

#[tokio::test]
async fn a_demo_that_is_full_takes_in_nobody_new() {
    let server = ServerProcess::start().await;
    let app = users(&server, &[ALICE]).await.json()["sdkAppID"].as_i64();
    let store = rusqlite::Connection::open(server.data().join("chatsync.db")).expect("the store");
    let others = "INSERT INTO account (app, user, created_at)
        WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ?2) SELECT ?1, n, 0 FROM n";
    store
        .execute(others, rusqlite::params![app, 99_999])
        .expect("added");
    assert_eq!(users(&server, &[ALICE]).await.status, 200);
    let alice = "INSERT INTO account (app, user, created_at) VALUES (?1, ?2, 0)";
    store
        .execute(alice, rusqlite::params![app, ALICE])
        .expect("added");

    // Who is in goes on.
    assert_eq!(users(&server, &[ALICE]).await.status, 200);
    let refused = users(&server, &[ALICE, "demo-bob-0123456789"]).await;
    assert_eq!(
        (refused.status, refused.json()["error"]["code"].as_str()),
        (503, Some("full"))
    );
}

#[tokio::test]
async fn no_log_holds_what_it_gives_out() {
    let launch = Launch::default().set("CHATSYNC__LOG__FILTER", "chatsync=trace,info");
    let mut server = ServerProcess::start_with(launch).await;
    let given = users(&server, &[ALICE]).await.json();
    users(&server, &["administrator"]).await;
    server.terminate();
    let said = server.ended().await.said;
    assert!(said.lines().count() > 1, "{said}");
    let user_sig = given["users"][0]["userSig"].as_str().expect("text");
    assert!(!said.contains(user_sig), "{said}");
}
