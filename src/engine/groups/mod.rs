//! Groups: creating, joining, leaving, and who is told.
//!
//! What happens in a group takes a place in its log as a *tip*, a control entry; what happens to an account is
//! also told to it in its `@TIM#SYSTEM` as a *notice*, a message.

mod join;
mod leave;
mod tips;

use super::operation::Updated;
use super::{Actor, Denied, Engine, Result, present};
use crate::domain::group::{Group, Member};
use crate::domain::{AccountKey, ConversationId, GroupId, SdkAppId, UserId};
use crate::protocol::conversation::GroupMember;
use crate::protocol::{answer, method};
use crate::store::ReadTx;

/// Members in one page (the Web SDK's default and limit).
const PAGE: u32 = 15;
const MAX_PAGE: u32 = 100;
/// userIDs in one call (the Web SDK's limit).
const MAX_USERS: usize = 500;

impl Engine {
    /// The groups the actor is in.
    pub async fn groups(&self, actor: &Actor) -> Result<answer::GroupList> {
        let account = actor.account;
        self.query(move |tx| {
            let group_list = tx
                .groups_of(account)?
                .iter()
                .map(present::profile)
                .collect();
            Ok(answer::GroupList { group_list })
        })
        .await
    }

    /// A page of a group's members, for its members.
    pub async fn members(
        &self,
        actor: &Actor,
        call: method::MemberList,
    ) -> Result<answer::MemberList> {
        let count = call.count.unwrap_or(PAGE);
        if !(1..=MAX_PAGE).contains(&count) {
            return Err(Denied::invalid("count", format!("must be 1 to {MAX_PAGE}")).into());
        }
        let (app, account) = (actor.app, actor.account);
        self.query(move |tx| {
            let group = standing(tx, app, &call.group_id)?;
            membership(tx, &group, account)?;
            let members = tx.members(group.log, call.offset as usize, count as usize)?;
            let member_list = members
                .into_iter()
                .map(
                    |(
                        Member {
                            role, joined_at, ..
                        },
                        user_id,
                    )| GroupMember {
                        user_id,
                        role,
                        join_time: joined_at,
                    },
                )
                .collect();
            Ok(answer::MemberList { member_list })
        })
        .await
    }
}

/// What happened to a group: the actor's own view if that changed, and the other users it happened to.
fn outcome(group: &Group, own: Option<Updated>, user_id_list: Vec<UserId>) -> answer::Group {
    let (version, conversation_list) = match own {
        Some(Updated {
            version,
            conversation_list,
        }) => (Some(version), conversation_list),
        None => (None, Vec::new()),
    };
    answer::Group {
        group: present::profile(group),
        version,
        conversation_list,
        user_id_list,
    }
}

/// A group that has not been dissolved.
fn standing(tx: &dyn ReadTx, app: SdkAppId, id: &GroupId) -> Result<Group> {
    let group = tx.group(app, id)?.filter(|group| !group.dismissed);
    Ok(group.ok_or(Denied::GroupGone)?)
}

fn membership(tx: &dyn ReadTx, group: &Group, account: AccountKey) -> Result<Member> {
    Ok(tx.member(group.log, account)?.ok_or(Denied::NoPermission)?)
}

fn conversation(group: &Group) -> ConversationId {
    ConversationId::Group(group.id.clone())
}

fn check_users(users: &[UserId]) -> Result<()> {
    if (1..=MAX_USERS).contains(&users.len()) {
        Ok(())
    } else {
        Err(Denied::invalid("userIDList", format!("must name 1 to {MAX_USERS} users")).into())
    }
}
