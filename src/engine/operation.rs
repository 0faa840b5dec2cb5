//! One operation: a use case as a job of the store's writer.

use std::sync::Arc;
use std::time::Instant;

use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use tokio::sync::oneshot;

use super::{Actor, Denied, Engine, EngineError, Result, present};
use crate::bus::{Audience, Bus, Committed, ConnectionId, Notice, Own};
use crate::domain::app::Features;
use crate::domain::message::{Entry, NewEntry, Sender};
use crate::domain::retention::Horizon;
use crate::domain::{
    AccountKey, ConversationId, DeviceId, LogHead, LogId, Millis, Platform, Position, RequestId,
    SdkAppId, Seq, UserId, Version, View,
};
use crate::protocol::conversation::ConversationEntry;
use crate::protocol::push::{ConversationUpdated, Origin, Push};
use crate::store::rows::{Account, LogKind, NewAuditRecord, RequestRecord};
use crate::store::{Abort, Job, StoreError, WriteTx};

/// What tells a retry from another call under the same requestID.
pub(super) struct Request {
    id: RequestId,
    fingerprint: Vec<u8>,
}

impl Request {
    /// Of a call that carries a requestID. The fingerprint covers the method and every parameter.
    pub(super) fn of(
        method: &str,
        id: Option<&RequestId>,
        call: &impl Serialize,
    ) -> Result<Option<Self>> {
        let Some(id) = id else { return Ok(None) };
        let call =
            serde_json::to_vec(call).map_err(|error| StoreError::Unexpected(error.to_string()))?;
        let digest = Sha256::new()
            .chain_update(method)
            .chain_update([0])
            .chain_update(call)
            .finalize();
        Ok(Some(Self {
            id: id.clone(),
            fingerprint: digest[..16].to_vec(),
        }))
    }
}

/// A change of an account's views, as its devices are told of it.
pub(super) struct Updated {
    pub(super) version: Version,
    pub(super) conversation_list: Vec<ConversationEntry>,
}

/// What a use case works with: the writer's transaction, who acts, and what to tell once it is committed.
pub(super) struct Operation<'t> {
    pub(super) tx: &'t mut dyn WriteTx,
    pub(super) actor: Actor,
    pub(super) now: Millis,
    notices: Vec<Notice>,
    has_appended: bool,
}

impl Operation<'_> {
    pub(super) fn features(&self) -> Result<Features> {
        Ok(self.tx.features(self.actor.app)?.ok_or(Denied::NoSuchApp)?)
    }

    /// How far back the app's history reaches now.
    pub(super) fn horizon(&self) -> Result<Horizon> {
        Ok(Horizon::of(self.features()?.history_retention, self.now))
    }

    /// The actor's view of a conversation.
    pub(super) fn view(&self, conversation: &ConversationId) -> Result<View> {
        Ok(self
            .tx
            .view(self.actor.account, conversation)?
            .ok_or(Denied::NoSuchConversation)?)
    }

    /// The actor's view of a conversation, and the end of its log.
    pub(super) fn view_and_head(&self, conversation: &ConversationId) -> Result<(View, LogHead)> {
        Ok(self
            .tx
            .view_and_head(self.actor.account, conversation)?
            .ok_or(Denied::NoSuchConversation)?)
    }

    /// An account of the actor's app. It comes into being when it is first named: which userIDs exist is for
    /// the app's own back end to know.
    pub(super) fn account(&mut self, user: &UserId) -> Result<Account> {
        match self.tx.account(self.actor.app, user)? {
            Some(account) => Ok(account),
            None => Ok(self.tx.create_account(self.actor.app, user, self.now)?),
        }
    }

    pub(super) fn log(&mut self, kind: &LogKind) -> Result<LogId> {
        match self.tx.log(kind)? {
            Some(log) => Ok(log),
            None => Ok(self.tx.create_log(self.actor.app, kind)?),
        }
    }

    /// An account's view of a conversation, made if it has none.
    pub(super) fn view_or_new(
        &mut self,
        account: AccountKey,
        conversation: ConversationId,
        log: LogId,
    ) -> Result<View> {
        if let Some(view) = self.tx.view(account, &conversation)? {
            return Ok(view);
        }
        let view = View::new(conversation, log);
        self.tx.put_view(account, &view)?;
        Ok(view)
    }

    pub(super) fn sender(&self) -> Sender {
        Sender {
            key: self.actor.account,
            user: self.actor.user.clone(),
        }
    }

    pub(super) fn append(&mut self, log: LogId, entry: &NewEntry) -> Result<Entry> {
        self.has_appended = true;
        Ok(self.tx.append(log, entry)?)
    }

    /// Number of messages at or below `upto` in the log of `view`; one look-up at most.
    pub(super) fn read_count(&self, view: &View, log: LogHead, upto: Seq) -> Result<u64> {
        let head = view.head(log);
        if upto <= view.read_upto {
            Ok(view.read_count)
        } else if upto >= head.last_seq {
            Ok(head.message_count)
        } else {
            Ok(self.tx.message_count(view.log, upto)?)
        }
    }

    /// Stores a change of an account's views as one operation: one version, one push to the account's devices.
    pub(super) fn update_views(
        &mut self,
        account: AccountKey,
        views: &mut [View],
    ) -> Result<Updated> {
        let version = self.tx.bump_version(account)?;
        let horizon = self.horizon()?;
        let mut conversation_list = Vec::with_capacity(views.len());
        for view in views {
            view.version = version;
            self.tx.put_view(account, view)?;
            conversation_list.push(present::entry(&*self.tx, self.actor.app, view, horizon)?);
        }
        let push = ConversationUpdated {
            version,
            conversation_list: conversation_list.clone(),
            origin: self.origin(),
            time: self.now,
        };
        self.tell_others(Audience::Account(account), Push::ConversationUpdated(push));
        Ok(Updated {
            version,
            conversation_list,
        })
    }

    /// Tells of what the answer doesn't say, so the actor's own connection too.
    pub(super) fn tell_all(&mut self, to: Audience, push: Push) {
        self.note(Notice::Push {
            to,
            except: None,
            push,
        });
    }

    /// Tells of what the actor's own connection learns from its answer.
    pub(super) fn tell_others(&mut self, to: Audience, push: Push) {
        let except = self.actor.connection.map(|connection| Own {
            account: self.actor.account,
            connection,
        });
        self.note(Notice::Push { to, except, push });
    }

    pub(super) fn note(&mut self, notice: Notice) {
        self.notices.push(notice);
    }

    pub(super) fn origin(&self) -> Option<Origin> {
        self.actor
            .device
            .as_ref()
            .map(|(device_id, platform)| Origin {
                device_id: device_id.clone(),
                platform: *platform,
            })
    }

    /// For the audit log.
    pub(super) fn record(
        &self,
        action: &str,
        target: &str,
        detail: &impl Serialize,
    ) -> Result<NewAuditRecord> {
        let detail = serde_json::to_string(detail)
            .map_err(|error| StoreError::Unexpected(error.to_string()))?;
        let actor = match (&self.actor.by, &self.actor.device) {
            (Some(by), _) => by.clone(),
            (None, Some(_)) => format!("user:{}", self.actor.user),
            (None, None) => "back end".to_owned(),
        };
        Ok(NewAuditRecord {
            time: self.now,
            app: self.actor.app,
            actor,
            action: action.to_owned(),
            target: target.to_owned(),
            detail,
        })
    }

    pub(super) fn audit(
        &mut self,
        action: &str,
        target: &str,
        detail: &impl Serialize,
    ) -> Result<()> {
        let record = self.record(action, target, detail)?;
        Ok(self.tx.add_audit(&record)?)
    }
}

impl Engine {
    /// Commits one operation and returns its answer. With a `request` the operation has one effect: a retry
    /// gets the first one's answer.
    pub(super) async fn perform<A>(
        &self,
        actor: &Actor,
        request: Option<Request>,
        act: impl FnOnce(&mut Operation<'_>) -> Result<A> + Send + 'static,
    ) -> Result<A>
    where
        A: Serialize + DeserializeOwned + Send + 'static,
    {
        self.submit(actor, request, false, act).await
    }

    /// As [`perform`](Self::perform), and cheaper, for an operation that decides before it writes: once it has
    /// written, `act` fails only if the store does.
    pub(super) async fn perform_decided<A>(
        &self,
        actor: &Actor,
        request: Option<Request>,
        act: impl FnOnce(&mut Operation<'_>) -> Result<A> + Send + 'static,
    ) -> Result<A>
    where
        A: Serialize + DeserializeOwned + Send + 'static,
    {
        self.submit(actor, request, true, act).await
    }

    async fn submit<A>(
        &self,
        actor: &Actor,
        request: Option<Request>,
        decides_first: bool,
        act: impl FnOnce(&mut Operation<'_>) -> Result<A> + Send + 'static,
    ) -> Result<A>
    where
        A: Serialize + DeserializeOwned + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        self.store.submit(Box::new(Work {
            actor: actor.clone(),
            request,
            decides_first,
            act: Some(act),
            now: self.now(),
            bus: Arc::clone(&self.bus),
            outcome: Err(Denied::NoSuchApp.into()),
            notices: Vec::new(),
            position: None,
            answer,
        }))?;
        answered.await.map_err(|_| {
            StoreError::Refused("the store has stopped before it came to this".into())
        })?
    }
}

struct Work<A, F> {
    actor: Actor,
    request: Option<Request>,
    decides_first: bool,
    /// Taken when run.
    act: Option<F>,
    now: Millis,
    bus: Arc<dyn Bus>,
    outcome: Result<A>,
    notices: Vec<Notice>,
    /// The place of the newest log entry, if the operation appended one.
    position: Option<Position>,
    answer: oneshot::Sender<Result<A>>,
}

impl<A, F> Work<A, F>
where
    A: Serialize + DeserializeOwned,
    F: FnOnce(&mut Operation<'_>) -> Result<A>,
{
    fn act(&mut self, tx: &mut dyn WriteTx) -> Result<A> {
        let account = self.actor.account;
        let device = self
            .actor
            .device
            .as_ref()
            .map_or("", |(device, _)| device.as_str())
            .to_owned();
        if let Some(request) = &self.request
            && let Some(record) = tx.request(account, &device, &request.id)?
        {
            return if record.fingerprint == request.fingerprint {
                Ok(serde_json::from_str(&record.answer)
                    .map_err(|error| StoreError::Unexpected(error.to_string()))?)
            } else {
                Err(Denied::invalid("requestID", "was used for another call").into())
            };
        }
        let Some(act) = self.act.take() else {
            return Err(StoreError::Unexpected("a job was run twice".into()).into());
        };
        let mut operation = Operation {
            tx,
            actor: self.actor.clone(),
            now: self.now,
            notices: Vec::new(),
            has_appended: false,
        };
        let answer = act(&mut operation)?;
        let Operation {
            tx,
            notices,
            has_appended,
            ..
        } = operation;
        self.notices = notices;
        if has_appended {
            self.position = Some(tx.reached(account)?.position);
        }
        if let Some(Request { id, fingerprint }) = self.request.take() {
            let answer = serde_json::to_string(&answer)
                .map_err(|error| StoreError::Unexpected(error.to_string()))?;
            tx.put_request(
                account,
                &device,
                &id,
                &RequestRecord {
                    fingerprint,
                    answer,
                    time: self.now,
                },
            )?;
        }
        Ok(answer)
    }
}

impl<A, F> Job for Work<A, F>
where
    A: Serialize + DeserializeOwned + Send,
    F: FnOnce(&mut Operation<'_>) -> Result<A> + Send,
{
    fn run(&mut self, tx: &mut dyn WriteTx) -> std::result::Result<(), Abort> {
        self.outcome = self.act(tx);
        match &self.outcome {
            Ok(_) => Ok(()),
            Err(EngineError::Denied(_)) => Err(Abort::Withdrawn),
            Err(EngineError::Store(error)) => Err(Abort::Store(error.clone())),
        }
    }

    fn decides_first(&self) -> bool {
        self.decides_first
    }

    fn tell(&mut self) {
        let notices = std::mem::take(&mut self.notices);
        if !notices.is_empty() || self.position.is_some() {
            self.bus.publish(Committed {
                notices,
                position: self.position,
                at: Instant::now(),
            });
        }
    }

    fn done(self: Box<Self>, outcome: std::result::Result<(), Abort>) {
        let answer = match outcome {
            Ok(()) | Err(Abort::Withdrawn) => self.outcome,
            Err(Abort::Store(error)) => Err(error.into()),
        };
        // The caller may have gone meanwhile: a retry with the same requestID gets the answer.
        drop(self.answer.send(answer));
    }
}

impl Actor {
    /// A device's connection.
    pub fn device(
        app: SdkAppId,
        user: UserId,
        account: AccountKey,
        device: (DeviceId, Platform),
        connection: ConnectionId,
    ) -> Self {
        Self {
            app,
            user,
            account,
            device: Some(device),
            by: None,
            connection: Some(connection),
        }
    }

    /// An operator, acting for an account. All of its devices are told.
    pub(super) fn operator(account: Account, by: String) -> Self {
        Self {
            app: account.app,
            user: account.user,
            account: account.key,
            device: None,
            by: Some(by),
            connection: None,
        }
    }
}
