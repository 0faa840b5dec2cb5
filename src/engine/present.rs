//! How views and entries look to a client.

use super::Result;
use crate::domain::message::{Entry, MessageId};
use crate::domain::retention::Horizon;
use crate::domain::view::Leaving;
use crate::domain::{ConversationId, Listing, LogHead, LogId, Membership, SdkAppId, View};
use crate::protocol::conversation::{
    Conversation, ConversationEntry, GroupProfile, MembershipState, Message, Tombstone, True,
    Unlisted, UserProfile,
};
use crate::protocol::push::{MessageReceived, Push};
use crate::store::ReadTx;

/// A conversation as a device that lists what changed must be told of it.
pub(super) fn entry(
    tx: &dyn ReadTx,
    app: SdkAppId,
    view: &View,
    horizon: Horizon,
) -> Result<ConversationEntry> {
    let head = tx.head(view.log)?;
    Ok(match view.listing(head) {
        Listing::Listed => {
            ConversationEntry::Listed(Box::new(conversation(tx, app, view, head, horizon)?))
        }
        Listing::Deleted => ConversationEntry::Deleted(Tombstone {
            conversation_id: view.conversation.clone(),
            r#type: view.conversation.kind().to_owned(),
            deleted: True,
            up_to: view.told.hidden_upto,
            history_cleared: view.told.history_floor >= view.told.hidden_upto,
            history_floor: view.told.history_floor,
            last_seq: view.head(head).last_seq,
            read_up_to: view.read_upto,
            membership: membership(&view.membership),
            group_profile: group_profile(tx, app, &view.conversation)?,
        }),
        Listing::Unlisted => ConversationEntry::Unlisted(Unlisted {
            conversation_id: view.conversation.clone(),
            r#type: view.conversation.kind().to_owned(),
            unlisted: True,
            is_pinned: view.is_pinned,
            last_seq: view.head(head).last_seq,
            read_up_to: view.read_upto,
            membership: membership(&view.membership),
            group_profile: group_profile(tx, app, &view.conversation)?,
        }),
    })
}

/// A listed conversation.
pub(super) fn conversation(
    tx: &dyn ReadTx,
    app: SdkAppId,
    view: &View,
    log: LogHead,
    horizon: Horizon,
) -> Result<Conversation> {
    let head = view.head(log);
    let last_message = if head.last_message_seq > view.floors.history_floor {
        tx.entry(view.log, head.last_message_seq)?
            .filter(|entry| !horizon.is_past(entry.time))
    } else {
        None
    };
    Ok(Conversation {
        conversation_id: view.conversation.clone(),
        r#type: view.conversation.kind().to_owned(),
        unread_count: view.unread_count(log),
        is_pinned: view.is_pinned,
        last_message: last_message.map(|entry| message(&entry, view.log, &view.conversation)),
        last_seq: head.last_seq,
        last_message_seq: head.last_message_seq,
        read_up_to: view.read_upto,
        hidden_up_to: view.told.hidden_upto,
        history_floor: view.told.history_floor,
        membership: membership(&view.membership),
        group_profile: group_profile(tx, app, &view.conversation)?,
        user_profile: match &view.conversation {
            ConversationId::C2c(user_id) => Some(UserProfile {
                user_id: user_id.clone(),
            }),
            _ => None,
        },
    })
}

fn group_profile(
    tx: &dyn ReadTx,
    app: SdkAppId,
    conversation: &ConversationId,
) -> Result<Option<GroupProfile>> {
    let ConversationId::Group(id) = conversation else {
        return Ok(None);
    };
    Ok(tx.group(app, id)?.map(|group| profile(&group)))
}

pub(super) fn profile(group: &crate::domain::group::Group) -> GroupProfile {
    GroupProfile {
        group_id: group.id.clone(),
        name: group.name.clone(),
        r#type: group.group_type,
    }
}

pub(super) fn membership(membership: &Membership) -> MembershipState {
    match membership {
        Membership::Active => MembershipState::Active,
        Membership::Left {
            how: Leaving::Quit, ..
        } => MembershipState::Quit,
        Membership::Left {
            how: Leaving::Kicked,
            ..
        } => MembershipState::Kicked,
        Membership::Left {
            how: Leaving::Dissolved,
            ..
        } => MembershipState::Dissolved,
    }
}

/// A new entry, for a reader who names the conversation so.
pub(super) fn received(entry: &Entry, log: LogId, conversation: &ConversationId) -> Push {
    let message = message(entry, log, conversation);
    Push::MessageReceived(MessageReceived { message })
}

/// An entry, in a conversation as its reader names it.
pub(super) fn message(entry: &Entry, log: LogId, conversation: &ConversationId) -> Message {
    Message {
        id: MessageId {
            log,
            seq: entry.seq,
        }
        .to_string(),
        conversation_id: conversation.clone(),
        seq: entry.seq,
        from: entry
            .sender
            .as_ref()
            .map(|sender| sender.user.to_string())
            .unwrap_or_default(),
        time: entry.time,
        r#type: entry.kind.clone(),
        payload: entry.payload.clone(),
        is_revoked: entry.is_revoked,
        is_control: entry.is_control,
    }
}
