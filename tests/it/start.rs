//! Starting, stopping, and starting again.

use std::process::Command;

use crate::harness::{APP, Browser, Launch, ServerProcess, TestDevice, Who, text_message};

/// As somebody has it who has set nothing but where to listen and where to keep the store.
fn untouched() -> ServerProcess {
    let server = ServerProcess::prepared(Launch::default());
    let settings = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\ndrain_ms = 100\n[store]\npath = \"{}\"\n",
        server.data().display()
    );
    std::fs::write(server.config(), settings).expect("a settings file");
    server
}

/// Starts and stops in good order; what was printed.
async fn greeting(server: &mut ServerProcess) -> String {
    server.run().await;
    stop(server).await
}

async fn stop(server: &mut ServerProcess) -> String {
    server.terminate();
    let ended = server.ended().await;
    assert!(ended.status.success(), "{ended:?}");
    ended.printed
}

/// The word or words after `label`.
fn printed<'t>(text: &'t str, label: &str) -> &'t str {
    let line = text
        .lines()
        .find_map(|line| line.trim().strip_prefix(label));
    line.unwrap_or_else(|| panic!("no {label:?} in {text}"))
        .trim()
}

/// The command that is shown for this, run in another folder as somebody would who copied it.
fn run_shown(text: &str, word: &str) -> String {
    let is_it = |line: &&str| line.contains(&format!(" {word} "));
    let line = text.lines().map(str::trim).find(is_it);
    let line = line.unwrap_or_else(|| panic!("no {word:?} in {text}"));
    let output = Command::new("sh")
        .args(["-c", line])
        .current_dir("/")
        .output();
    let output = output.expect("a shell");
    assert!(output.status.success(), "{line}: {output:?}");
    String::from_utf8(output.stdout)
        .expect("text")
        .trim()
        .into()
}

#[tokio::test]
async fn the_first_start_says_all_that_is_needed_and_says_it_once() {
    let mut server = untouched();
    let first = greeting(&mut server).await;
    assert!(
        first.starts_with("listening on http://127.0.0.1:"),
        "{first}"
    );
    let demo = first.lines().nth(1).expect("a second line");
    let (address, _) = printed(demo, "demo ")
        .split_once("  ")
        .expect("and what it is");
    assert!(address.ends_with("/demo/"), "{address}");
    let secret = printed(&first, "secret key");
    let password = printed(&first, "operator    admin, password");
    assert_eq!(printed(&first, "app "), APP.to_string());
    let console = printed(&first, "The console, for operators:").to_owned();
    let user_sig = run_shown(&first, "usersig");
    run_shown(&first, "app set");

    server.run().await;
    // The port is another one now, the rest is as it was printed.
    let (start, path) = console.rsplit_once(':').expect("a port");
    assert_eq!(start, "http://127.0.0.1");
    assert!(path.ends_with("/console/"), "{console}");
    let mut browser = Browser::new(&server);
    let role = browser.sign_in("admin", password).await.ok();
    assert_eq!(role["role"], "administrator");
    let mut phone = TestDevice::offline(&server, Who::new("alice", "phone"));
    phone.user_sig.clone_from(&user_sig);
    let switched = phone
        .try_login(&server)
        .await
        .expect("a UserSig that holds");
    assert_eq!(switched["features"]["syncConversationDeletion"], true);
    phone.say("C2Cbob", "hi").await;
    let second = stop(&mut server).await;
    assert!(
        !second.contains(secret) && !second.contains(password),
        "{second}"
    );
    assert!(!second.contains("first start"), "{second}");

    // A third one finds what the second was told.
    server.run().await;
    phone.resume(&server).await;
    assert_eq!(phone.texts("C2Cbob").await, ["hi"]);
}

#[tokio::test]
async fn a_stop_finishes_what_was_asked_before() {
    let mut server = ServerProcess::start().await;
    let mut phone = server.device("alice", "phone").await;
    let mut asked = Vec::new();
    for number in 0..50 {
        let message = text_message("C2Cbob", &number.to_string());
        asked.push(phone.ask("message.send", &message).await);
    }
    phone.answer(asked[0]).await.expect("sent");
    server.terminate();
    let mut answered = 1;
    while let Some(answer) = phone.next_answer().await {
        answer.expect("sent");
        answered += 1;
    }
    assert!(server.ended().await.status.success());

    server.run().await;
    phone.resume(&server).await;
    let texts = phone.texts("C2Cbob").await;
    assert!(
        texts.len() >= answered,
        "{answered} were acknowledged, {} are there",
        texts.len()
    );
    let expected: Vec<_> = (0..texts.len()).map(|number| number.to_string()).collect();
    assert_eq!(texts, expected);
}
