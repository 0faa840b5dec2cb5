//! Friends. Deleting one leaves the conversation as it is (design section 3, left groups).

use super::operation::Request;
use super::{Actor, Denied, Engine, Result};
use crate::domain::UserId;
use crate::protocol::{answer, method};

/// userIDs in one call (the Web SDK's limit).
const MAX_USERS: usize = 100;

impl Engine {
    pub async fn add_friend(
        &self,
        actor: &Actor,
        call: method::FriendAdd,
    ) -> Result<answer::FriendList> {
        if call.to == actor.user {
            return Err(Denied::invalid("to", "must be another account").into());
        }
        let request = Request::of("friend.add", call.request_id.as_ref(), &call)?;
        self.perform(actor, request, move |operation| {
            let own = operation.actor.account;
            let friend = operation.account(&call.to)?.key;
            operation.tx.add_friend(own, friend, operation.now)?;
            operation.tx.add_friend(friend, own, operation.now)?;
            Ok(list([call.to]))
        })
        .await
    }

    pub async fn delete_friends(
        &self,
        actor: &Actor,
        call: method::FriendDelete,
    ) -> Result<answer::FriendList> {
        if !(1..=MAX_USERS).contains(&call.user_id_list.len()) {
            return Err(
                Denied::invalid("userIDList", format!("must name 1 to {MAX_USERS} users")).into(),
            );
        }
        let request = Request::of("friend.delete", call.request_id.as_ref(), &call)?;
        self.perform(actor, request, move |operation| {
            let own = operation.actor.account;
            for user in &call.user_id_list {
                if let Some(friend) = operation.tx.account(operation.actor.app, user)? {
                    operation.tx.remove_friend(own, friend.key)?;
                    operation.tx.remove_friend(friend.key, own)?;
                }
            }
            Ok(list(call.user_id_list))
        })
        .await
    }

    pub async fn friends(&self, actor: &Actor) -> Result<answer::FriendList> {
        let account = actor.account;
        self.query(move |tx| Ok(list(tx.friends(account)?))).await
    }
}

fn list(users: impl IntoIterator<Item = UserId>) -> answer::FriendList {
    answer::FriendList {
        friend_list: users
            .into_iter()
            .map(|user_id| answer::Friend { user_id })
            .collect(),
    }
}
