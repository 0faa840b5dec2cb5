//! Getting in, staying in, getting out.

use serde_json::json;

use chatsync::domain::Role;

use crate::harness::{Answer, Browser, HOUR, Host, SECOND, TestServer};

const MINUTE: i64 = 60 * SECOND;

#[tokio::test]
async fn who_has_signed_in_is_known_until_signing_out() {
    let server = TestServer::start().await;
    let password = server.operator("admin", Role::Administrator).await;
    let mut browser = Browser::new(&server);
    browser.get("/session").await.refused(401, "signed_out");

    let signed_in = browser.sign_in("admin", &password).await.ok();
    assert_eq!(signed_in["name"], "admin");
    assert_eq!(signed_in["role"], "administrator");
    // A page that is loaded again asks who it is.
    assert_eq!(browser.get("/session").await.ok(), signed_in);

    let left = browser.call("POST", "/sign-out", None).await;
    assert_eq!(left.status, 204);
    assert!(left.header("set-cookie").contains("Max-Age=0"), "{left:?}");
    browser.get("/session").await.refused(401, "signed_out");
}

#[tokio::test]
async fn the_cookie_is_for_the_console_alone_and_for_no_script() {
    let server = TestServer::start().await;
    let password = server.operator("admin", Role::Administrator).await;
    let mut browser = Browser::new(&server);
    let cookie = |answer: &Answer| {
        let mut words: Vec<_> = answer
            .header("set-cookie")
            .split("; ")
            .map(String::from)
            .collect();
        let token = words.remove(0);
        words.sort();
        (token, words.join(" "))
    };
    let (token, words) = cookie(&browser.sign_in("admin", &password).await);
    let value = token.strip_prefix("chatsync_console=").expect("its name");
    assert_eq!(value.len(), 43, "256 bits: {token}");
    assert_eq!(words, "HttpOnly Path=/console SameSite=Strict");

    // By another name than this machine's own it came over a network: never in the clear.
    for host in ["chat.example.com", "localhost.example.com", "10.0.0.1:8080"] {
        let origin = format!("https://{host}");
        browser.headers = vec![("host", host.into()), ("origin", origin)];
        let (another, words) = cookie(&browser.sign_in("admin", &password).await);
        assert_eq!(words, "HttpOnly Path=/console SameSite=Strict Secure");
        assert_ne!(another, token);
    }
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_name_get_the_same_answer() {
    let server = TestServer::start().await;
    server.operator("admin", Role::Administrator).await;
    let mut browser = Browser::new(&server);
    let wrong = browser.sign_in("admin", "wrong password").await;
    wrong.refused(401, "wrong_credentials");
    for name in ["nobody", "", "Admin", "admin\u{0}", &"x".repeat(5000)] {
        let unknown = browser.sign_in(name, "wrong password").await;
        assert_eq!((unknown.status, &unknown.body), (wrong.status, &wrong.body));
        assert_eq!(unknown.header("set-cookie"), "");
    }
}

#[tokio::test]
async fn five_wrong_passwords_lock_a_name_for_a_quarter_of_an_hour() {
    let server = TestServer::start().await;
    let password = server.operator("admin", Role::Administrator).await;
    let mut browser = Browser::new(&server);
    for name in ["admin", "nobody"] {
        for _ in 0..5 {
            let wrong = browser.sign_in(name, "wrong password").await;
            wrong.refused(401, "wrong_credentials");
        }
        // Whether there is somebody of that name or not, and whatever the password.
        let locked = browser.sign_in(name, &password).await;
        locked.refused(429, "locked");
        assert_eq!(locked.body["error"]["retryAfter"], 900, "{locked:?}");
        assert_eq!(locked.header("retry-after"), "900");
    }
    server.clock.advance(15 * MINUTE - 1);
    browser
        .sign_in("admin", &password)
        .await
        .refused(429, "locked");
    server.clock.advance(1);
    browser.sign_in("admin", &password).await.ok();
}

#[tokio::test]
async fn a_session_that_is_not_used_ends() {
    let server = TestServer::start().await;
    let browser = server.console().await;
    for _ in 0..3 {
        server.clock.advance(29 * MINUTE);
        browser.get("/session").await.ok();
    }
    server.clock.advance(30 * MINUTE);
    browser.get("/session").await.refused(401, "signed_out");
}

#[tokio::test]
async fn a_session_that_is_used_ends_after_twelve_hours() {
    let server = TestServer::start().await;
    let browser = server.console().await;
    for _ in 0..47 {
        server.clock.advance(HOUR / 4);
        browser.get("/session").await.ok();
    }
    server.clock.advance(HOUR / 4);
    browser.get("/session").await.refused(401, "signed_out");
    // What has ended is forgotten, and never comes back.
    server.sweep().await;
    browser.get("/session").await.refused(401, "signed_out");
}

#[tokio::test]
async fn a_session_outlives_a_restart() {
    let server = TestServer::start().await;
    let mut browser = server.console().await;
    let server = server.restart().await;
    browser.address = server.address();
    assert_eq!(browser.get("/session").await.ok()["name"], "admin");
    browser.call("POST", "/sign-out", None).await.ok();
}

#[tokio::test]
async fn a_token_that_was_made_up_is_nobodys() {
    let server = TestServer::start().await;
    let mut browser = server.console().await;
    for forged in [
        "",
        "x",
        &"A".repeat(43),
        &"A".repeat(4000),
        "a=b",
        "\"quoted\"",
    ] {
        browser.cookie = Some(format!("chatsync_console={forged}"));
        browser.get("/session").await.refused(401, "signed_out");
    }
}

#[tokio::test]
async fn a_change_without_the_sessions_own_token_is_refused() {
    let server = TestServer::start().await;
    let browser = server.console().await;
    let other = server.signed_in("other", Role::Administrator).await;
    let token = browser.csrf.clone().expect("signed in");
    for forged in [
        "",
        "x",
        &token[1..],
        &token.to_lowercase(),
        &other.csrf.expect("signed in"),
    ] {
        let mut forger = browser.clone();
        forger.csrf = Some(forged.into());
        let refused = forger.post("/apps", json!({})).await;
        refused.refused(403, "bad_csrf");
    }
    assert_eq!(
        browser.get("/apps").await.ok()["apps"]
            .as_array()
            .map(Vec::len),
        Some(2)
    );
}

#[tokio::test]
async fn a_page_of_another_origin_is_refused() {
    let server = TestServer::start().await;
    let mut browser = server.console().await;
    let own = format!("http://{}", server.address());
    for headers in [
        vec![("origin", "https://evil.example".to_owned())],
        vec![("origin", "null".to_owned())],
        vec![("origin", format!("{own}.evil.example"))],
        vec![("origin", own.replace("http://", "ftp://"))],
        vec![("sec-fetch-site", "cross-site".to_owned())],
        vec![("sec-fetch-site", "same-site".to_owned())],
        vec![("sec-fetch-site", "none".to_owned())],
        // A browser that says where it stands says its origin too.
        vec![("origin", String::new())],
    ] {
        browser.headers = headers;
        let refused = browser.post("/apps", json!({})).await;
        refused.refused(403, "bad_origin");
        let password = "whatever it is";
        browser
            .clone()
            .sign_in("admin", password)
            .await
            .refused(403, "bad_origin");
    }
    // Nor may it read, though it would not see the answer.
    browser.headers = vec![("sec-fetch-site", "cross-site".into())];
    browser.get("/apps").await.refused(403, "bad_origin");
    // An address typed in, and a client that is no browser.
    browser.headers = vec![("sec-fetch-site", "none".into())];
    browser.get("/apps").await.ok();
    browser.headers = vec![("sec-fetch-site", String::new()), ("origin", String::new())];
    browser.post("/apps", json!({})).await.ok();
}
