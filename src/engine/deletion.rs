//! Delete, restore, clear history.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::expiry::is_newest_kept;
use super::operation::{Operation, Request, Updated};
use super::{Actor, Denied, Engine, Result};
use crate::bus::Audience;
use crate::domain::deletion::{self, Deletion, MAX_CONVERSATIONS};
use crate::domain::{ConversationId, LogHead, Version, View};
use crate::protocol::code::Code;
use crate::protocol::push::{ConversationDeleted, DeletedConversation, Origin, Push};
use crate::protocol::{answer, method};

/// What the audit log holds of a deletion, besides who, when and whose. At most [`MAX_CONVERSATIONS`] long.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DeletionDetail {
    pub(super) conversation_list: Vec<DeletedConversation>,
    pub(super) clear_history_message: bool,
    /// The switch, as it stood in the deletion's own transaction.
    pub(super) synced: bool,
    /// The account's version after it; if it was not synced, also before it.
    pub(super) version: Version,
    /// None: it was done by the app's back end, or an operator.
    pub(super) origin: Option<Origin>,
}

impl Engine {
    /// Deletes conversations: one transaction, one version, one push to the account's other devices.
    ///
    /// The switch is read within that transaction. While it is off the same state results, but no device is
    /// told and the version stays. If no conversation could be deleted nothing is changed at all.
    pub async fn delete(&self, actor: &Actor, call: method::Delete) -> Result<answer::Deletion> {
        let request = Request::of("conversation.delete", call.request_id.as_ref(), &call)?;
        let ids = distinct(&call.conversation_id_list)?;
        self.perform_decided(actor, request, move |operation| {
            delete(operation, &call, ids)
        })
        .await
    }

    /// Undoes deletions within the app's undo window. Always synced.
    pub async fn restore(&self, actor: &Actor, call: method::Restore) -> Result<answer::Deletion> {
        let request = Request::of("conversation.restore", call.request_id.as_ref(), &call)?;
        let ids = distinct(&call.conversation_id_list)?;
        self.perform_decided(actor, request, move |operation| {
            restore(operation, ids, |_| true)
        })
        .await
    }

    /// Clears the history of a conversation, which stays listed.
    pub async fn clear_history(
        &self,
        actor: &Actor,
        call: method::UpTo,
    ) -> Result<answer::Changed> {
        let request = Request::of("conversation.clearHistory", call.request_id.as_ref(), &call)?;
        self.perform_decided(actor, request, move |operation| {
            let (mut view, log) = operation.view_and_head(&call.conversation_id)?;
            let upto = deletion::reach(call.up_to, view.head(log));
            let read_count = operation.read_count(&view, log, upto)?;
            deletion::clear_history(&mut view, upto, read_count);
            let due_at = operation.now + operation.features()?.undo_window + 1;
            operation.tx.schedule_erasure(&[view.log], due_at)?;
            let updated = operation.update_views(operation.actor.account, &mut [view])?;
            Ok(answer::Changed {
                conversation_id: call.conversation_id,
                version: updated.version,
                up_to: Some(upto),
                conversation_list: updated.conversation_list,
            })
        })
        .await
    }
}

/// The IDs in the order of the call, each once; 1 to 100 of them.
fn distinct(ids: &[String]) -> Result<Vec<String>> {
    let mut seen = HashSet::new();
    let ids: Vec<_> = ids
        .iter()
        .filter(|id| seen.insert(id.as_str()))
        .cloned()
        .collect();
    if (1..=MAX_CONVERSATIONS).contains(&ids.len()) {
        Ok(ids)
    } else {
        let reason = format!(
            "must name 1 to {MAX_CONVERSATIONS} conversations, names {}",
            ids.len()
        );
        Err(Denied::invalid("conversationIDList", reason).into())
    }
}

/// Looks a view up by an ID from outside; the error is the code of its result.
fn find(operation: &Operation<'_>, id: &str) -> Result<std::result::Result<(View, LogHead), Code>> {
    let Ok(conversation) = id.parse::<ConversationId>() else {
        return Ok(Err(Code::INVALID_CONVERSATION_ID));
    };
    let account = operation.actor.account;
    let found = operation.tx.view_and_head(account, &conversation)?;
    Ok(found.ok_or(Code::CONVERSATION_NOT_FOUND))
}

fn failed(id: String, code: Code) -> answer::DeletionResult {
    answer::DeletionResult {
        conversation_id: id,
        code: code.number,
        up_to: None,
    }
}

fn delete(
    operation: &mut Operation<'_>,
    call: &method::Delete,
    ids: Vec<String>,
) -> Result<answer::Deletion> {
    let account = operation.actor.account;
    let features = operation.features()?;
    let synced = features.sync_conversation_deletion;
    let rule = Deletion {
        clear_history: call.clear_history_message,
        synced,
        now: operation.now,
        undo_window: features.undo_window,
    };

    let mut results = Vec::with_capacity(ids.len());
    let mut deleted = Vec::with_capacity(ids.len());
    for id in ids {
        match find(operation, &id)? {
            Err(code) => results.push(failed(id, code)),
            Ok((mut view, log)) => {
                let upto = deletion::reach(call.up_to.get(&id).copied(), view.head(log));
                let read_count = operation.read_count(&view, log, upto)?;
                rule.apply(&mut view, log, upto, read_count);
                results.push(answer::DeletionResult {
                    conversation_id: id,
                    code: 0,
                    up_to: Some(upto),
                });
                deleted.push((view, upto));
            }
        }
    }

    let mut version = operation.tx.version(account)?;
    if synced && !deleted.is_empty() {
        version = version.next();
    }
    if deleted.is_empty() {
        return Ok(answer::Deletion {
            version,
            synced,
            results,
            conversation_list: Vec::new(),
        });
    }

    let mut logs = Vec::with_capacity(deleted.len());
    let mut conversation_list = Vec::with_capacity(deleted.len());
    for (mut view, up_to) in deleted {
        if synced {
            view.version = version;
        }
        operation.tx.put_view(account, &view)?;
        logs.push(view.log);
        conversation_list.push(DeletedConversation {
            conversation_id: view.conversation,
            up_to,
        });
    }
    if call.clear_history_message {
        let due_at = operation.now + features.undo_window + 1;
        operation.tx.schedule_erasure(&logs, due_at)?;
    }
    let origin = operation.origin();
    let detail = DeletionDetail {
        conversation_list: conversation_list.clone(),
        clear_history_message: call.clear_history_message,
        synced,
        version,
        origin: origin.clone(),
    };
    let record = operation.record(
        "conversation.delete",
        operation.actor.user.as_str(),
        &detail,
    )?;
    operation.tx.add_deletion(account, version, &record)?;
    if synced {
        let push = Push::ConversationDeleted(ConversationDeleted {
            version,
            conversation_list,
            history_cleared: call.clear_history_message,
            origin,
            time: operation.now,
        });
        operation.tell_others(Audience::Account(account), push);
    }
    Ok(answer::Deletion {
        version,
        synced,
        results,
        conversation_list: Vec::new(),
    })
}

/// Restores those of the conversations whose newest deletion `is_meant`.
pub(super) fn restore(
    operation: &mut Operation<'_>,
    ids: Vec<String>,
    is_meant: impl Fn(&View) -> bool,
) -> Result<answer::Deletion> {
    let account = operation.actor.account;
    let window = operation.features()?.undo_window;
    let horizon = operation.horizon()?;
    let mut results = Vec::with_capacity(ids.len());
    let mut restored = Vec::with_capacity(ids.len());
    for id in ids {
        match find(operation, &id)? {
            Err(code) => results.push(failed(id, code)),
            Ok((mut view, log)) => {
                let kept = is_newest_kept(&*operation.tx, &view, log, horizon)?;
                if !is_meant(&view)
                    || deletion::restore(&mut view, log, kept, operation.now, window).is_err()
                {
                    results.push(failed(id, Code::WINDOW_PASSED));
                } else {
                    let up_to = Some(view.floors.hidden_upto);
                    results.push(answer::DeletionResult {
                        conversation_id: id,
                        code: 0,
                        up_to,
                    });
                    restored.push(view);
                }
            }
        }
    }
    let Updated {
        version,
        conversation_list,
    } = if restored.is_empty() {
        let version = operation.tx.version(account)?;
        Updated {
            version,
            conversation_list: Vec::new(),
        }
    } else {
        let names: Vec<_> = restored
            .iter()
            .map(|view| view.conversation.to_string())
            .collect();
        let updated = operation.update_views(account, &mut restored)?;
        operation.audit(
            "conversation.restore",
            operation.actor.user.clone().as_str(),
            &json!({
                "conversationIDList": names,
                "version": updated.version,
                "origin": operation.origin(),
            }),
        )?;
        updated
    };
    Ok(answer::Deletion {
        version,
        synced: true,
        results,
        conversation_list,
    })
}
