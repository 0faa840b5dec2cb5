//! Groups: who may do what.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ids::{AccountKey, GroupId, LogId, Millis};

/// Longest group name, in bytes (Tencent: 30; theirs counts characters in places, so this is generous).
pub const MAX_NAME: usize = 100;
/// Longest reason for removing members, in bytes: each of them gets a copy.
pub const MAX_REASON: usize = 1024;

/// The Web SDK's `TYPES.GRP_*` values that are served. An AVChatRoom keeps no history and no unread count,
/// so there is nothing in it to delete or to sync.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum GroupType {
    /// `GRP_WORK`: members are invited.
    #[default]
    Private,
    /// `GRP_PUBLIC`: anyone may join.
    Public,
    /// `GRP_MEETING`: anyone may join and read what was said before.
    ChatRoom,
}

impl GroupType {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Private => "Private",
            Self::Public => "Public",
            Self::ChatRoom => "ChatRoom",
        }
    }

    /// Whether an account may join on its own.
    pub fn is_open(self) -> bool {
        !matches!(self, Self::Private)
    }

    /// Whether a new member reads what was said before.
    pub fn shows_past(self) -> bool {
        matches!(self, Self::ChatRoom)
    }
}

/// The Web SDK's `TYPES.GRP_MBR_ROLE_*` values.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub enum Role {
    Member,
    Admin,
    Owner,
}

impl Role {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Member => "Member",
            Self::Admin => "Admin",
            Self::Owner => "Owner",
        }
    }

    /// An owner may remove anyone else; an admin, members (Tencent's rule for Public and ChatRoom).
    pub fn may_remove(self, other: Self) -> bool {
        self > Self::Member && self > other
    }

    /// Members invite into a private group, admins into any.
    pub fn may_add(self, group: GroupType) -> bool {
        group == GroupType::Private || self >= Self::Admin
    }

    /// In a private group nobody but the owner may dismiss it; the owner of any group can't just quit it.
    pub fn may_dismiss(self) -> bool {
        self == Self::Owner
    }

    /// A group must keep an owner, so the owner dismisses it rather than quits (Tencent: 10009 territory).
    pub fn may_quit(self) -> bool {
        self != Self::Owner
    }

    /// Whether somebody of this role may revoke what another member wrote.
    pub fn may_revoke_others(self) -> bool {
        self >= Self::Admin
    }
}

/// A group. Its log's id is its identity in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    pub log: LogId,
    pub id: GroupId,
    pub name: String,
    pub group_type: GroupType,
    pub created_at: Millis,
    pub dismissed: bool,
}

/// One account's part in a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    pub account: AccountKey,
    pub role: Role,
    pub joined_at: Millis,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_removes_an_equal() {
        for role in [Role::Member, Role::Admin, Role::Owner] {
            assert!(!role.may_remove(role));
        }
        assert!(Role::Owner.may_remove(Role::Admin));
        assert!(Role::Admin.may_remove(Role::Member));
        assert!(!Role::Member.may_remove(Role::Member));
    }

    #[test]
    fn members_invite_into_private_groups_only() {
        assert!(Role::Member.may_add(GroupType::Private));
        assert!(!Role::Member.may_add(GroupType::Public));
        assert!(Role::Admin.may_add(GroupType::Public));
    }
}
