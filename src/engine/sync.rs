//! Resuming, snapshots, and what one conversation looks like now.

use super::{Actor, Denied, Engine, Result, present};
use crate::domain::cursor::{Cursor, Rest, Since};
use crate::domain::retention::Horizon;
use crate::domain::{AccountKey, Epoch, Listing, Millis, Position, SdkAppId, View};
use crate::protocol::conversation::ConversationEntry;
use crate::protocol::{answer, method};
use crate::store::{self, ReadTx};

impl Engine {
    /// What changed since `cursor`: one entry for each conversation, however much happened in it. Or a
    /// snapshot, marked `reset`, when there is no cursor or it is not of this account's history.
    ///
    /// Call only after the connection is registered with the hub: what is committed after the read is then
    /// pushed, and nothing falls in between.
    pub async fn sync(
        &self,
        account: AccountKey,
        app: SdkAppId,
        cursor: Option<&str>,
    ) -> Result<answer::Sync> {
        let cursor = cursor.and_then(|token| Cursor::decode(token).ok());
        let (epoch, page, now) = (self.epoch, self.limits.page, self.now());
        self.query(move |tx| {
            let reached = tx.reached(account)?;
            let horizon = horizon(tx, app, now)?;
            let plan = Plan::of(cursor, epoch, account, reached);
            let show = |view: &View| present::entry(tx, app, view, horizon);
            answer_page(tx, account, epoch, plan, reached, page, show)
        })
        .await
    }

    /// The cursor of a device that has everything up to `since`.
    pub fn cursor(&self, account: AccountKey, since: Since) -> String {
        Cursor {
            epoch: self.epoch,
            account,
            since: Some(since),
            rest: None,
        }
        .encode()
    }

    /// The place of the newest log entry.
    pub async fn position(&self) -> Result<Position> {
        Ok(store::query(&*self.store, |tx| tx.reached(AccountKey(0)))
            .await?
            .position)
    }

    /// One listed conversation.
    pub async fn conversation(
        &self,
        actor: &Actor,
        call: method::OneConversation,
    ) -> Result<answer::OneConversation> {
        let (app, account, now) = (actor.app, actor.account, self.now());
        self.query(move |tx| {
            let view = tx
                .view(account, &call.conversation_id)?
                .ok_or(Denied::NoSuchConversation)?;
            let head = tx.head(view.log)?;
            if !view.is_listed(head) {
                return Err(Denied::NoSuchConversation.into());
            }
            Ok(answer::OneConversation {
                conversation: present::conversation(tx, app, &view, head, horizon(tx, app, now)?)?,
            })
        })
        .await
    }
}

/// How far back an app's history reaches.
pub(super) fn horizon(tx: &dyn ReadTx, app: SdkAppId, now: Millis) -> Result<Horizon> {
    let app = tx.app(app)?.ok_or(Denied::NoSuchApp)?;
    Ok(Horizon::of(app.features.history_retention, now))
}

/// What a page of an answer is to hold.
struct Plan {
    reset: bool,
    since: Option<Since>,
    rest: Option<Rest>,
    until: Since,
}

impl Plan {
    /// A cursor of another history, another account, or from the future starts over.
    fn of(cursor: Option<Cursor>, epoch: Epoch, account: AccountKey, reached: Since) -> Self {
        let is_past =
            |since: Since| since.version <= reached.version && since.position <= reached.position;
        let cursor = cursor.filter(|cursor| {
            cursor.epoch == epoch
                && cursor.account == account
                && (cursor.since.is_some() || cursor.rest.is_some())
                && cursor.since.is_none_or(is_past)
                && cursor.rest.as_ref().is_none_or(|rest| is_past(rest.until))
        });
        match cursor {
            None => Self {
                reset: true,
                since: None,
                rest: None,
                until: reached,
            },
            Some(Cursor { since, rest, .. }) => {
                let until = rest.as_ref().map_or(reached, |rest| rest.until);
                Self {
                    reset: false,
                    since,
                    rest,
                    until,
                }
            }
        }
    }
}

fn answer_page(
    tx: &dyn ReadTx,
    account: AccountKey,
    epoch: Epoch,
    plan: Plan,
    reached: Since,
    page: usize,
    show: impl Fn(&View) -> Result<ConversationEntry>,
) -> Result<answer::Sync> {
    let Plan {
        reset,
        since,
        rest,
        until,
    } = plan;
    let after = rest.as_ref().map(|rest| &rest.after);
    // One more than fits, to know whether there is more.
    let mut views = match since {
        Some(since) => tx.changed_views(account, since, after, page + 1)?,
        None => tx.views(account, after, page + 1)?,
    };
    let is_completed = views.len() <= page;
    views.truncate(page);
    // A device may have lost its connection between two pages, and with it what was pushed meanwhile. So the
    // last of several pages is followed by what changed since the first was read, if anything did.
    let is_final = is_completed && (rest.is_none() || until == reached);

    let next = match views.last() {
        Some(last) if !is_completed => {
            let rest = Some(Rest {
                until,
                after: last.conversation.clone(),
            });
            Cursor {
                epoch,
                account,
                since,
                rest,
            }
        }
        _ => Cursor {
            epoch,
            account,
            since: Some(until),
            rest: None,
        },
    };
    let mut conversation_list: Vec<ConversationEntry> = Vec::with_capacity(views.len());
    for view in &views {
        // A snapshot starts from nothing: what is not in the list needs no telling.
        if since.is_some() || view.listing(tx.head(view.log)?) == Listing::Listed {
            conversation_list.push(show(view)?);
        }
    }
    Ok(answer::Sync {
        version: until.version,
        cursor: next.encode(),
        reset,
        conversation_list,
        is_completed: is_final,
    })
}
