//! Who may call what: every call there is, tried by those who may not.

use std::collections::BTreeSet;
use std::path::Path;

use chatsync::domain::Role;

use crate::harness::{APP, Browser, TestServer};

/// The least that a call takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Takes {
    Nobody,
    Viewer,
    Administrator,
}
use Takes::{Administrator, Nobody, Viewer};

/// Every call, as the routes name it.
const CALLS: &[(&str, &str, Takes)] = &[
    ("POST", "/sign-in", Nobody),
    ("GET", "/session", Viewer),
    ("POST", "/sign-out", Viewer),
    ("POST", "/password", Viewer),
    ("GET", "/operators", Administrator),
    ("POST", "/operators", Administrator),
    ("PATCH", "/operators/{name}", Administrator),
    ("DELETE", "/operators/{name}", Administrator),
    ("GET", "/apps", Viewer),
    ("POST", "/apps", Administrator),
    ("PATCH", "/apps/{app}", Administrator),
    ("POST", "/apps/{app}/keys", Administrator),
    ("DELETE", "/apps/{app}/keys/oldest", Administrator),
    ("GET", "/apps/{app}/settings", Viewer),
    ("PATCH", "/apps/{app}/settings", Administrator),
    ("GET", "/apps/{app}/users", Viewer),
    ("GET", "/apps/{app}/users/{user}", Viewer),
    ("GET", "/apps/{app}/users/{user}/conversations", Viewer),
    (
        "POST",
        "/apps/{app}/users/{user}/devices/{device}/logout",
        Administrator,
    ),
    ("GET", "/apps/{app}/deletions", Viewer),
    ("GET", "/apps/{app}/deletions/{id}", Viewer),
    ("POST", "/apps/{app}/deletions/{id}/restore", Administrator),
    ("GET", "/audit", Viewer),
    ("GET", "/audit/export", Viewer),
    ("GET", "/live", Viewer),
];

#[test]
fn every_call_there_is_is_tried() {
    let tried: BTreeSet<_> = CALLS
        .iter()
        .map(|(method, path, _)| ((*method).to_owned(), (*path).to_owned()))
        .collect();
    assert_eq!(served(), tried);
}

/// Methods and paths, as the sources route them.
fn served() -> BTreeSet<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/transport/console");
    let mut found = BTreeSet::new();
    for file in std::fs::read_dir(folder).expect("the sources") {
        let file = file.expect("a file").path();
        if file.file_name().is_some_and(|name| name == "mod.rs") {
            continue;
        }
        let code = std::fs::read_to_string(&file).expect("text");
        for route in code.split(".route(").skip(1) {
            let path = route.split('"').nth(1).expect("a path");
            let (handlers, _) = route.split_once("\n}").unwrap_or((route, ""));
            let handlers = handlers.split(".merge(").next().unwrap_or(handlers);
            for method in ["get", "post", "put", "patch", "delete", "any"] {
                let is_it = |start: &str| handlers.contains(&format!("{start}{method}("));
                if [" ", "."].into_iter().any(is_it) {
                    found.insert((method.to_uppercase(), path.to_owned()));
                }
            }
        }
    }
    assert!(found.len() > 10, "the routes were found: {found:?}");
    found
}

#[tokio::test]
async fn whoever_may_not_is_refused() {
    let server = TestServer::start().await;
    let mut phone = server.device("alice", "phone").await;
    phone.say("C2Cbob", "hi").await;
    phone.delete(&["C2Cbob"]).await;
    let administrator = server.console().await;
    let viewer = server.signed_in("viewer", Role::Viewer).await;
    let before = administrator.get("/audit").await.ok();
    for (method, path, takes) in CALLS {
        let path = path
            .replace("{app}", &APP.to_string())
            .replace("{user}", "alice")
            .replace("{device}", "alice-phone")
            .replace("{name}", "admin")
            .replace("{id}", "1");
        let (method, path) = (*method, path.as_str());
        let is_change = method != "GET";
        let tell = |browser: &Browser| {
            let browser = browser.clone();
            // Well-formed for none of them: it must not come so far.
            async move {
                browser
                    .call_raw(method, path, is_change.then_some("[]"))
                    .await
            }
        };
        if *takes == Nobody {
            continue;
        }
        let stranger = tell(&Browser::new(&server)).await;
        stranger.refused(401, "signed_out");
        if is_change {
            for browser in [&administrator, &viewer] {
                let mut forger = browser.clone();
                forger.csrf = None;
                tell(&forger).await.refused(403, "bad_csrf");
            }
        }
        if *takes == Administrator {
            tell(&viewer).await.refused(403, "forbidden");
        }
    }
    // None of it did anything.
    assert_eq!(administrator.get("/audit").await.ok(), before);
    phone.settle().await;
}

#[tokio::test]
async fn a_viewer_may_look_at_everything_else() {
    let server = TestServer::start().await;
    let mut phone = server.device("alice", "phone").await;
    phone.say("C2Cbob", "hi").await;
    phone.delete(&["C2Cbob"]).await;
    let viewer = server.signed_in("viewer", Role::Viewer).await;
    let deletions = viewer.get(&format!("/apps/{APP}/deletions")).await.ok();
    let id = deletions["deletions"][0]["id"].to_string();
    for (method, path, takes) in CALLS {
        if (*method, *takes) != ("GET", Viewer) || *path == "/live" {
            continue;
        }
        let path = path
            .replace("{app}", &APP.to_string())
            .replace("{user}", "alice")
            .replace("{id}", &id);
        let path = if path == "/audit/export" {
            format!("{path}?format=csv")
        } else {
            path
        };
        viewer.get(&path).await.ok();
    }
    assert_eq!(viewer.stream("/live").await.response.status(), 200);
}

#[tokio::test]
async fn a_role_holds_from_the_next_call_on() {
    let server = TestServer::start().await;
    let administrator = server.console().await;
    let other = server.signed_in("other", Role::Viewer).await;
    other.get("/operators").await.refused(403, "forbidden");
    let role = |role: &str| serde_json::json!({ "role": role });
    let promote = administrator.patch("/operators/other", role("administrator"));
    promote.await.ok();
    other.get("/operators").await.ok();
    let demote = administrator.patch("/operators/other", role("viewer"));
    demote.await.ok();
    other.get("/operators").await.refused(403, "forbidden");
}
