//! What a job can rely on.

use std::sync::{Arc, Mutex};

use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use tokio::sync::oneshot;

use super::{APP, Call, Place, account, entry, submit, user, write};
use crate::domain::cursor::Since;
use crate::domain::{Epoch, Position, Seq, Version};
use crate::store::{Abort, StoreError, WriteTx, query};

pub(super) async fn check(fresh: impl Fn() -> Box<dyn Place>) {
    what_is_done_is_there_after_reopening(&*fresh()).await;
    a_withdrawn_job_leaves_nothing_and_harms_no_other(&*fresh()).await;
    a_panicking_job_harms_no_other(&*fresh()).await;
    jobs_see_each_other_and_are_told_and_answered_in_order(&*fresh()).await;
    a_commit_is_timed_if_it_writes_anything(&*fresh()).await;
}

async fn what_is_done_is_there_after_reopening(place: &dyn Place) {
    let store = place.open();
    let (key, log) = account(&*store, "alice").await;
    let epoch = query(&*store, |tx| tx.epoch()).await.unwrap();
    write(&*store, move |tx| tx.append(log, &entry("a", false))).await;
    drop(store);

    let store = place.open();
    let (again, found, read): (Epoch, _, _) = query(&*store, move |tx| {
        let account = tx.account(APP, &user("alice"))?.unwrap();
        Ok((tx.epoch()?, account.key, tx.entry(log, Seq(1))?.unwrap()))
    })
    .await
    .unwrap();
    assert_eq!((again, found), (epoch, key));
    assert_eq!(read.payload.unwrap().get(), r#"{"text":"a"}"#);
    // Places go on where they ended: a cursor from before must not skip what comes after.
    write(&*store, move |tx| tx.append(log, &entry("b", false))).await;
    assert_eq!(
        query(&*store, move |tx| tx.reached(key))
            .await
            .unwrap()
            .position,
        Position(2)
    );
}

async fn a_withdrawn_job_leaves_nothing_and_harms_no_other(place: &dyn Place) {
    let store = place.open();
    let (key, log) = account(&*store, "alice").await;
    // Submitted together, so that they share a commit.
    let first = submit(&*store, false, move |tx| {
        tx.append(log, &entry("a", false)).map(drop)
    });
    let second = submit(&*store, true, move |tx| {
        tx.bump_version(key)?;
        tx.append(log, &entry("withdrawn", false)).map(drop)
    });
    let third = submit(&*store, false, move |tx| {
        tx.append(log, &entry("b", false)).map(drop)
    });
    assert!(first.await.unwrap().is_ok());
    assert!(matches!(second.await.unwrap(), Err(Abort::Withdrawn)));
    assert!(third.await.unwrap().is_ok());
    let (head, reached) = query(&*store, move |tx| Ok((tx.head(log)?, tx.reached(key)?)))
        .await
        .unwrap();
    assert_eq!((head.last_seq, head.message_count), (Seq(2), 2));
    assert_eq!(
        reached,
        Since {
            version: Version(0),
            position: Position(2)
        }
    );
}

async fn a_panicking_job_harms_no_other(place: &dyn Place) {
    let store = place.open();
    let (key, _) = account(&*store, "alice").await;
    let first = submit(&*store, false, move |tx| {
        tx.bump_version(key)?;
        panic!("on purpose")
    });
    let second = submit(&*store, false, move |tx| tx.bump_version(key).map(drop));
    assert!(matches!(
        first.await.unwrap(),
        Err(Abort::Store(StoreError::Unexpected(_)))
    ));
    assert!(second.await.unwrap().is_ok());
    assert_eq!(
        query(&*store, move |tx| tx.reached(key))
            .await
            .unwrap()
            .version,
        Version(1)
    );
}

async fn jobs_see_each_other_and_are_told_and_answered_in_order(place: &dyn Place) {
    let store = place.open();
    let (key, _) = account(&*store, "alice").await;
    let is_withdrawn = |number| number % 5 == 4;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (told, answered) = (
        Arc::<Mutex<Vec<_>>>::default(),
        Arc::<Mutex<Vec<_>>>::default(),
    );
    let mut last = None;
    for number in 0..500 {
        let seen = Arc::clone(&seen);
        let (tells, told, answered) = (Arc::clone(&told), Arc::clone(&told), Arc::clone(&answered));
        let (tell, is_answered) = oneshot::channel();
        let act = move |tx: &mut dyn WriteTx| {
            seen.lock().unwrap().push(tx.bump_version(key)?);
            Ok(())
        };
        let done = Box::new(move |outcome: Result<(), Abort>| {
            assert_eq!(outcome.is_err(), is_withdrawn(number));
            let was_told = told.lock().unwrap().contains(&number);
            answered.lock().unwrap().push((number, was_told));
            tell.send(()).ok();
        });
        store
            .submit(Box::new(Call {
                act: Some(act),
                withdraw: is_withdrawn(number),
                told: Some(Box::new(move || tells.lock().unwrap().push(number))),
                done: Some(done),
            }))
            .unwrap();
        last = Some(is_answered);
    }
    last.unwrap().await.unwrap();
    // A withdrawn one's version is the next one's too.
    let versions: Vec<_> = (0..500)
        .map(|number| Version(number - number / 5 + 1))
        .collect();
    assert_eq!(*seen.lock().unwrap(), versions);
    let kept: Vec<_> = (0..500).filter(|number| !is_withdrawn(*number)).collect();
    assert_eq!(*told.lock().unwrap(), kept);
    let each_after_its_telling: Vec<_> = (0..500)
        .map(|number| (number, !is_withdrawn(number)))
        .collect();
    assert_eq!(*answered.lock().unwrap(), each_after_its_telling);
}

async fn a_commit_is_timed_if_it_writes_anything(place: &dyn Place) {
    let store = place.open();
    let timed = || {
        let mut registry = Registry::default();
        registry.register("commits", "", store.commits());
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        let count = text
            .lines()
            .find_map(|line| line.strip_prefix("commits_count "));
        count.unwrap().parse::<u64>().unwrap()
    };
    account(&*store, "alice").await;
    assert_eq!(timed(), 1);
    write(&*store, |tx| tx.account(APP, &user("alice")).map(drop)).await;
    assert_eq!(timed(), 1);
}
