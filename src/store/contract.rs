//! What any store promises, as tests. A store's own tests call [`check`] with a way to open it.

mod operators;
mod sessions;

use std::sync::{Arc, Mutex};

use serde_json::value::RawValue;
use tokio::sync::oneshot;

use super::{Abort, Job, ReadTx, Result, Store, StoreError, WriteTx, query};
use crate::domain::cursor::Since;
use crate::domain::message::NewEntry;
use crate::domain::{
    AccountKey, App, ConversationId, Epoch, Features, LogId, Platform, Position, RequestId,
    SdkAppId, Seq, UserId, Version, View,
};
use crate::store::rows::{DeviceRow, LogKind, RequestRecord};

const APP: SdkAppId = SdkAppId(1);

/// Opens the same store again after the last one was dropped.
pub(super) trait Place {
    fn open(&self) -> Arc<dyn Store>;
}

pub(super) async fn check(fresh: impl Fn() -> Box<dyn Place>) {
    what_is_done_is_there_after_reopening(&*fresh()).await;
    a_withdrawn_job_leaves_nothing_and_harms_no_other(&*fresh()).await;
    a_panicking_job_harms_no_other(&*fresh()).await;
    jobs_see_each_other_and_are_told_and_answered_in_order(&*fresh()).await;
    versions_and_seqs_have_no_holes(&*fresh()).await;
    changed_views_are_those_that_changed(&*fresh()).await;
    pages_of_views_are_whole_and_ordered(&*fresh()).await;
    a_long_history_is_counted_after_erasing(&*fresh()).await;
    the_age_of_a_log_is_known(&*fresh()).await;
    requests_are_remembered_until_they_expire(&*fresh()).await;
    the_oldest_devices_are_forgotten(&*fresh()).await;
    apps_are_apart(&*fresh()).await;
    a_change_of_an_app_holds_at_once_and_only_if_it_is_kept(&*fresh()).await;
    operators::check(&fresh).await;
    sessions::check(&fresh).await;
    the_demos_app_is_remembered(&*fresh()).await;
}

type Done = Box<dyn FnOnce(std::result::Result<(), Abort>) + Send>;

struct Call<F> {
    act: Option<F>,
    withdraw: bool,
    told: Option<Box<dyn FnOnce() + Send>>,
    done: Option<Done>,
}

impl<F: FnOnce(&mut dyn WriteTx) -> Result<()> + Send> Job for Call<F> {
    fn run(&mut self, tx: &mut dyn WriteTx) -> std::result::Result<(), Abort> {
        (self.act.take().unwrap())(tx)?;
        if self.withdraw {
            Err(Abort::Withdrawn)
        } else {
            Ok(())
        }
    }

    fn tell(&mut self) {
        if let Some(told) = self.told.take() {
            told();
        }
    }

    fn done(mut self: Box<Self>, outcome: std::result::Result<(), Abort>) {
        (self.done.take().unwrap())(outcome);
    }
}

/// Submits a job; the receiver hears of its outcome.
pub(super) fn submit(
    store: &dyn Store,
    withdraw: bool,
    act: impl FnOnce(&mut dyn WriteTx) -> Result<()> + Send + 'static,
) -> oneshot::Receiver<std::result::Result<(), Abort>> {
    let (tell, told) = oneshot::channel();
    let done = Box::new(move |outcome| drop(tell.send(outcome)));
    store
        .submit(Box::new(Call {
            act: Some(act),
            withdraw,
            told: None,
            done: Some(done),
        }))
        .unwrap();
    told
}

async fn write<T: Send + 'static>(
    store: &dyn Store,
    act: impl FnOnce(&mut dyn WriteTx) -> Result<T> + Send + 'static,
) -> T {
    let slot = Arc::new(Mutex::new(None));
    let filled = Arc::clone(&slot);
    let told = submit(store, false, move |tx| {
        *filled.lock().unwrap() = Some(act(tx)?);
        Ok(())
    });
    told.await.unwrap().unwrap();
    slot.lock().unwrap().take().unwrap()
}

fn user(name: &str) -> UserId {
    UserId::new(name).unwrap()
}

fn app(id: SdkAppId) -> App {
    App {
        id,
        keys: Vec::new(),
        admins: Vec::new(),
        features: Features::default(),
        disabled: false,
        created_at: 0,
    }
}

fn entry(text: &str, is_control: bool) -> NewEntry {
    NewEntry {
        sender: None,
        time: 0,
        kind: "TIMTextElem".into(),
        payload: RawValue::from_string(format!(r#"{{"text":"{text}"}}"#)).unwrap(),
        is_control,
    }
}

/// An account and its `@TIM#SYSTEM`, with a view of it.
async fn account(store: &dyn Store, name: &str) -> (AccountKey, LogId) {
    let name = user(name);
    write(store, move |tx| {
        tx.put_app(&app(APP))?;
        let account = tx.create_account(APP, &name, 0)?.key;
        let log = tx.create_log(APP, &LogKind::System(account))?;
        tx.put_view(account, &View::new(ConversationId::System, log))?;
        Ok((account, log))
    })
    .await
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
        let done = Box::new(move |outcome: std::result::Result<(), Abort>| {
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

async fn requests_are_remembered_until_they_expire(place: &dyn Place) {
    let store = place.open();
    let (key, _) = account(&*store, "alice").await;
    let id: RequestId = "r".parse().unwrap();
    let record = RequestRecord {
        fingerprint: vec![1],
        answer: "{}".into(),
        time: 5,
    };
    let (kept, forgotten) = write(&*store, move |tx| {
        tx.put_request(key, "phone", &id, &record)?;
        assert_eq!(tx.request(key, "laptop", &id)?, None);
        assert_eq!(tx.expire_requests(5, 10)?, 0);
        let kept = tx.request(key, "phone", &id)? == Some(record);
        assert_eq!(tx.expire_requests(6, 10)?, 1);
        Ok((kept, tx.request(key, "phone", &id)?))
    })
    .await;
    assert!(kept);
    assert_eq!(forgotten, None);
}

async fn the_oldest_devices_are_forgotten(place: &dyn Place) {
    let store = place.open();
    let (key, _) = account(&*store, "alice").await;
    let left = write(&*store, move |tx| {
        for number in 0..5 {
            tx.put_device(
                key,
                &DeviceRow {
                    id: format!("d{number}").parse().unwrap(),
                    platform: Platform::Web,
                    login_time: 10 - number,
                    ack: Version(0),
                    sigs_refused_upto: 0,
                },
            )?;
        }
        tx.keep_newest_devices(key, 2)?;
        let devices = tx.devices(key)?.into_iter();
        Ok(devices
            .map(|device| device.id.to_string())
            .collect::<Vec<_>>())
    })
    .await;
    assert_eq!(left, ["d0", "d1"]);
}

async fn apps_are_apart(place: &dyn Place) {
    let store = place.open();
    let other = SdkAppId(2);
    let (one, two) = write(&*store, move |tx| {
        for id in [APP, other] {
            tx.put_app(&app(id))?;
            tx.create_account(id, &user("alice"), 0)?;
            tx.create_log(id, &LogKind::Group(id, "team".parse().unwrap()))?;
        }
        let find = |tx: &dyn ReadTx, id| -> Result<_> {
            let account = tx.account(id, &user("alice"))?.unwrap();
            Ok((
                account.key,
                tx.log(&LogKind::Group(id, "team".parse().unwrap()))?
                    .unwrap(),
            ))
        };
        Ok((find(&*tx, APP)?, find(&*tx, other)?))
    })
    .await;
    assert_ne!(one.0, two.0);
    assert_ne!(one.1, two.1);
}

async fn the_demos_app_is_remembered(place: &dyn Place) {
    let store = place.open();
    let known = |store: &Arc<dyn Store>| {
        let store = Arc::clone(store);
        async move { query(&*store, |tx| tx.demo_app()).await.unwrap() }
    };
    assert_eq!(known(&store).await, None);
    write(&*store, |tx| tx.put_demo_app(SdkAppId(u32::MAX))).await;
    write(&*store, |tx| tx.put_demo_app(SdkAppId(7))).await;
    drop(store);
    assert_eq!(known(&place.open()).await, Some(SdkAppId(7)));
}

/// The switch is read within each deletion's own transaction: what was read before must not stand in for it.
async fn a_change_of_an_app_holds_at_once_and_only_if_it_is_kept(place: &dyn Place) {
    let store = place.open();
    let switched = |on: bool| {
        let mut app = app(APP);
        app.features.sync_conversation_deletion = on;
        app
    };
    let is_on = |tx: &dyn ReadTx| {
        let features = tx.features(APP).unwrap().unwrap();
        features.sync_conversation_deletion
    };
    let seen = Arc::new(Mutex::new(Vec::new()));
    // Submitted together, so that they may well share a commit.
    let mut told = Vec::new();
    for (on, withdraw) in [(false, false), (true, false), (false, true)] {
        let (app, seen) = (switched(on), Arc::clone(&seen));
        told.push(submit(&*store, withdraw, move |tx| {
            let before = tx.features(APP)?.map(|_| is_on(tx));
            tx.put_app(&app)?;
            seen.lock().unwrap().push((before, is_on(tx)));
            Ok(())
        }));
    }
    for told in told {
        drop(told.await.unwrap());
    }
    let expected = [(None, false), (Some(false), true), (Some(true), false)];
    assert_eq!(*seen.lock().unwrap(), expected);
    write(&*store, move |tx| {
        assert!(is_on(tx), "the last change was withdrawn");
        Ok(())
    })
    .await;
}
