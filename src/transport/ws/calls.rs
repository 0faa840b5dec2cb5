//! The methods of a device that has logged in: one line each, from the call to the engine.

use std::sync::Arc;
use std::time::Instant;

use super::session::{Device, Turn, refused, replied};
use crate::engine::EngineError;
use crate::protocol::answer;
use crate::protocol::code::Code;
use crate::protocol::jsonrpc::Id;
use crate::protocol::method::Call;
use crate::transport::metrics::Outcome;

type Result<T> = std::result::Result<T, EngineError>;

/// Does what is asked and answers it.
pub(super) async fn answer(device: Arc<Device>, id: Id, method: &'static str, call: Call) -> Turn {
    let context = &device.context;
    let (engine, actor) = (&context.engine, &device.actor());
    let changes = |began: Instant| {
        context
            .metrics
            .commit
            .observe(began.elapsed().as_secs_f64());
    };
    /// Answers a call that reads.
    macro_rules! reads {
        ($result:expr) => {
            replied(context, &id, method, $result)
        };
    }
    /// Answers a call that changes something, and times its commit.
    macro_rules! changes {
        ($result:expr) => {{
            let began = Instant::now();
            let result = $result;
            if result.is_ok() {
                changes(began);
            }
            replied(context, &id, method, result)
        }};
    }
    let frame = match call {
        Call::ConversationList(_) => reads!(device.sync(None).await),
        Call::ConversationSync(call) => reads!(device.sync(call.cursor.as_deref()).await),
        Call::ConversationGet(call) => reads!(engine.conversation(actor, call).await),
        Call::ConversationDelete(call) => changes!({
            let result = engine.delete(actor, call).await;
            device.count_deletion(&result);
            result
        }),
        Call::ConversationRestore(call) => changes!(engine.restore(actor, call).await),
        Call::ConversationClearHistory(call) => changes!(engine.clear_history(actor, call).await),
        Call::ConversationRead(call) => changes!(engine.read(actor, call).await),
        Call::ConversationPin(call) => changes!(engine.pin(actor, call).await),
        Call::MessageSend(call) => changes!(engine.send(actor, call).await),
        Call::MessageList(call) => reads!(engine.messages(actor, call).await),
        Call::MessageRevoke(call) => changes!(engine.revoke(actor, call).await),
        Call::GroupCreate(call) => changes!(engine.create_group(actor, call).await),
        Call::GroupJoin(call) => changes!(engine.join_group(actor, call).await),
        Call::GroupQuit(call) => changes!(engine.quit_group(actor, call).await),
        Call::GroupDismiss(call) => changes!(engine.dismiss_group(actor, call).await),
        Call::GroupAddMember(call) => changes!(engine.add_members(actor, call).await),
        Call::GroupDeleteMember(call) => changes!(engine.remove_members(actor, call).await),
        Call::GroupList(_) => reads!(engine.groups(actor).await),
        Call::GroupMemberList(call) => reads!(engine.members(actor, call).await),
        Call::FriendAdd(call) => changes!(engine.add_friend(actor, call).await),
        Call::FriendDelete(call) => changes!(engine.delete_friends(actor, call).await),
        Call::FriendList(_) => reads!(engine.friends(actor).await),
        Call::DeviceList(_) => reads!(device.devices().await),
        Call::DeviceLogout(call) => changes!(engine.log_out_device(actor, call).await),
        // Answered without coming here.
        Call::Login(_) | Call::Logout(_) | Call::Ping(_) => {
            refused(context, Some(&id), method, &Code::INTERNAL.into())
        }
    };
    Turn::stay(frame)
}

impl Device {
    /// What changed since `cursor`, or everything; notes what the client will have been told by it.
    async fn sync(&self, cursor: Option<&str>) -> Result<answer::Sync> {
        self.claim().sync_begins();
        let sync = self
            .context
            .engine
            .sync(self.registration.account(), self.registration.app(), cursor)
            .await?;
        self.registration.observe_head(sync.version);
        self.claim().sync_ends(sync.version, sync.is_completed);
        if sync.is_completed {
            self.context.metrics.synced(cursor.is_some(), sync.reset);
        }
        Ok(sync)
    }

    /// The account's devices; the hub knows which of them are connected.
    async fn devices(&self) -> Result<answer::DeviceList> {
        let mut devices = self.context.engine.devices(&self.actor()).await?;
        for device in &mut devices.device_list {
            device.is_online = self
                .context
                .hub
                .is_online(self.registration.account(), &device.device_id);
        }
        Ok(devices)
    }

    fn count_deletion(&self, result: &Result<answer::Deletion>) {
        let outcome = match result {
            Ok(deletion) if deletion.results.iter().any(|result| result.code == 0) => Outcome::OK,
            Ok(_) | Err(EngineError::Denied(_)) => Outcome::REFUSED,
            Err(EngineError::Store(_)) => Outcome::FAILED,
        };
        self.context.metrics.deletions.get_or_create(&outcome).inc();
    }
}
