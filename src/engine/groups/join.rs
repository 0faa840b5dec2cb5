//! Coming to be a member.

use std::collections::HashSet;

use super::super::operation::{Operation, Request, Updated};
use super::super::{Actor, Denied, Engine, EngineError, Result};
use super::tips::{SystemNotice, Tip};
use super::{check_users, conversation, membership, outcome, standing};
use crate::domain::group::{Group, MAX_NAME, Role};
use crate::domain::view::Floors;
use crate::domain::{AccountKey, GroupId, Membership, UserId, View};
use crate::protocol::{answer, method};
use crate::store::StoreError;
use crate::store::rows::LogKind;

impl Engine {
    /// Creates a group, its creator the owner.
    pub async fn create_group(
        &self,
        actor: &Actor,
        call: method::GroupCreate,
    ) -> Result<answer::Group> {
        if call.name.is_empty()
            || call.name.len() > MAX_NAME
            || call.name.chars().any(char::is_control)
        {
            let reason = format!("must be 1 to {MAX_NAME} bytes without control characters");
            return Err(Denied::invalid("name", reason).into());
        }
        if call
            .member_list
            .iter()
            .any(|member| member.role == Some(Role::Owner))
        {
            return Err(Denied::invalid("memberList", "the owner is who creates the group").into());
        }
        let most = self.limits.group_members;
        if call.member_list.len() >= most {
            return Err(Denied::TooManyMembers(most).into());
        }
        let request = Request::of("group.create", call.request_id.as_ref(), &call)?;
        self.perform(actor, request, move |operation| create(operation, call))
            .await
    }

    /// Joins an open group. Joining where one is already changes nothing.
    pub async fn join_group(&self, actor: &Actor, call: method::OneGroup) -> Result<answer::Group> {
        let request = Request::of("group.join", call.request_id.as_ref(), &call)?;
        let most = self.limits.group_members;
        self.perform(actor, request, move |operation| {
            let group = standing(&*operation.tx, operation.actor.app, &call.group_id)?;
            let (account, user) = (operation.actor.account, operation.actor.user.clone());
            let is_member = operation.tx.member(group.log, account)?.is_some();
            if !is_member && !group.group_type.is_open() {
                return Err(Denied::NoPermission.into());
            }
            let mut own_update = None;
            if !is_member {
                check_room(operation, &group, 1, most)?;
                own_update = Some(enrol(operation, &group, account, Role::Member)?);
                operation.tip(&group, Tip::Join, &[user])?;
            }
            Ok(outcome(&group, own_update, Vec::new()))
        })
        .await
    }

    /// Adds members; the answer names those who were not there before.
    pub async fn add_members(
        &self,
        actor: &Actor,
        call: method::GroupMembers,
    ) -> Result<answer::Group> {
        check_users(&call.user_id_list)?;
        let request = Request::of("group.addMember", call.request_id.as_ref(), &call)?;
        let most = self.limits.group_members;
        self.perform(actor, request, move |operation| {
            let group = standing(&*operation.tx, operation.actor.app, &call.group_id)?;
            let own = membership(&*operation.tx, &group, operation.actor.account)?;
            if !own.role.may_add(group.group_type) {
                return Err(Denied::NoPermission.into());
            }
            check_room(operation, &group, call.user_id_list.len(), most)?;
            let added = invite(
                operation,
                &group,
                call.user_id_list
                    .into_iter()
                    .map(|user| (user, Role::Member)),
            )?;
            if !added.is_empty() {
                operation.tip(&group, Tip::Join, &added)?;
            }
            Ok(outcome(&group, None, added))
        })
        .await
    }
}

fn create(operation: &mut Operation<'_>, call: method::GroupCreate) -> Result<answer::Group> {
    let id = call.group_id.map_or_else(random_id, Ok)?;
    // A dissolved group keeps its ID: its log lives on in its members' views.
    if operation.tx.group(operation.actor.app, &id)?.is_some() {
        return Err(Denied::GroupIdTaken.into());
    }
    let log = operation.log(&LogKind::Group(operation.actor.app, id.clone()))?;
    let group = Group {
        log,
        id,
        name: call.name,
        group_type: call.r#type,
        created_at: operation.now,
        dismissed: false,
    };
    operation.tx.put_group(operation.actor.app, &group)?;
    let updated = enrol(operation, &group, operation.actor.account, Role::Owner)?;
    let members = call
        .member_list
        .into_iter()
        .map(|member| (member.user_id, member.role.unwrap_or(Role::Member)));
    let added = invite(operation, &group, members)?;
    if !added.is_empty() {
        operation.tip(&group, Tip::Join, &added)?;
    }
    Ok(outcome(&group, Some(updated), added))
}

fn check_room(operation: &Operation<'_>, group: &Group, coming: usize, most: usize) -> Result<()> {
    if operation.tx.member_count(group.log)? + coming > most {
        return Err(Denied::TooManyMembers(most).into());
    }
    Ok(())
}

/// Enrols those who are not members yet, each with a notice; returns them.
fn invite(
    operation: &mut Operation<'_>,
    group: &Group,
    users: impl Iterator<Item = (UserId, Role)>,
) -> Result<Vec<UserId>> {
    let mut added = Vec::new();
    let mut seen = HashSet::new();
    for (user, role) in users {
        if !seen.insert(user.clone()) {
            continue;
        }
        let account = operation.account(&user)?.key;
        if operation.tx.member(group.log, account)?.is_none() {
            enrol(operation, group, account, role)?;
            operation.notice(account, group, SystemNotice::Invited, None)?;
            added.push(user);
        }
    }
    Ok(added)
}

/// Makes an account a member. Who comes back finds the conversation as deleted as it was left.
fn enrol(
    operation: &mut Operation<'_>,
    group: &Group,
    account: AccountKey,
    role: Role,
) -> Result<Updated> {
    operation
        .tx
        .add_member(group.log, account, role, operation.now)?;
    let head = operation.tx.head(group.log)?;
    let mut view = operation
        .tx
        .view(account, &conversation(group))?
        .unwrap_or_else(|| View::new(conversation(group), group.log));
    view.membership = Membership::Active;
    view.read(head.last_seq, head.message_count);
    if !group.group_type.shows_past() {
        let past = Floors {
            hidden_upto: crate::domain::Seq(0),
            history_floor: head.last_seq,
        };
        view.floors.raise(past);
        view.told.raise(past);
        if let Some(undo) = &mut view.undo {
            undo.floors.raise(past);
            undo.told.raise(past);
        }
    }
    operation.update_views(account, &mut [view])
}

/// An ID in the form of those that Tencent makes.
fn random_id() -> std::result::Result<GroupId, EngineError> {
    let random = getrandom::u64().map_err(|error| StoreError::Unexpected(error.to_string()))?;
    let id = GroupId::new(format!("@TGS#{random:016X}"));
    Ok(id.map_err(|error| StoreError::Unexpected(error.to_string()))?)
}
