//! Send, list, revoke.

use serde_json::json;
use serde_json::value::{RawValue, to_raw_value};

use super::operation::{Operation, Request};
use super::sync::horizon;
use super::{Actor, Denied, Engine, Result, present};
use crate::bus::Audience;
use crate::domain::message::{
    Entry, MAX_PAYLOAD, MessageId, NewEntry, REVOKE, SENDABLE_TYPES, readable,
};
use crate::domain::{ConversationId, GroupId, LogId, UserId, View};
use crate::protocol::push::{MessageRevoked, Push};
use crate::protocol::{answer, method};
use crate::store::StoreError;
use crate::store::rows::LogKind;

/// Page of a message list where the client names none (the Web SDK's).
const PAGE: u32 = 15;
const MAX_PAGE: u32 = 100;

/// Who sees what is appended to a conversation, and under which name.
struct Room {
    log: LogId,
    /// The actor's own view.
    view: View,
    readers: Vec<(Audience, ConversationId)>,
}

impl Engine {
    /// Sends a message. It counts as read up to itself for its sender.
    pub async fn send(&self, actor: &Actor, call: method::Send) -> Result<answer::Sent> {
        let request = Request::of("message.send", call.request_id.as_ref(), &call)?;
        check_body(&call.r#type, &call.payload)?;
        self.perform(actor, request, move |operation| {
            check_relationship(operation, &call.conversation_id)?;
            let mut room = enter(operation, &call.conversation_id)?;
            let entry = NewEntry {
                sender: Some(operation.sender()),
                time: operation.now,
                kind: call.r#type,
                payload: call.payload,
                is_control: false,
            };
            let entry = operation.append(room.log, &entry)?;
            room.view.read(entry.seq, entry.message_count);
            operation.tx.put_view(operation.actor.account, &room.view)?;
            for (to, conversation) in room.readers {
                let push = present::received(&entry, room.log, &conversation);
                operation.tell_others(to, push);
            }
            Ok(answer::Sent {
                message: present::message(&entry, room.log, &call.conversation_id),
            })
        })
        .await
    }

    /// A page of history, oldest first, never below the history floor.
    pub async fn messages(
        &self,
        actor: &Actor,
        call: method::MessageList,
    ) -> Result<answer::MessageList> {
        let count = call.count.unwrap_or(PAGE);
        if !(1..=MAX_PAGE).contains(&count) {
            return Err(Denied::invalid("count", format!("must be 1 to {MAX_PAGE}")).into());
        }
        let before: Option<MessageId> = match call.next_req_message_id.as_deref() {
            None | Some("") => None,
            Some(id) => Some(
                id.parse()
                    .map_err(|_| Denied::invalid("nextReqMessageID", "is no message's ID"))?,
            ),
        };
        let (app, account, now) = (actor.app, actor.account, self.now());
        self.query(move |tx| {
            let horizon = horizon(tx, app, now)?;
            let view = tx
                .view(account, &call.conversation_id)?
                .ok_or(Denied::NoSuchConversation)?;
            let end = view.head(tx.head(view.log)?).last_seq.next();
            let before = before.map_or(end, |id| id.seq.min(end));
            // One more than asked for, to know whether there is one more.
            let mut entries = tx.entries(
                view.log,
                view.floors.history_floor,
                before,
                count as usize + 1,
            )?;
            // Whoever reads backwards comes to the beginning at the first that has expired.
            let kept = entries.iter().position(|entry| horizon.is_past(entry.time));
            entries.truncate(kept.unwrap_or(entries.len()));
            let is_completed = entries.len() <= count as usize;
            entries.truncate(count as usize);
            entries.reverse();
            let next = match entries.first() {
                Some(oldest) if !is_completed => MessageId {
                    log: view.log,
                    seq: oldest.seq,
                }
                .to_string(),
                _ => String::new(),
            };
            Ok(answer::MessageList {
                message_list: entries
                    .iter()
                    .map(|entry| present::message(entry, view.log, &view.conversation))
                    .collect(),
                next_req_message_id: next,
                is_completed,
            })
        })
        .await
    }

    /// Revokes a message for everyone: its own, within the app's window; or any of a group's, for its admins.
    pub async fn revoke(&self, actor: &Actor, call: method::Revoke) -> Result<answer::Revoked> {
        let request = Request::of("message.revoke", call.request_id.as_ref(), &call)?;
        let id: MessageId = call.id.parse().map_err(|_| Denied::NoSuchMessage)?;
        self.perform(actor, request, move |operation| {
            revoke(operation, &call, id)
        })
        .await
    }
}

fn check_body(kind: &str, payload: &RawValue) -> Result<()> {
    if !SENDABLE_TYPES.contains(&kind) {
        return Err(Denied::BadMessage("type: not one a client may send").into());
    }
    if payload.get().len() > MAX_PAYLOAD {
        return Err(Denied::MessageTooLong(MAX_PAYLOAD).into());
    }
    if !payload.get().starts_with('{') {
        return Err(Denied::BadMessage("payload: must be an object").into());
    }
    let Some(content) = readable(payload) else {
        return Err(Denied::BadMessage("payload: not every reader of JSON could read it").into());
    };
    if kind == "TIMTextElem" && !content["text"].is_string() {
        Err(Denied::BadMessage("payload.text: must be a string").into())
    } else {
        Ok(())
    }
}

/// Where the app asks for it, only friends write to each other.
fn check_relationship(operation: &mut Operation<'_>, conversation: &ConversationId) -> Result<()> {
    let ConversationId::C2c(user) = conversation else {
        return Ok(());
    };
    if !operation.features()?.relationship_check {
        return Ok(());
    }
    let own = operation.actor.account;
    let peer = operation.account(user)?.key;
    if operation.tx.are_friends(own, peer)? && operation.tx.are_friends(peer, own)? {
        Ok(())
    } else {
        Err(Denied::NotFriends.into())
    }
}

/// Checks that the actor may write to a conversation, and makes what is missing of it.
fn enter(operation: &mut Operation<'_>, conversation: &ConversationId) -> Result<Room> {
    match conversation {
        ConversationId::System => Err(Denied::NotWritable.into()),
        ConversationId::C2c(user) => enter_pair(operation, user),
        ConversationId::Group(id) => enter_group(operation, id),
    }
}

fn enter_pair(operation: &mut Operation<'_>, user: &UserId) -> Result<Room> {
    let own = operation.actor.account;
    let peer = operation.account(user)?.key;
    let log = operation.log(&LogKind::Pair(own, peer))?;
    let view = operation.view_or_new(own, ConversationId::C2c(user.clone()), log)?;
    let mut readers = vec![(Audience::Account(own), view.conversation.clone())];
    if peer != own {
        let theirs = ConversationId::C2c(operation.actor.user.clone());
        operation.view_or_new(peer, theirs.clone(), log)?;
        readers.push((Audience::Account(peer), theirs));
    }
    Ok(Room { log, view, readers })
}

fn enter_group(operation: &mut Operation<'_>, id: &GroupId) -> Result<Room> {
    let group = operation
        .tx
        .group(operation.actor.app, id)?
        .ok_or(Denied::GroupGone)?;
    if group.dismissed {
        return Err(Denied::GroupGone.into());
    }
    operation
        .tx
        .member(group.log, operation.actor.account)?
        .ok_or(Denied::NoPermission)?;
    let conversation = ConversationId::Group(id.clone());
    let view = operation.view(&conversation)?;
    let members = operation.tx.member_keys(group.log)?;
    Ok(Room {
        log: group.log,
        view,
        readers: vec![(Audience::Accounts(members.into()), conversation)],
    })
}

fn revoke(
    operation: &mut Operation<'_>,
    call: &method::Revoke,
    id: MessageId,
) -> Result<answer::Revoked> {
    let own = operation.view(&call.conversation_id)?;
    if own.log != id.log || id.seq <= own.floors.history_floor {
        return Err(Denied::NoSuchMessage.into());
    }
    let horizon = operation.horizon()?;
    let message = operation
        .tx
        .entry(id.log, id.seq)?
        .filter(|entry| !entry.is_control && !entry.is_revoked && !horizon.is_past(entry.time))
        .ok_or(Denied::NoSuchMessage)?;
    if !may_revoke(operation, call, &message)? {
        return Err(Denied::NoPermission.into());
    }
    if operation.now - message.time > operation.features()?.revoke_window {
        return Err(Denied::WindowPassed.into());
    }
    let room = enter(operation, &call.conversation_id)?;
    operation.tx.revoke(id.log, id.seq)?;
    let payload = to_raw_value(&json!({ "revokedSeq": id.seq }))
        .map_err(|error| StoreError::Unexpected(error.to_string()))?;
    let control = NewEntry {
        sender: Some(operation.sender()),
        time: operation.now,
        kind: REVOKE.to_owned(),
        payload,
        is_control: true,
    };
    let Entry { seq, .. } = operation.append(id.log, &control)?;
    for (to, conversation_id) in room.readers {
        let push = Push::MessageRevoked(MessageRevoked {
            conversation_id,
            seq,
            id: id.to_string(),
            revoked_seq: id.seq,
            revoker: operation.actor.user.to_string(),
            time: operation.now,
        });
        operation.tell_others(to, push);
    }
    Ok(answer::Revoked {
        id: id.to_string(),
        conversation_id: call.conversation_id.clone(),
        seq,
        revoked_seq: id.seq,
    })
}

fn may_revoke(operation: &Operation<'_>, call: &method::Revoke, message: &Entry) -> Result<bool> {
    if message
        .sender
        .as_ref()
        .is_some_and(|sender| sender.key == operation.actor.account)
    {
        return Ok(true);
    }
    let ConversationId::Group(_) = call.conversation_id else {
        return Ok(false);
    };
    let log = operation.view(&call.conversation_id)?.log;
    let member = operation.tx.member(log, operation.actor.account)?;
    Ok(member.is_some_and(|member| member.role.may_revoke_others()))
}
