//! The demo's own app. What the demo gives away are credentials of this app, and the switch it flips is this
//! app's: no other is within its reach.

use std::fmt;

use super::apps::{add, nobody};
use super::usersig;
use super::{Denied, Engine, Result, StoreError};
use crate::domain::app::SecretKey;
use crate::domain::{App, Features, SdkAppId, UserId};
use crate::store::ReadTx;

/// Who it is in the audit log.
const ACTOR: &str = "demo";
/// The demo's app gets the first free number from here down: below those that Tencent gives out and that
/// `chatsync app create` counts up from.
const TOP: u32 = 1_399_999_999;
/// Seconds that a UserSig holds. The page asks for another.
const LIFETIME: i64 = 60 * 60;
/// Accounts of the demo's app, from which on nobody new gets a credential. Accounts are not deleted: a demo for
/// everybody has a store of its own, which is thrown away now and then.
const ACCOUNTS: usize = 100_000;
/// Users asked for at once.
const USERS: usize = 8;

/// What the page logs in with.
pub struct DemoCredentials {
    pub app: SdkAppId,
    /// One for each user, in the order in which they were asked for.
    pub user_sigs: Vec<(UserId, String)>,
    /// Seconds that they hold.
    pub lifetime: i64,
}

// By hand, so that no log can hold a UserSig.
impl fmt::Debug for DemoCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DemoCredentials")
            .field("app", &self.app)
            .finish_non_exhaustive()
    }
}

impl Engine {
    /// The demo's app, made at the first call, with its switch on. It is remembered as the demo's by the store,
    /// so that an app of the same number or with the same settings is never taken for it.
    pub async fn demo_app(&self) -> Result<App> {
        if let Some(app) = self.query(|tx| known(tx)).await? {
            return Ok(app);
        }
        let key = fresh_key()?;
        let nobody = nobody(SdkAppId(0))?;
        let made = self.perform(&nobody, None, move |operation| {
            if let Some(app) = known(&*operation.tx)? {
                return Ok(app.id);
            }
            let app = App {
                id: free_number(&operation.tx.apps()?)?,
                keys: vec![key],
                admins: Vec::new(),
                features: Features {
                    sync_conversation_deletion: true,
                    ..Features::default()
                },
                disabled: false,
                created_at: operation.now,
            };
            add(operation, &app, ACTOR.into())?;
            operation.tx.put_demo_app(app.id)?;
            Ok(app.id)
        });
        let id = made.await?;
        Ok(self.app(id).await?.ok_or(Denied::NoSuchApp)?)
    }

    /// The number of the demo's app, if it has been made.
    pub async fn demo_app_id(&self) -> Result<Option<SdkAppId>> {
        self.query(|tx| Ok(tx.demo_app()?)).await
    }

    /// UserSigs of the demo's app for 1 to 8 users whose names are the demo's own: `demo-NAME-SUFFIX`, NAME of
    /// 1 to 16 letters a-z, SUFFIX of 10 to 32 letters and digits. Whoever knows the name gets the credential,
    /// which is why the suffix is long.
    ///
    /// None: the demo's app has all the accounts it may have, and these would be new.
    pub async fn demo_credentials(&self, users: Vec<UserId>) -> Result<Option<DemoCredentials>> {
        if !(1..=USERS).contains(&users.len()) {
            return Err(Denied::invalid("userIDList", format!("1 to {USERS} users")).into());
        }
        if let Some(user) = users.iter().find(|user| !is_demo_name(user.as_str())) {
            return Err(
                Denied::invalid("userIDList", format!("{user} is no name of the demo's")).into(),
            );
        }
        let app = self.demo_app().await?;
        if app.disabled {
            return Err(Denied::AppDisabled.into());
        }
        let (id, named) = (app.id, users.clone());
        if !self.query(move |tx| has_room(tx, id, &named)).await? {
            return Ok(None);
        }
        let key = app
            .keys
            .first()
            .ok_or_else(|| StoreError::Unexpected("an app without a key".into()))?;
        let now = self.now() / 1000;
        let sign = |user: UserId| {
            let text = usersig::sign(app.id, key, &user, now, LIFETIME);
            (user, text)
        };
        Ok(Some(DemoCredentials {
            app: app.id,
            user_sigs: users.into_iter().map(sign).collect(),
            lifetime: LIFETIME,
        }))
    }

    /// Sets the switch of the demo's app; audited as the demo's.
    pub async fn set_demo_switch(&self, on: bool) -> Result<App> {
        let app = self.demo_app().await?;
        if app.disabled {
            return Err(Denied::AppDisabled.into());
        }
        self.change_app(app.id, ACTOR, move |app| {
            app.features.sync_conversation_deletion = on;
        })
        .await
    }
}

fn known(tx: &dyn ReadTx) -> Result<Option<App>> {
    Ok(match tx.demo_app()? {
        Some(id) => tx.app(id)?,
        None => None,
    })
}

fn has_room(tx: &dyn ReadTx, app: SdkAppId, users: &[UserId]) -> Result<bool> {
    for user in users {
        if tx.account(app, user)?.is_none() {
            return Ok(tx.account_count(app)? < ACCOUNTS);
        }
    }
    Ok(true)
}

fn free_number(apps: &[App]) -> Result<SdkAppId> {
    let free = (1..=TOP)
        .rev()
        .map(SdkAppId)
        .find(|number| apps.iter().all(|app| app.id != *number));
    Ok(free.ok_or_else(|| StoreError::Refused("no number is free for the demo's app".into()))?)
}

fn is_demo_name(name: &str) -> bool {
    let Some((name, suffix)) = name
        .strip_prefix("demo-")
        .and_then(|rest| rest.split_once('-'))
    else {
        return false;
    };
    let is_plain = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit();
    (1..=16).contains(&name.len())
        && name.bytes().all(|c| c.is_ascii_lowercase())
        && (10..=32).contains(&suffix.len())
        && suffix.bytes().all(is_plain)
}

/// 32 bytes in hexadecimal, as every app's.
fn fresh_key() -> Result<SecretKey> {
    use std::fmt::Write as _;
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).map_err(|error| StoreError::Unexpected(error.to_string()))?;
    let mut text = String::new();
    for byte in bytes {
        // Writing to a String cannot fail.
        _ = write!(text, "{byte:02x}");
    }
    Ok(SecretKey::new(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn app(id: u32) -> App {
        App {
            id: SdkAppId(id),
            keys: Vec::new(),
            admins: Vec::new(),
            features: Features::default(),
            disabled: false,
            created_at: 0,
        }
    }

    #[test]
    fn the_number_is_nobody_elses() {
        assert_eq!(free_number(&[]).unwrap(), SdkAppId(TOP));
        assert_eq!(
            free_number(&[app(TOP - 1), app(TOP)]).unwrap(),
            SdkAppId(TOP - 2)
        );
    }

    #[test]
    fn a_name_of_the_demos_can_not_be_guessed_or_taken_for_another() {
        assert!(is_demo_name("demo-alice-0123456789"));
        for other in [
            "alice",
            "demo-",
            "demo-alice",
            "demo-alice-",
            "demo-alice-012345678",
            "demo--0123456789",
            "demo-Alice-0123456789",
            "demo-al ice-0123456789",
            "demo-alice-0123456789-0",
            "demo-alice-0123456789é",
            "xdemo-alice-0123456789",
            "demo-abcdefghijklmnopq-0123456789",
            "administrator",
        ] {
            assert!(!is_demo_name(other), "{other}");
        }
    }
}
