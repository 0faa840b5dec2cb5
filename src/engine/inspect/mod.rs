//! What operators ask for: users, their devices and conversations, and deletions. Never what was said.
//!
//! Who is connected is the hub's to know: fields that say so are left empty here, for the caller to fill in.

mod deletions;
mod users;

pub use deletions::{DeletedState, DeletionRecord, DeletionState, DeviceProgress};
pub use users::{ConversationState, DeviceState, UserState, UserSummary};

use super::{Denied, Result};
use crate::domain::{SdkAppId, UserId};
use crate::store::ReadTx;
use crate::store::rows::Account;

/// Part of a longer list.
#[derive(Debug, Clone)]
pub struct Page<T, N> {
    pub items: Vec<T>,
    /// What to ask for to go on; none: this was all.
    pub next: Option<N>,
}

impl<T, N> Page<T, N> {
    /// Of `items`, asked for one more than `limit` to know whether there is more. `name` tells how to go on after
    /// the last one.
    fn of(mut items: Vec<T>, limit: usize, name: impl FnOnce(&T) -> N) -> Self {
        let is_all = items.len() <= limit;
        items.truncate(limit);
        let next = if is_all { None } else { items.last().map(name) };
        Self { items, next }
    }
}

fn account(tx: &dyn ReadTx, app: SdkAppId, user: &UserId) -> Result<Account> {
    Ok(tx.account(app, user)?.ok_or(Denied::NoSuchUser)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_says_how_to_go_on_only_if_there_is_more() {
        let page = |count| Page::of((1..=count).collect(), 2, |last: &i32| *last);
        assert_eq!((page(3).items, page(3).next), (vec![1, 2], Some(2)));
        assert_eq!((page(2).items, page(2).next), (vec![1, 2], None));
        assert_eq!((page(0).items, page(0).next), (vec![], None));
    }
}
