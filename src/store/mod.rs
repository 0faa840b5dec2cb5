//! Where the state lives. The rules are not here: a store keeps rows, and keeps them together.
//!
//! # What any store promises (held by the tests in `contract`)
//! - A [`Job`]'s writes are committed together or not at all, and durably: [`Job::tell`] is called, and [`Job::done`]
//!   with `Ok`, only after they would survive a power loss.
//! - Jobs are serialised: each sees all that earlier ones wrote, committed or about to be.
//! - `tell` is called in the order in which jobs were committed, and so is `done`.
//! - A job that returns `Err` leaves nothing behind, and does no harm to others committed with it.
//! - A read sees one committed state throughout.

#[cfg(test)]
mod contract;
pub mod rows;
pub mod sqlite;

use std::future::Future;
use std::pin::Pin;

use prometheus_client::metrics::histogram::Histogram;

use crate::domain::cursor::Since;
use crate::domain::group::{Group, Member, Role};
use crate::domain::message::{Entry, NewEntry};
use crate::domain::retention::Mark;
use crate::domain::{
    AccountKey, App, ConversationId, DeviceId, Epoch, Features, GroupId, LogHead, LogId, Millis,
    OperatorName, RequestId, SdkAppId, Seq, UserId, Version, View,
};
use rows::{
    Account, AuditFilter, AuditPage, AuditRecord, ConsoleSession, DeviceRow, LastChange, LogKind,
    NewAuditRecord, Operator, RequestRecord,
};

/// What can go wrong in a store.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// Nothing was changed; it may work later. A full disk, a full queue, a lock held too long.
    #[error("the store refused: {0}")]
    Refused(String),
    /// It may or may not have been committed: a sync failed. The store takes nothing more.
    #[error("the outcome of the commit is unknown: {0}")]
    Unknown(String),
    /// A row that this release can't read, or a statement that is wrong: a defect.
    #[error("the store is not as expected: {0}")]
    Unexpected(String),
}

pub type Result<T> = std::result::Result<T, StoreError>;

/// One unit of work for the store's single writer.
pub trait Job: Send {
    /// Does the work. `Err` undoes this job's writes alone, unless the store itself is failing.
    fn run(&mut self, tx: &mut dyn WriteTx) -> std::result::Result<(), Abort>;

    /// Whether the job decides before it writes, so that it never withdraws once it has written anything. It then
    /// needs no way of its own to be undone, and costs a good deal less. Should it break its word, or come upon a
    /// defect, those that would have been committed with it are refused together with it.
    fn decides_first(&self) -> bool {
        false
    }

    /// Tells others of what was committed: called once, after the commit that holds this job's writes, in the order of
    /// the jobs. Must not block.
    fn tell(&mut self) {}

    /// Answers whoever gave the job: called once, after [`tell`](Self::tell), or after it is certain (or, with
    /// [`StoreError::Unknown`], as certain as it will be) that there was no commit. Must not block.
    fn done(self: Box<Self>, outcome: std::result::Result<(), Abort>);
}

/// Why a job's writes are not there.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Abort {
    /// The job itself decided so.
    #[error("withdrawn by the job")]
    Withdrawn,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Work on one committed state.
pub type Query = Box<dyn FnOnce(&dyn ReadTx) + Send>;

pub type Pending<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// A durable store.
pub trait Store: std::fmt::Debug + Send + Sync + 'static {
    /// Queues a job for the writer. Refused at once when the queue is full; then `done` is not called.
    fn submit(&self, job: Box<dyn Job>) -> Result<()>;

    /// Runs a query against the newest committed state, apart from the writer.
    fn read(&self, query: Query) -> Pending<Result<()>>;

    /// How long each commit took to be written and synced, in seconds: what is the disk's own of an answer's time.
    /// Those of jobs that write nothing are not in it.
    fn commits(&self) -> Histogram;

    /// Resolves once the store has failed for good (see [`StoreError::Unknown`]); the process must stop.
    fn failed(&self) -> Pending<StoreError>;
}

/// Asks the store for a value.
pub async fn query<T: Send + 'static>(
    store: &dyn Store,
    ask: impl FnOnce(&dyn ReadTx) -> Result<T> + Send + 'static,
) -> Result<T> {
    let (answer, answered) = tokio::sync::oneshot::channel();
    store
        .read(Box::new(move |tx| {
            // The asker may have gone meanwhile; then nobody misses the answer.
            drop(answer.send(ask(tx)));
        }))
        .await?;
    answered
        .await
        .map_err(|_| StoreError::Unexpected("the query was dropped".into()))?
}

/// Reading.
pub trait ReadTx {
    fn epoch(&self) -> Result<Epoch>;

    fn app(&self, app: SdkAppId) -> Result<Option<App>>;
    /// An app's features alone: what nearly every operation reads.
    fn features(&self, app: SdkAppId) -> Result<Option<Features>>;
    fn apps(&self) -> Result<Vec<App>>;
    /// Rises with each change of an app, whichever process makes it.
    fn app_changes(&self) -> Result<u64>;
    /// Who changed an app's setting last, by the audit log.
    fn last_change(&self, app: SdkAppId, setting: &str) -> Result<Option<LastChange>>;

    fn operator(&self, name: &OperatorName) -> Result<Option<Operator>>;
    /// In the order of their names.
    fn operators(&self) -> Result<Vec<Operator>>;
    fn console_session(&self, token_hash: &[u8]) -> Result<Option<ConsoleSession>>;
    /// The app that is the demo's own, once there is one.
    fn demo_app(&self) -> Result<Option<SdkAppId>>;

    fn account(&self, app: SdkAppId, user: &UserId) -> Result<Option<Account>>;
    /// Goes through the app's accounts: for a page, not for a request of a client's.
    fn account_count(&self, app: SdkAppId) -> Result<usize>;
    fn account_by_key(&self, key: AccountKey) -> Result<Option<Account>>;
    /// An app's accounts whose userID begins with `prefix`, in the order of their userIDs' bytes, after the one
    /// given.
    fn accounts(
        &self,
        app: SdkAppId,
        prefix: &str,
        after: Option<&UserId>,
        limit: usize,
    ) -> Result<Vec<Account>>;

    fn view(&self, account: AccountKey, conversation: &ConversationId) -> Result<Option<View>>;
    /// A view and the end of its log, at once.
    fn view_and_head(
        &self,
        account: AccountKey,
        conversation: &ConversationId,
    ) -> Result<Option<(View, LogHead)>>;
    /// The account's views in the order of their conversations, after the one given.
    fn views(
        &self,
        account: AccountKey,
        after: Option<&ConversationId>,
        limit: usize,
    ) -> Result<Vec<View>>;
    /// Those whose version is above `since.version` or whose log has an entry above `since.position`;
    /// likewise ordered. Costs by how many changed (and by the groups the account is in).
    fn changed_views(
        &self,
        account: AccountKey,
        since: Since,
        after: Option<&ConversationId>,
        limit: usize,
    ) -> Result<Vec<View>>;
    fn pinned_count(&self, account: AccountKey) -> Result<usize>;
    /// 0 also where there is no such account.
    fn version(&self, account: AccountKey) -> Result<Version>;
    /// The place of the newest entry of any log, and the account's version.
    fn reached(&self, account: AccountKey) -> Result<Since>;

    fn log(&self, kind: &LogKind) -> Result<Option<LogId>>;
    fn head(&self, log: LogId) -> Result<LogHead>;
    fn entry(&self, log: LogId, seq: Seq) -> Result<Option<Entry>>;
    /// Newest first: entries above `floor` and below `before`, without those that only revoke another.
    fn entries(&self, log: LogId, floor: Seq, before: Seq, limit: usize) -> Result<Vec<Entry>>;
    /// Number of messages at or below `seq`.
    fn message_count(&self, log: LogId, seq: Seq) -> Result<u64>;

    fn group(&self, app: SdkAppId, id: &GroupId) -> Result<Option<Group>>;
    fn member(&self, group: LogId, account: AccountKey) -> Result<Option<Member>>;
    /// Ordered by when they joined.
    fn members(&self, group: LogId, offset: usize, limit: usize) -> Result<Vec<(Member, UserId)>>;
    fn member_keys(&self, group: LogId) -> Result<Vec<AccountKey>>;
    fn member_count(&self, group: LogId) -> Result<usize>;
    fn groups_of(&self, account: AccountKey) -> Result<Vec<Group>>;

    fn friends(&self, account: AccountKey) -> Result<Vec<UserId>>;
    fn are_friends(&self, one: AccountKey, other: AccountKey) -> Result<bool>;

    fn devices(&self, account: AccountKey) -> Result<Vec<DeviceRow>>;
    fn device(&self, account: AccountKey, device: &DeviceId) -> Result<Option<DeviceRow>>;
    fn device_count(&self, account: AccountKey) -> Result<usize>;

    fn request(
        &self,
        account: AccountKey,
        device: &str,
        id: &RequestId,
    ) -> Result<Option<RequestRecord>>;

    fn audit_record(&self, id: i64) -> Result<Option<AuditRecord>>;
    /// By time, newest first, after the record `before`. Ends with `limit` records found, or `scan` looked at.
    fn audit(
        &self,
        filter: &AuditFilter,
        before: Option<i64>,
        limit: usize,
        scan: usize,
    ) -> Result<AuditPage>;
    /// The records of deletions in an app, of one user's if one is given: newest first, after the record `before`, one
    /// of theirs. Costs by `limit` alone.
    fn deletions(
        &self,
        app: SdkAppId,
        user: Option<&UserId>,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Vec<AuditRecord>>;

    /// Logs whose history may be erasable since `now` or before, and since when: as they were scheduled together.
    fn due_erasures(&self, now: Millis, limit: usize) -> Result<Vec<(Millis, Vec<LogId>)>>;
    /// An app's logs whose oldest entry, as far as it is noted, is from before `before`; the oldest first.
    fn logs_from_before(&self, app: SdkAppId, before: Millis, limit: usize) -> Result<Vec<LogId>>;
    /// The first entry at or after `seq`.
    fn mark(&self, log: LogId, seq: Seq) -> Result<Option<Mark>>;
    /// The newest message, be it erased.
    fn newest_message(&self, log: LogId) -> Result<Option<Mark>>;
    /// Every account's view of a log.
    fn views_of_log(&self, log: LogId) -> Result<Vec<(AccountKey, View)>>;
    fn app_of_log(&self, log: LogId) -> Result<SdkAppId>;
}

/// Reading and writing, by the single writer.
pub trait WriteTx: ReadTx {
    fn put_app(&mut self, app: &App) -> Result<()>;
    /// Notes which app is the demo's own.
    fn put_demo_app(&mut self, app: SdkAppId) -> Result<()>;
    fn put_operator(&mut self, operator: &Operator) -> Result<()>;
    fn remove_operator(&mut self, name: &OperatorName) -> Result<()>;

    fn put_console_session(&mut self, session: &ConsoleSession) -> Result<()>;
    fn remove_console_session(&mut self, token_hash: &[u8]) -> Result<()>;
    /// Ends an operator's sessions, the newest `keep` of them left out.
    fn keep_newest_console_sessions(&mut self, operator: &OperatorName, keep: usize) -> Result<()>;
    /// Ends an operator's sessions but the one named.
    fn remove_other_console_sessions(
        &mut self,
        operator: &OperatorName,
        except: Option<&[u8]>,
    ) -> Result<()>;
    /// Forgets sessions last seen before `seen` or begun before `signed_in`, `limit` at most.
    fn expire_console_sessions(
        &mut self,
        seen: Millis,
        signed_in: Millis,
        limit: usize,
    ) -> Result<usize>;

    fn create_account(&mut self, app: SdkAppId, user: &UserId, now: Millis) -> Result<Account>;
    /// The account's next version.
    fn bump_version(&mut self, account: AccountKey) -> Result<Version>;

    fn put_view(&mut self, account: AccountKey, view: &View) -> Result<()>;

    fn create_log(&mut self, app: SdkAppId, kind: &LogKind) -> Result<LogId>;
    /// Appends at the log's end and gives the entry its place.
    fn append(&mut self, log: LogId, entry: &NewEntry) -> Result<Entry>;
    /// Marks an entry revoked and drops its payload.
    fn revoke(&mut self, log: LogId, seq: Seq) -> Result<()>;
    /// Physically removes entries at or below `upto`, `limit` at most; returns how many.
    fn erase(&mut self, log: LogId, upto: Seq, limit: usize) -> Result<usize>;

    /// Notes the time of the log's oldest entry; none: it has none. An entry appended to a log without one does so
    /// too.
    fn put_oldest_time(&mut self, log: LogId, time: Option<Millis>) -> Result<()>;

    /// Has logs looked at again at `due_at`, whenever else they will be.
    fn schedule_erasure(&mut self, logs: &[LogId], due_at: Millis) -> Result<()>;
    /// They were looked at as was scheduled for `due_at`.
    fn unschedule_erasure(&mut self, logs: &[LogId], due_at: Millis) -> Result<()>;

    fn put_group(&mut self, app: SdkAppId, group: &Group) -> Result<()>;
    fn add_member(
        &mut self,
        group: LogId,
        account: AccountKey,
        role: Role,
        now: Millis,
    ) -> Result<()>;
    fn remove_member(&mut self, group: LogId, account: AccountKey) -> Result<()>;

    fn add_friend(&mut self, account: AccountKey, friend: AccountKey, now: Millis) -> Result<()>;
    fn remove_friend(&mut self, account: AccountKey, friend: AccountKey) -> Result<()>;

    fn put_device(&mut self, account: AccountKey, device: &DeviceRow) -> Result<()>;
    /// Notes when the device logged in; returns whether it is known.
    fn note_login(&mut self, account: AccountKey, device: &DeviceId, time: Millis) -> Result<bool>;
    /// Forgets the account's devices but those that logged in last, `keep` of them.
    fn keep_newest_devices(&mut self, account: AccountKey, keep: usize) -> Result<()>;
    fn acknowledge(
        &mut self,
        account: AccountKey,
        device: &DeviceId,
        version: Version,
    ) -> Result<()>;

    fn put_request(
        &mut self,
        account: AccountKey,
        device: &str,
        id: &RequestId,
        record: &RequestRecord,
    ) -> Result<()>;
    /// Forgets requests made before `before`, `limit` at most.
    fn expire_requests(&mut self, before: Millis, limit: usize) -> Result<usize>;

    /// Forgets devices that have not logged in since `before`, `limit` at most.
    fn expire_devices(&mut self, before: Millis, limit: usize) -> Result<usize>;

    /// Writes something that nothing reads: whether the store can commit.
    fn probe(&mut self, now: Millis) -> Result<()>;

    /// Of anything but a deletion.
    fn add_audit(&mut self, record: &NewAuditRecord) -> Result<()>;
    /// The record of a deletion, the account's newest, with which its version becomes (or stays) `version`.
    fn add_deletion(
        &mut self,
        account: AccountKey,
        version: Version,
        record: &NewAuditRecord,
    ) -> Result<()>;
}
