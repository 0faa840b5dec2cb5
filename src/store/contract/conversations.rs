//! Logs, and what accounts see of them.

use super::{APP, Place, account, entry, user, write};
use crate::domain::message::NewEntry;
use crate::domain::{AccountKey, ConversationId, SdkAppId, Seq, View};
use crate::store::rows::LogKind;
use crate::store::{ReadTx, StoreError, query};

pub(super) async fn check(fresh: impl Fn() -> Box<dyn Place>) {
    versions_and_seqs_have_no_holes(&*fresh()).await;
    changed_views_are_those_that_changed(&*fresh()).await;
    pages_of_views_are_whole_and_ordered(&*fresh()).await;
    a_long_history_is_counted_after_erasing(&*fresh()).await;
    the_age_of_a_log_is_known(&*fresh()).await;
}

async fn versions_and_seqs_have_no_holes(place: &dyn Place) {
    let store = place.open();
    let (_, log) = account(&*store, "alice").await;
    let entries = write(&*store, move |tx| {
        Ok([
            tx.append(log, &entry("a", false))?,
            tx.append(log, &entry("tip", true))?,
            tx.append(log, &entry("b", false))?,
        ])
    })
    .await;
    assert_eq!(
        entries.map(|entry| (entry.seq.0, entry.message_count)),
        [(1, 1), (2, 1), (3, 2)]
    );
    let head = query(&*store, move |tx| tx.head(log)).await.unwrap();
    assert_eq!(
        (head.last_seq, head.last_message_seq, head.message_count),
        (Seq(3), Seq(3), 2)
    );
}

async fn changed_views_are_those_that_changed(place: &dyn Place) {
    let store = place.open();
    let (key, log) = account(&*store, "alice").await;
    let (names, since) = write(&*store, move |tx| {
        for name in ["bob", "carol", "dave"] {
            let peer = tx.create_account(APP, &user(name), 0)?.key;
            let pair = tx.create_log(APP, &LogKind::Pair(key, peer))?;
            tx.put_view(key, &View::new(ConversationId::C2c(user(name)), pair))?;
        }
        let group = tx.create_log(APP, &LogKind::Group(APP, "team".parse().unwrap()))?;
        tx.put_view(
            key,
            &View::new(ConversationId::Group("team".parse().unwrap()), group),
        )?;
        tx.add_member(group, key, crate::domain::group::Role::Member, 0)?;
        let since = tx.reached(key)?;

        let mut bob = tx.view(key, &"C2Cbob".parse().unwrap())?.unwrap();
        bob.version = tx.bump_version(key)?;
        tx.put_view(key, &bob)?;
        let carol = tx.view(key, &"C2Ccarol".parse().unwrap())?.unwrap();
        tx.append(carol.log, &entry("a", false))?;
        tx.append(group, &entry("b", false))?;
        let changed = tx.changed_views(key, since, None, 10)?;
        Ok((
            changed
                .into_iter()
                .map(|view| view.conversation.to_string())
                .collect::<Vec<_>>(),
            since,
        ))
    })
    .await;
    assert_eq!(names, ["C2Cbob", "C2Ccarol", "GROUPteam"]);

    let later = query(&*store, move |tx| {
        let after: ConversationId = "C2Ccarol".parse().unwrap();
        Ok((
            tx.changed_views(key, since, Some(&after), 10)?,
            tx.changed_views(key, tx.reached(key)?, None, 10)?,
        ))
    })
    .await
    .unwrap();
    assert_eq!((later.0.len(), later.1.len()), (1, 0));
    write(&*store, move |tx| tx.append(log, &entry("notice", false))).await;
    let changed = query(&*store, move |tx| {
        tx.changed_views(key, tx.reached(AccountKey(0))?, None, 10)
    })
    .await
    .unwrap();
    assert!(
        changed
            .iter()
            .all(|view| view.conversation != ConversationId::System),
        "{changed:?}"
    );
}

async fn pages_of_views_are_whole_and_ordered(place: &dyn Place) {
    let store = place.open();
    let (key, log) = account(&*store, "alice").await;
    let pages = write(&*store, move |tx| {
        for number in 0..10 {
            tx.put_view(
                key,
                &View::new(ConversationId::C2c(user(&format!("u{number}"))), log),
            )?;
        }
        let mut pages = Vec::new();
        let mut after = None;
        loop {
            let page = tx.views(key, after.as_ref(), 4)?;
            let Some(last) = page.last() else {
                return Ok(pages);
            };
            after = Some(last.conversation.clone());
            pages.push(
                page.into_iter()
                    .map(|view| view.conversation.to_string())
                    .collect::<Vec<_>>(),
            );
        }
    })
    .await;
    assert_eq!(pages[0], ["@TIM#SYSTEM", "C2Cu0", "C2Cu1", "C2Cu2"]);
    assert_eq!(pages.concat().len(), 11);
}

async fn a_long_history_is_counted_after_erasing(place: &dyn Place) {
    let store = place.open();
    let (_, log) = account(&*store, "alice").await;
    let counts = write(&*store, move |tx| {
        for number in 0..6 {
            tx.append(log, &entry("m", number == 2))?;
        }
        let before = tx.message_count(log, Seq(4))?;
        assert_eq!(tx.erase(log, Seq(4), 2)?, 2);
        assert_eq!(tx.erase(log, Seq(4), 10)?, 2);
        let gone = tx.message_count(log, Seq(4))?;
        tx.erase(log, Seq(6), 10)?;
        Ok((
            before,
            gone,
            tx.message_count(log, Seq(6))?,
            tx.head(log)?.message_count,
        ))
    })
    .await;
    assert_eq!(counts, (3, 3, 5, 5));
}

async fn the_age_of_a_log_is_known(place: &dyn Place) {
    let store = place.open();
    let (_, log) = account(&*store, "alice").await;
    write(&*store, move |tx| {
        let due = |tx: &dyn ReadTx, before| tx.logs_from_before(APP, before, 9);
        assert_eq!((due(tx, 99)?, tx.newest_message(log)?), (vec![], None));
        for (time, is_control) in [(10, false), (20, false), (30, true)] {
            let entry = NewEntry {
                time,
                ..entry("a", is_control)
            };
            tx.append(log, &entry)?;
        }
        assert_eq!((due(tx, 10)?, due(tx, 11)?), (vec![], vec![log]));
        assert_eq!(tx.logs_from_before(SdkAppId(2), 99, 9)?, []);
        let mark = |seq| Ok::<_, StoreError>(tx.mark(log, Seq(seq))?.map(|mark| mark.time));
        assert_eq!(
            (mark(0)?, mark(1)?, mark(2)?, mark(4)?),
            (Some(10), Some(10), Some(20), None)
        );

        tx.erase(log, Seq(3), 9)?;
        assert_eq!(tx.mark(log, Seq(0))?, None);
        let newest = tx.newest_message(log)?.unwrap();
        assert_eq!(
            (newest.seq, newest.time, newest.message_count),
            (Seq(2), 20, 2)
        );
        tx.put_oldest_time(log, None)?;
        assert_eq!(due(tx, 99)?, []);
        // A log that begins again is as old as what it begins with.
        tx.append(
            log,
            &NewEntry {
                time: 40,
                ..entry("b", false)
            },
        )?;
        assert_eq!((due(tx, 40)?, due(tx, 41)?), (vec![], vec![log]));
        Ok(())
    })
    .await;
}
