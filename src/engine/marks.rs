//! Read marks and pins.

use super::operation::Request;
use super::{Actor, Denied, Engine, Result};
use crate::domain::deletion::reach;
use crate::protocol::{answer, method};

/// Most pinned conversations of an account (Tencent: 50, code 51012).
const MAX_PINS: usize = 50;

impl Engine {
    /// Marks a conversation as read up to what the client knew of. Never lists a deleted one.
    pub async fn read(&self, actor: &Actor, call: method::UpTo) -> Result<answer::Changed> {
        let request = Request::of("conversation.read", call.request_id.as_ref(), &call)?;
        self.perform_decided(actor, request, move |operation| {
            let (mut view, log) = operation.view_and_head(&call.conversation_id)?;
            let upto = reach(call.up_to, view.head(log));
            let read_count = operation.read_count(&view, log, upto)?;
            view.read(upto, read_count);
            let reached = view.read_upto;
            let updated = operation.update_views(operation.actor.account, &mut [view])?;
            Ok(answer::Changed {
                conversation_id: call.conversation_id,
                version: updated.version,
                up_to: Some(reached),
                conversation_list: updated.conversation_list,
            })
        })
        .await
    }

    /// Pins or unpins a listed conversation.
    pub async fn pin(&self, actor: &Actor, call: method::Pin) -> Result<answer::Changed> {
        let request = Request::of("conversation.pin", call.request_id.as_ref(), &call)?;
        self.perform(actor, request, move |operation| {
            let mut view = operation.view(&call.conversation_id)?;
            // A pin would otherwise wait on a deleted conversation until a message brings it back.
            if !view.is_listed(operation.tx.head(view.log)?) {
                return Err(Denied::NoSuchConversation.into());
            }
            let account = operation.actor.account;
            if call.is_pinned && !view.is_pinned && operation.tx.pinned_count(account)? >= MAX_PINS
            {
                return Err(Denied::TooManyPins(MAX_PINS).into());
            }
            view.is_pinned = call.is_pinned;
            let updated = operation.update_views(account, &mut [view])?;
            Ok(answer::Changed {
                conversation_id: call.conversation_id,
                version: updated.version,
                up_to: None,
                conversation_list: updated.conversation_list,
            })
        })
        .await
    }
}
