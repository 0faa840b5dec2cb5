//! Tips in a group's log, notices in an account's `@TIM#SYSTEM`.

use serde_json::json;
use serde_json::value::to_raw_value;

use super::super::operation::Operation;
use super::super::{Result, present};
use super::conversation;
use crate::bus::Audience;
use crate::domain::group::Group;
use crate::domain::message::{Entry, GROUP_TIP, NewEntry, SYSTEM_NOTICE};
use crate::domain::{AccountKey, ConversationId, UserId};
use crate::store::StoreError;
use crate::store::rows::LogKind;

/// The Web SDK's `TYPES.GRP_TIP_MBR_*` values.
#[derive(Clone, Copy)]
pub(super) enum Tip {
    Join = 1,
    Quit = 2,
    Kicked = 3,
    /// Not one of theirs, which tell of a dissolution by notice alone: here it takes a seq like any other.
    Dissolved = 12,
}

/// The Web SDK's `operationType` values of group system notices.
#[derive(Clone, Copy)]
pub(super) enum SystemNotice {
    Kicked = 4,
    Dissolved = 5,
    Invited = 7,
}

impl Operation<'_> {
    /// Appends a tip and tells the group's members of it.
    pub(super) fn tip(&mut self, group: &Group, tip: Tip, users: &[UserId]) -> Result<()> {
        let entry = self.group_entry(group, GROUP_TIP, true, tip as u8, users, None)?;
        let entry = self.append(group.log, &entry)?;
        let members = self.tx.member_keys(group.log)?;
        let push = present::received(&entry, group.log, &conversation(group));
        self.tell_all(Audience::Accounts(members.into()), push);
        Ok(())
    }

    /// Puts a notice into an account's `@TIM#SYSTEM`.
    pub(super) fn notice(
        &mut self,
        account: AccountKey,
        group: &Group,
        notice: SystemNotice,
        reason: Option<&str>,
    ) -> Result<()> {
        let log = self.log(&LogKind::System(account))?;
        self.view_or_new(account, ConversationId::System, log)?;
        let entry = self.group_entry(group, SYSTEM_NOTICE, false, notice as u8, &[], reason)?;
        let entry: Entry = self.append(log, &entry)?;
        let push = present::received(&entry, log, &ConversationId::System);
        self.tell_all(Audience::Account(account), push);
        Ok(())
    }

    fn group_entry(
        &self,
        group: &Group,
        kind: &str,
        is_control: bool,
        operation_type: u8,
        users: &[UserId],
        reason: Option<&str>,
    ) -> Result<NewEntry> {
        let payload = to_raw_value(&json!({
            "operationType": operation_type,
            "operatorID": self.actor.user,
            "userIDList": users,
            "groupProfile": present::profile(group),
            "reason": reason.unwrap_or_default(),
        }))
        .map_err(|error| StoreError::Unexpected(error.to_string()))?;
        Ok(NewEntry {
            sender: None,
            time: self.now,
            kind: kind.to_owned(),
            payload,
            is_control,
        })
    }
}
