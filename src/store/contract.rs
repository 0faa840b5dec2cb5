//! What any store promises, as tests. A store's own tests call [`check`] with a way to open it.

mod conversations;
mod jobs;
mod operators;
mod sessions;

use std::sync::{Arc, Mutex};

use serde_json::value::RawValue;
use tokio::sync::oneshot;

use super::{Abort, Job, ReadTx, Result, Store, WriteTx, query};
use crate::domain::message::NewEntry;
use crate::domain::{
    AccountKey, App, ConversationId, Features, LogId, Platform, RequestId, SdkAppId, UserId,
    Version, View,
};
use crate::store::rows::{DeviceRow, LogKind, RequestRecord};

const APP: SdkAppId = SdkAppId(1);

/// Opens the same store again after the last one was dropped.
pub(super) trait Place {
    fn open(&self) -> Arc<dyn Store>;
}

pub(super) async fn check(fresh: impl Fn() -> Box<dyn Place>) {
    jobs::check(&fresh).await;
    conversations::check(&fresh).await;
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
