//! Deletions that are refused: clearly, and without changing anything.

use serde_json::{Value, json};

use crate::seed::{ALL, SYSTEM, World, world};

#[tokio::test]
async fn a_hundred_and_one_are_refused() {
    let mut world = world().await;
    let ids: Vec<_> = (0..100)
        .map(|number| format!("GROUPg{number}"))
        .chain(["C2Cbob".into()])
        .collect();
    changes_nothing(
        &mut world,
        json!({ "conversationIDList": ids }),
        "conversationIDList",
    )
    .await;
}

#[tokio::test]
async fn none_at_all_is_refused() {
    let mut world = world().await;
    changes_nothing(
        &mut world,
        json!({ "conversationIDList": [] }),
        "conversationIDList",
    )
    .await;
}

#[tokio::test]
async fn malformed_options_are_refused() {
    let mut world = world().await;
    let list = json!(["C2Cbob"]);
    for (params, field) in [
        (
            json!({ "conversationIDList": "C2Cbob" }),
            "conversationIDList",
        ),
        (json!({ "conversationIDList": null }), "conversationIDList"),
        (json!({ "conversationIDList": {} }), "conversationIDList"),
        (
            json!({ "conversationIDList": ["C2Cbob", 7] }),
            "conversationIDList[1]",
        ),
        (
            json!({ "conversationIDList": list, "clearHistoryMessage": "yes" }),
            "clearHistoryMessage",
        ),
        (
            json!({ "conversationIDList": list, "clearHistoryMessage": 1 }),
            "clearHistoryMessage",
        ),
        (
            json!({ "conversationIDList": list, "clearHistoryMessage": null }),
            "clearHistoryMessage",
        ),
        (json!({ "conversationIDList": list, "upTo": 3 }), "upTo"),
        (
            json!({ "conversationIDList": list, "upTo": { "C2Cbob": -1 } }),
            "upTo.C2Cbob",
        ),
        (
            json!({ "conversationIDList": list, "upTo": { "C2Cbob": "1" } }),
            "upTo.C2Cbob",
        ),
        (
            json!({ "conversationIDList": list, "upTo": { "C2Cbob": 1.5 } }),
            "upTo.C2Cbob",
        ),
        (
            json!({ "conversationIDList": list, "requestID": 5 }),
            "requestID",
        ),
        (
            json!({ "conversationIDList": list, "requestID": "" }),
            "requestID",
        ),
        (
            json!({ "conversationIDList": list, "requestID": "x".repeat(65) }),
            "requestID",
        ),
    ] {
        changes_nothing(&mut world, params, field).await;
    }
    let missing = world.phone.refused("conversation.delete", json!({})).await;
    assert_eq!(missing.code, -32602);
    assert!(
        missing.data.to_string().contains("conversationIDList"),
        "{missing:?}"
    );
}

/// The call is refused, says of what, and neither the list nor a sibling nor the version has moved.
async fn changes_nothing(world: &mut World, params: Value, field: &str) {
    let version = world.phone.head().await;
    let error = world
        .phone
        .refused("conversation.delete", params.clone())
        .await;
    assert_eq!(
        (error.code, error.field()),
        (-32602, field),
        "{params}: {error:?}"
    );
    assert!(!error.message.is_empty());
    world.laptop.sees_nothing_more().await;
    assert_eq!(world.phone.head().await, version);
    world.phone.lists_only(&ALL).await;
    assert_eq!(
        world.server.fresh_device("alice").await.replica.list(),
        world.phone.replica.list()
    );
}

#[tokio::test]
async fn a_malformed_id_gets_a_result_of_its_own() {
    let mut world = world().await;
    let long = format!("C2C{}", "x".repeat(65));
    let long_group = format!("GROUP{}", "x".repeat(49));
    let malformed = [
        "",
        "bob",
        "c2cbob",
        "C2C",
        "GROUP",
        "@TIM#SYSTEM2",
        "C2C\u{0}",
        &long,
        &long_group,
    ];
    let version = world.phone.head().await;
    for id in malformed {
        let answer = world.phone.delete(&[id]).await;
        assert_eq!(
            (answer.results[0].code, answer.version),
            (2503, version),
            "{id:?}"
        );
    }
    world.laptop.sees_nothing_more().await;
    world.phone.lists_only(&ALL).await;

    let answer = world.phone.delete(&["bob", "C2Cbob", "GROUPnone"]).await;
    let codes: Vec<_> = answer.results.iter().map(|result| result.code).collect();
    assert_eq!(codes, [2503, 0, 2500]);
    world.laptop.sees_deleted(&["C2Cbob"]).await;
}

#[tokio::test]
async fn an_id_given_twice_counts_once() {
    let mut world = world().await;
    let answer = world.phone.delete(&["C2Cbob", "GROUPteam", "C2Cbob"]).await;
    let named: Vec<_> = answer
        .results
        .iter()
        .map(|result| result.conversation_id.as_str())
        .collect();
    assert_eq!(named, ["C2Cbob", "GROUPteam"]);
    let push = world.laptop.sees_deleted(&["C2Cbob", "GROUPteam"]).await;
    assert_eq!(push.conversations().len(), 2);

    // A hundred IDs, one of them twice.
    let ids: Vec<_> = (0..99).map(|number| format!("GROUPg{number}")).collect();
    let ids: Vec<_> = ids
        .iter()
        .map(String::as_str)
        .chain([SYSTEM, SYSTEM])
        .collect();
    world.phone.delete(&ids).await;
    world.laptop.sees_deleted(&[SYSTEM]).await;
}

#[tokio::test]
async fn what_does_not_exist_is_not_found() {
    let mut world = world().await;
    let mut carol = world.server.device("carol", "phone").await;
    carol.create_group("others", &[]).await;
    carol.say("GROUPothers", "among us").await;
    let version = world.phone.head().await;
    let answer = world
        .phone
        .delete(&["C2Cnobody", "C2Ccarol", "GROUPnone", "GROUPothers"])
        .await;
    assert!(
        answer.results.iter().all(|result| result.code == 2500),
        "{answer:?}"
    );
    assert_eq!(answer.version, version);
    world.laptop.sees_nothing_more().await;
}
