//! Ceasing to be a member. The conversation stays listed, its history readable up to here (design section 3).

use super::super::operation::{Operation, Request, Updated};
use super::super::{Actor, Denied, Engine, Result};
use super::tips::{SystemNotice, Tip};
use super::{check_users, conversation, membership, outcome, standing};
use crate::domain::group::{Group, MAX_REASON};
use crate::domain::view::Leaving;
use crate::domain::{AccountKey, Membership};
use crate::protocol::{answer, method};

impl Engine {
    /// Leaves a group. Its owner can't: a group must keep one.
    pub async fn quit_group(&self, actor: &Actor, call: method::OneGroup) -> Result<answer::Group> {
        let request = Request::of("group.quit", call.request_id.as_ref(), &call)?;
        self.perform(actor, request, move |operation| {
            let group = standing(&*operation.tx, operation.actor.app, &call.group_id)?;
            let (account, user) = (operation.actor.account, operation.actor.user.clone());
            if !membership(&*operation.tx, &group, account)?.role.may_quit() {
                return Err(Denied::NoPermission.into());
            }
            operation.tip(&group, Tip::Quit, &[user])?;
            let own_update = dismember(operation, &group, account, Leaving::Quit)?;
            Ok(outcome(&group, own_update, Vec::new()))
        })
        .await
    }

    /// Removes members; the answer names those who were there (Tencent: succeeds for non-members too).
    pub async fn remove_members(
        &self,
        actor: &Actor,
        call: method::GroupMembers,
    ) -> Result<answer::Group> {
        check_users(&call.user_id_list)?;
        if call
            .reason
            .as_ref()
            .is_some_and(|reason| reason.len() > MAX_REASON)
        {
            let most = format!("must be at most {MAX_REASON} bytes");
            return Err(Denied::invalid("reason", most).into());
        }
        let request = Request::of("group.deleteMember", call.request_id.as_ref(), &call)?;
        self.perform(actor, request, move |operation| {
            let group = standing(&*operation.tx, operation.actor.app, &call.group_id)?;
            let own = membership(&*operation.tx, &group, operation.actor.account)?;
            let mut removed = Vec::new();
            for user in call.user_id_list {
                let Some(account) = operation.tx.account(operation.actor.app, &user)? else {
                    continue;
                };
                let Some(member) = operation.tx.member(group.log, account.key)? else {
                    continue;
                };
                if !own.role.may_remove(member.role) {
                    return Err(Denied::NoPermission.into());
                }
                if !removed.iter().any(|(key, _)| *key == account.key) {
                    removed.push((account.key, user));
                }
            }
            if !removed.is_empty() {
                let users: Vec<_> = removed.iter().map(|(_, user)| user.clone()).collect();
                operation.tip(&group, Tip::Kicked, &users)?;
            } else if !own.role.may_remove(crate::domain::group::Role::Member) {
                return Err(Denied::NoPermission.into());
            }
            for (account, _) in &removed {
                dismember(operation, &group, *account, Leaving::Kicked)?;
                operation.notice(
                    *account,
                    &group,
                    SystemNotice::Kicked,
                    call.reason.as_deref(),
                )?;
            }
            let user_id_list = removed.into_iter().map(|(_, user)| user).collect();
            Ok(outcome(&group, None, user_id_list))
        })
        .await
    }

    /// Dissolves a group, for its owner. Its members keep the conversation.
    pub async fn dismiss_group(
        &self,
        actor: &Actor,
        call: method::OneGroup,
    ) -> Result<answer::Group> {
        let request = Request::of("group.dismiss", call.request_id.as_ref(), &call)?;
        self.perform(actor, request, move |operation| {
            let mut group = standing(&*operation.tx, operation.actor.app, &call.group_id)?;
            let own = operation.actor.account;
            if !membership(&*operation.tx, &group, own)?.role.may_dismiss() {
                return Err(Denied::NoPermission.into());
            }
            operation.tip(&group, Tip::Dissolved, &[])?;
            group.dismissed = true;
            operation.tx.put_group(operation.actor.app, &group)?;
            let mut own_update = None;
            for account in operation.tx.member_keys(group.log)? {
                let left = dismember(operation, &group, account, Leaving::Dissolved)?;
                if account == own {
                    own_update = left;
                } else {
                    operation.notice(account, &group, SystemNotice::Dissolved, None)?;
                }
            }
            Ok(outcome(&group, own_update, Vec::new()))
        })
        .await
    }
}

/// Ends a membership: the log ends here for the account. Returns its view as it is now.
fn dismember(
    operation: &mut Operation<'_>,
    group: &Group,
    account: AccountKey,
    how: Leaving,
) -> Result<Option<Updated>> {
    operation.tx.remove_member(group.log, account)?;
    let Some(mut view) = operation.tx.view(account, &conversation(group))? else {
        return Ok(None);
    };
    view.membership = Membership::Left {
        how,
        at: operation.tx.head(group.log)?,
    };
    operation.update_views(account, &mut [view]).map(Some)
}
