//! What operators ask for.

use super::{APP, Place, app, user, write};
use crate::domain::{SdkAppId, Version};
use crate::store::rows::{AuditFilter, NewAuditRecord};
use crate::store::{Store, StoreError, query};

const OTHER: SdkAppId = SdkAppId(2);

pub(super) async fn check(fresh: impl Fn() -> Box<dyn Place>) {
    accounts_are_found_by_how_they_begin(&*fresh()).await;
    deletions_are_found_newest_first(&*fresh()).await;
    the_audit_log_is_searched_by_every_filter(&*fresh()).await;
    a_search_that_finds_little_ends_and_goes_on(&*fresh()).await;
    records_are_ordered_by_time_although_the_clock_went_back(&*fresh()).await;
}

async fn accounts_are_found_by_how_they_begin(place: &dyn Place) {
    let store = place.open();
    write(&*store, |tx| {
        tx.put_app(&app(APP))?;
        tx.put_app(&app(OTHER))?;
        for name in [
            "al",
            "alice",
            "alice2",
            "ALICE",
            "bob",
            "al\u{10FFFF}x",
            "%",
            "李雷",
        ] {
            tx.create_account(APP, &user(name), 7)?;
        }
        tx.create_account(OTHER, &user("alice3"), 7)?;
        Ok(())
    })
    .await;
    let found = async |prefix: &'static str, after: Option<&'static str>, limit| {
        let found = query(&*store, move |tx| {
            tx.accounts(APP, prefix, after.map(user).as_ref(), limit)
        });
        let found = found.await.unwrap();
        assert!(found.iter().all(|account| account.created_at == 7));
        found
            .iter()
            .map(|account| account.user.to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        found("al", None, 9).await,
        ["al", "alice", "alice2", "al\u{10FFFF}x"]
    );
    assert_eq!(found("alice", Some("alice"), 9).await, ["alice2"]);
    assert_eq!(found("al", Some("al"), 1).await, ["alice"]);
    assert_eq!(found("al", Some("bob"), 9).await, [""; 0]);
    // What goes on from before the prefix begins with it.
    assert_eq!(found("b", Some("al"), 9).await, ["bob"]);
    assert_eq!(found("%", None, 9).await, ["%"]);
    assert_eq!(found("李", None, 9).await, ["李雷"]);
    assert_eq!(found("", None, 3).await, ["%", "ALICE", "al"]);
}

fn record(time: i64, app: SdkAppId, actor: &str, action: &str, target: &str) -> NewAuditRecord {
    NewAuditRecord {
        time,
        app,
        actor: actor.into(),
        action: action.into(),
        target: target.into(),
        detail: "{}".into(),
    }
}

async fn add(store: &dyn Store, records: Vec<NewAuditRecord>) {
    write(store, move |tx| {
        records.iter().try_for_each(|record| tx.add_audit(record))
    })
    .await;
}

async fn deletions_are_found_newest_first(place: &dyn Place) {
    let store = place.open();
    write(&*store, |tx| {
        let mut delete = |(app, name): (SdkAppId, &str), version| {
            let account = match tx.account(app, &user(name))? {
                Some(account) => account,
                None => tx.create_account(app, &user(name), 7)?,
            };
            let record = record(1, app, "x", "conversation.delete", name);
            tx.add_deletion(account.key, Version(version), &record)?;
            assert_eq!(tx.version(account.key)?, Version(version));
            Ok::<_, StoreError>(())
        };
        delete((APP, "alice"), 1)?;
        delete((APP, "bob"), 0)?;
        delete((OTHER, "alice"), 1)?;
        delete((APP, "alice"), 2)?;
        let restored = record(1, APP, "x", "conversation.restore", "alice");
        tx.add_audit(&restored)
    })
    .await;
    let found = async |name: Option<&'static str>, before, limit| {
        let found = query(&*store, move |tx| {
            tx.deletions(APP, name.map(user).as_ref(), before, limit)
        });
        let found = found.await.unwrap();
        found.iter().map(|found| found.id).collect::<Vec<_>>()
    };
    assert_eq!(found(None, None, 9).await, [4, 2, 1]);
    assert_eq!(found(None, Some(4), 1).await, [2]);
    assert_eq!(found(Some("alice"), None, 9).await, [4, 1]);
    assert_eq!(found(Some("alice"), None, 1).await, [4]);
    assert_eq!(found(Some("alice"), Some(4), 9).await, [1]);
    assert_eq!(found(Some("ali"), None, 9).await, [0; 0]);
    // A record of somebody else's says nothing about where to go on.
    assert_eq!(found(Some("alice"), Some(2), 9).await, [0; 0]);
}

async fn ids(
    store: &dyn Store,
    filter: AuditFilter,
    before: Option<i64>,
    limit: usize,
    scan: usize,
) -> (Vec<i64>, Option<i64>) {
    let page = query(store, move |tx| tx.audit(&filter, before, limit, scan));
    let page = page.await.unwrap();
    (
        page.records.iter().map(|found| found.id).collect(),
        page.next,
    )
}

async fn the_audit_log_is_searched_by_every_filter(place: &dyn Place) {
    let store = place.open();
    add(
        &*store,
        vec![
            record(10, APP, "operator:ann", "app.set", "undo-window"),
            record(20, APP, "user:alice", "conversation.delete", "alice"),
            record(30, OTHER, "operator:ann", "app.set", "undo-window"),
            record(40, APP, "operator:ben", "conversation.restore", "alice"),
        ],
    )
    .await;
    let all = AuditFilter::default();
    let with = |change: fn(&mut AuditFilter)| {
        let mut filter = all.clone();
        change(&mut filter);
        ids(&*store, filter, None, 9, 9)
    };
    assert_eq!(with(|_| {}).await, (vec![4, 3, 2, 1], None));
    assert_eq!(with(|f| f.app = Some(APP)).await.0, [4, 2, 1]);
    assert_eq!(
        with(|f| f.actor = Some("operator:".into())).await.0,
        [4, 3, 1]
    );
    assert_eq!(
        with(|f| f.action = Some("conversation.".into())).await.0,
        [4, 2]
    );
    assert_eq!(with(|f| f.target = Some("alice".into())).await.0, [4, 2]);
    assert_eq!(with(|f| f.from = Some(20)).await.0, [4, 3, 2]);
    assert_eq!(with(|f| f.to = Some(20)).await.0, [2, 1]);
    assert_eq!(
        with(|f| {
            f.app = Some(APP);
            f.actor = Some("operator:".into());
            f.from = Some(11);
            f.to = Some(40);
        })
        .await
        .0,
        [4]
    );
    // Going on from a record newer than those asked for begins with the first of them.
    let early = AuditFilter {
        to: Some(20),
        ..all.clone()
    };
    assert_eq!(ids(&*store, early, Some(4), 9, 9).await.0, [2, 1]);
    assert_eq!(ids(&*store, all, Some(99), 9, 9).await.0, [0; 0]);
}

async fn a_search_that_finds_little_ends_and_goes_on(place: &dyn Place) {
    let store = place.open();
    let records = (1..=10)
        .map(|number| {
            let actor = if number == 1 || number == 10 {
                "rare"
            } else {
                "usual"
            };
            record(number, APP, actor, "app.set", "x")
        })
        .collect();
    add(&*store, records).await;
    let rare = AuditFilter {
        actor: Some("rare".into()),
        ..AuditFilter::default()
    };
    let (mut found, mut turns, mut before) = (Vec::new(), 0, None);
    loop {
        let (page, next) = ids(&*store, rare.clone(), before, 2, 3).await;
        found.extend(page);
        turns += 1;
        before = next;
        if next.is_none() {
            break;
        }
    }
    assert_eq!((found, turns), (vec![10, 1], 4));
    // A page that is full says how to go on only if there is something to look at.
    assert_eq!(
        ids(&*store, AuditFilter::default(), None, 10, 99).await.1,
        None
    );
    assert_eq!(
        ids(&*store, AuditFilter::default(), None, 9, 99).await.1,
        Some(2)
    );
}

async fn records_are_ordered_by_time_although_the_clock_went_back(place: &dyn Place) {
    let store = place.open();
    let times = [10, 30, 20, 20];
    // Deletions, other records, and those of another app are put together again.
    let kinds = [
        (APP, "conversation.delete"),
        (OTHER, "b"),
        (APP, "b"),
        (OTHER, "conversation.delete"),
    ];
    let records = times.into_iter().zip(kinds);
    let records = records
        .map(|(time, (app, action))| record(time, app, "a", action, "c"))
        .collect();
    add(&*store, records).await;
    let (mut found, mut before) = (Vec::new(), None);
    for _ in times {
        let (page, next) = ids(&*store, AuditFilter::default(), before, 1, 9).await;
        found.extend(page);
        before = next;
    }
    assert_eq!((found, before), (vec![2, 4, 3, 1], None));
}
