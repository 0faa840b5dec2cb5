//! Operators and their passwords.

use serde_json::{Value, json};

use chatsync::domain::Role;

use crate::harness::{Browser, START, ServerProcess, TestServer};

async fn names(browser: &Browser) -> Vec<(String, String)> {
    let operators = browser.get("/operators").await.ok();
    let operators = operators["operators"].as_array().expect("operators");
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    operators
        .iter()
        .map(|operator| (text(&operator["name"]), text(&operator["role"])))
        .collect()
}

#[tokio::test]
async fn an_operator_is_made_changed_and_removed() {
    let server = TestServer::start().await;
    let browser = server.console().await;
    let viewer = json!({ "name": "李雷 %2F", "role": "viewer" });
    let made = browser.post("/operators", viewer.clone()).await;
    assert_eq!(made.status, 201);
    let password = made.ok()["password"]
        .as_str()
        .expect("shown once")
        .to_owned();
    assert!(password.len() >= 20, "{password}");
    browser
        .post("/operators", viewer)
        .await
        .refused(409, "conflict");

    let listed = browser.get("/operators").await.ok();
    assert!(!listed.to_string().contains("argon2"), "{listed}");
    assert_eq!(
        listed["operators"][1],
        json!({ "name": "李雷 %2F", "role": "viewer", "createdAt": START, "lastSignIn": null })
    );
    let mut other = Browser::new(&server);
    server.clock.advance(1);
    assert_eq!(
        other.sign_in("李雷 %2F", &password).await.ok()["role"],
        "viewer"
    );
    let listed = browser.get("/operators").await.ok();
    assert_eq!(listed["operators"][1]["lastSignIn"], START + 1);

    let path = "/operators/%E6%9D%8E%E9%9B%B7%20%252F";
    let change = json!({ "role": "administrator", "password": "chosen by somebody" });
    let changed = browser.patch(path, change).await.ok();
    assert_eq!(changed["role"], "administrator");
    other.get("/session").await.refused(401, "signed_out");
    let old = other.sign_in("李雷 %2F", &password).await;
    old.refused(401, "wrong_credentials");
    other.sign_in("李雷 %2F", "chosen by somebody").await.ok();

    assert_eq!(browser.delete(path).await.status, 204);
    other.get("/session").await.refused(401, "signed_out");
    browser.delete(path).await.refused(404, "not_found");
    browser
        .patch(path, json!({}))
        .await
        .refused(404, "not_found");
    assert_eq!(
        names(&browser).await,
        [("admin".into(), "administrator".into())]
    );
}

#[tokio::test]
async fn the_last_administrator_stays_one() {
    let server = TestServer::start().await;
    let browser = server.console().await;
    server.operator("viewer", Role::Viewer).await;
    let viewer = json!({ "role": "viewer" });
    let demoted = browser.patch("/operators/admin", viewer.clone()).await;
    demoted.refused(409, "conflict");
    browser
        .delete("/operators/admin")
        .await
        .refused(409, "conflict");

    // Two of them go at once: one must stay.
    let other = server.signed_in("other", Role::Administrator).await;
    let (one, two) = tokio::join!(
        browser.delete("/operators/other"),
        other.patch("/operators/admin", viewer)
    );
    assert_ne!(
        one.status / 100 == 2,
        two.status / 100 == 2,
        "{one:?} {two:?}"
    );
}

#[tokio::test]
async fn another_password_ends_the_operators_other_sessions() {
    let server = TestServer::start().await;
    let browser = server.signed_in("somebody", Role::Viewer).await;
    let password = server.operator("somebody", Role::Viewer).await;
    // Made by the command line: it ended the session that there was.
    browser.get("/session").await.refused(401, "signed_out");
    let (mut here, mut there) = (Browser::new(&server), Browser::new(&server));
    here.sign_in("somebody", &password).await.ok();
    there.sign_in("somebody", &password).await.ok();
    let bystander = server.console().await;

    let wrong = json!({ "current": "not it", "password": "long enough" });
    here.post("/password", wrong)
        .await
        .refused(401, "wrong_credentials");
    let short = here.post(
        "/password",
        json!({ "current": password, "password": "too short" }),
    );
    let short = short.await;
    short.refused(400, "invalid");
    assert_eq!(short.body["error"]["field"], "password");
    there.get("/session").await.ok();

    let change = json!({ "current": password, "password": "日本語のパスワード。" });
    assert_eq!(here.post("/password", change).await.status, 204);
    here.get("/session").await.ok();
    there.get("/session").await.refused(401, "signed_out");
    bystander.get("/session").await.ok();
    let old = there.sign_in("somebody", &password).await;
    old.refused(401, "wrong_credentials");
    there.sign_in("somebody", "日本語のパスワード。").await.ok();
}

#[tokio::test]
async fn a_stolen_session_can_guess_the_password_no_oftener_than_a_stranger() {
    let server = TestServer::start().await;
    let browser = server.console().await;
    let guess = json!({ "current": "a guess", "password": "long enough" });
    for _ in 0..5 {
        let wrong = browser.post("/password", guess.clone()).await;
        wrong.refused(401, "wrong_credentials");
    }
    browser
        .post("/password", guess)
        .await
        .refused(429, "locked");
}

#[tokio::test]
async fn one_operator_has_twenty_sessions_at_most() {
    let server = TestServer::start().await;
    let password = server.operator("admin", Role::Administrator).await;
    let mut all = Vec::new();
    for _ in 0..21 {
        server.clock.advance(1);
        let mut browser = Browser::new(&server);
        browser.sign_in("admin", &password).await.ok();
        all.push(browser);
    }
    all[0].get("/session").await.refused(401, "signed_out");
    all[1].get("/session").await.ok();
}

#[tokio::test]
async fn what_operators_do_is_in_the_audit_log_without_their_secrets() {
    let server = TestServer::start().await;
    let password = server.operator("admin", Role::Administrator).await;
    let mut browser = Browser::new(&server);
    browser.sign_in("my password by mistake", "admin").await;
    browser.sign_in("admin", "a wrong one").await;
    browser.sign_in("admin", &password).await.ok();
    let viewer = json!({ "name": "eve", "role": "viewer", "password": "something secret" });
    browser.post("/operators", viewer).await.ok();
    let change = json!({ "role": "administrator", "password": "another secret" });
    browser.patch("/operators/eve", change).await.ok();
    browser.delete("/operators/eve").await.ok();
    let change = json!({ "current": password, "password": "my own secret" });
    browser.post("/password", change).await.ok();
    let key = browser.post("/apps", json!({ "sdkAppID": 7 })).await.ok();
    browser.call("POST", "/apps/7/keys", None).await.ok();
    browser
        .patch("/apps/7", json!({ "disabled": true }))
        .await
        .ok();
    browser.call("POST", "/sign-out", None).await.ok();

    let mut reader = Browser::new(&server);
    reader.sign_in("admin", "my own secret").await.ok();
    let log = reader.get("/audit?app=0&limit=100").await.ok();
    let records = log["records"].as_array().expect("records");
    let told = |record: &Value| {
        let text = |name: &str| record[name].as_str().expect("text").to_owned();
        format!("{} {} {}", text("actor"), text("action"), text("target"))
    };
    let mut told: Vec<_> = records.iter().map(told).collect();
    told.reverse();
    assert_eq!(
        told,
        [
            "test operator.create admin",
            "console operator.signInFailed ",
            "console operator.signInFailed admin",
            "operator:admin operator.signIn admin",
            "operator:admin operator.create eve",
            "operator:admin operator.role eve",
            "operator:admin operator.password eve",
            "operator:admin operator.remove eve",
            "operator:admin operator.password admin",
            "operator:admin operator.signOut admin",
            "operator:admin operator.signIn admin",
        ]
    );
    let of_app = reader.get("/audit?app=7").await.ok();
    let of_app = of_app["records"].as_array().expect("records").len();
    assert_eq!(of_app, 3, "made, its keys, disabled");
    let all = reader.get("/audit?limit=500").await.ok().to_string();
    let key = key["secretKey"].as_str().expect("a key");
    for secret in [&password, key, "secret", "mistake", "a wrong one", "argon2"] {
        assert!(!all.contains(secret), "{secret:?} is in {all}");
    }
}

#[tokio::test]
async fn the_command_line_makes_operators_of_either_role() {
    let server = ServerProcess::start().await;
    let set = async |words: &[&str]| {
        let words = [&["operator", "set"], words].concat();
        let output = server.command(&words).await;
        let printed = String::from_utf8(output.stdout).expect("text");
        let password = printed.trim().rsplit(' ').next().map(String::from);
        (output.status.code(), password.unwrap_or_default())
    };
    let (_, password) = set(&["--name", "eve", "--role", "viewer"]).await;
    let mut eve = Browser::new(&server);
    assert_eq!(eve.sign_in("eve", &password).await.ok()["role"], "viewer");
    // Another password, the same role; and whoever had signed in has to do so again.
    let (_, password) = set(&["--name", "eve"]).await;
    eve.get("/session").await.refused(401, "signed_out");
    assert_eq!(eve.sign_in("eve", &password).await.ok()["role"], "viewer");

    let (code, _) = set(&["--name", "eve", "--role", "emperor"]).await;
    assert_eq!(code, Some(64));
    let (_, password) = set(&[]).await;
    let mut admin = Browser::new(&server);
    let admin = admin.sign_in("admin", &password).await.ok();
    assert_eq!(admin["role"], "administrator");
}
