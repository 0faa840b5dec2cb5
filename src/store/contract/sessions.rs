//! Operators and their sessions, and what is kept of changes of apps.

use super::{APP, Place, app, write};
use crate::domain::{OperatorName, Role, SdkAppId};
use crate::store::query;
use crate::store::rows::{ConsoleSession, LastChange, NewAuditRecord, Operator};

pub(super) async fn check(fresh: impl Fn() -> Box<dyn Place>) {
    operators_are_kept_whole(&*fresh()).await;
    sessions_are_ended_by_operator_by_number_and_by_age(&*fresh()).await;
    changes_of_apps_are_counted_and_the_last_of_a_setting_is_found(&*fresh()).await;
}

fn name(text: &str) -> OperatorName {
    text.parse().unwrap()
}

async fn operators_are_kept_whole(place: &dyn Place) {
    let store = place.open();
    let zoe = Operator {
        name: name("zoe"),
        password_hash: "a hash".into(),
        role: Role::Viewer,
        created_at: 5,
        last_sign_in: None,
    };
    let amy = Operator {
        name: name("amy"),
        role: Role::Administrator,
        last_sign_in: Some(7),
        ..zoe.clone()
    };
    let both = [zoe.clone(), amy.clone()];
    write(&*store, move |tx| {
        both.iter()
            .try_for_each(|operator| tx.put_operator(operator))
    })
    .await;
    let all = query(&*store, |tx| tx.operators()).await.unwrap();
    assert_eq!(all, [amy, zoe.clone()]);
    write(&*store, |tx| tx.remove_operator(&name("amy"))).await;
    let (found, none) = query(&*store, |tx| {
        Ok((tx.operator(&name("zoe"))?, tx.operator(&name("amy"))?))
    })
    .await
    .unwrap();
    assert_eq!((found, none), (Some(zoe), None));
}

async fn sessions_are_ended_by_operator_by_number_and_by_age(place: &dyn Place) {
    let store = place.open();
    let session = |number: u8, operator: &str, seen_at| ConsoleSession {
        token_hash: vec![number; 32],
        operator: name(operator),
        signed_in_at: number.into(),
        seen_at,
    };
    let fill = async || {
        let all: Vec<_> = (1..=5)
            .map(|number| session(number, "amy", 100 + i64::from(number)))
            .chain([session(9, "zoe", 109)])
            .collect();
        write(&*store, move |tx| {
            all.iter()
                .try_for_each(|session| tx.put_console_session(session))
        })
        .await;
    };
    let left = async || {
        query(&*store, |tx| {
            let mut left = Vec::new();
            for number in 1..=9 {
                let found = tx.console_session(&[number; 32])?;
                left.extend(found.map(|found| found.token_hash[0]));
            }
            Ok(left)
        })
        .await
        .unwrap()
    };
    fill().await;
    let found = query(&*store, |tx| tx.console_session(&[3; 32])).await;
    assert_eq!(found.unwrap(), Some(session(3, "amy", 103)));
    write(&*store, |tx| tx.remove_console_session(&[3; 32])).await;
    assert_eq!(left().await, [1, 2, 4, 5, 9]);

    write(&*store, |tx| {
        tx.keep_newest_console_sessions(&name("amy"), 3)
    })
    .await;
    assert_eq!(left().await, [2, 4, 5, 9]);
    let but = |kept: Option<u8>| {
        write(&*store, move |tx| {
            let kept = kept.map(|number| [number; 32]);
            tx.remove_other_console_sessions(&name("amy"), kept.as_ref().map(<[u8; 32]>::as_slice))
        })
    };
    but(Some(4)).await;
    assert_eq!(left().await, [4, 9]);
    but(None).await;
    assert_eq!(left().await, [9]);

    // By when they were used or when they began, whichever says so; and so many at once.
    fill().await;
    let expire = |seen, signed_in, most| {
        write(&*store, move |tx| {
            tx.expire_console_sessions(seen, signed_in, most)
        })
    };
    assert_eq!(expire(102, 0, 9).await, 1);
    assert_eq!(expire(0, 4, 9).await, 2);
    assert_eq!(left().await, [4, 5, 9]);
    assert_eq!(expire(1000, 1000, 2).await, 2);
    assert_eq!(left().await.len(), 1);
}

async fn changes_of_apps_are_counted_and_the_last_of_a_setting_is_found(place: &dyn Place) {
    let store = place.open();
    let count = async || query(&*store, |tx| tx.app_changes()).await.unwrap();
    let before = count().await;
    let record = |app, time, action: &str, target: &str| NewAuditRecord {
        time,
        app,
        actor: format!("somebody at {time}"),
        action: action.into(),
        target: target.into(),
        detail: "{}".into(),
    };
    let records = [
        record(APP, 1, "app.set", "disabled"),
        record(APP, 2, "app.set", "disabled"),
        record(APP, 3, "app.set", "keys"),
        record(APP, 4, "app.create", "disabled"),
        record(SdkAppId(2), 5, "app.set", "disabled"),
    ];
    write(&*store, move |tx| {
        tx.put_app(&app(APP))?;
        tx.put_app(&app(SdkAppId(2)))?;
        records.iter().try_for_each(|record| tx.add_audit(record))
    })
    .await;
    assert_eq!(count().await, before + 2);
    let last = async |setting: &'static str| {
        let found = query(&*store, move |tx| tx.last_change(APP, setting));
        found.await.unwrap()
    };
    let by = "somebody at 2".to_owned();
    assert_eq!(last("disabled").await, Some(LastChange { by, time: 2 }));
    assert_eq!(last("undo-window").await, None);
}
