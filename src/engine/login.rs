//! Logging in.

use super::operation::Operation;
use super::usersig::{self, Credential};
use super::{Actor, Denied, Engine, EngineError, Identity, Result, StoreError};
use crate::domain::app::Features;
use crate::domain::{AccountKey, Version};
use crate::protocol::method;
use crate::store::rows::DeviceRow;

/// Devices remembered of one account. A client that makes up a new deviceID at each login fills no disk with it.
const MAX_DEVICES: usize = 1_000;

impl Engine {
    /// Checks a login's credential. The account comes into being at its first login.
    ///
    /// A device logged out from elsewhere stays out until it has a UserSig made after that. One that is known and
    /// was not logged out costs no commit: a logout that the read below came too early to see finds the device in
    /// the hub, or is found by its registration there. Only the time of its login is noted, and stored later.
    pub async fn authenticate(&self, login: &method::Login) -> Result<Identity> {
        let now = self.now();
        let (app, user, device) = (
            login.sdk_app_id,
            login.user_id.clone(),
            login.device_id.clone(),
        );
        let (app, known) = self
            .query(move |tx| {
                let app = tx.app(app)?.ok_or(Denied::NoSuchApp)?;
                let known = match tx.account(app.id, &user)? {
                    Some(account) => Some((account.key, tx.device(account.key, &device)?)),
                    None => None,
                };
                Ok((app, known))
            })
            .await?;
        if app.disabled {
            return Err(Denied::AppDisabled.into());
        }
        let credential = usersig::verify(
            app.id,
            &app.keys,
            &login.user_id,
            &login.user_sig,
            now / 1000,
        )
        .map_err(Denied::Credential)?;
        let account = match known {
            Some((account, Some(device))) if device.platform == login.platform => {
                admit(Some(&device), credential)?;
                self.logins.note(account, &device, now);
                account
            }
            Some((account, device)) => match self.note_login(login, credential).await {
                // A full disk keeps nobody from reading: what the device did before is known, only this login is not.
                Err(EngineError::Store(error @ StoreError::Refused(_))) => {
                    tracing::warn!(%error, "a login was not noted");
                    admit(device.as_ref(), credential)?;
                    account
                }
                noted => noted?,
            },
            None => self.note_login(login, credential).await?,
        };
        Ok(identity(login, account, credential, app.features))
    }

    /// Stores the device, and the account if it is new. Whether the credential was withdrawn is looked at in the
    /// same transaction.
    async fn note_login(
        &self,
        login: &method::Login,
        credential: Credential,
    ) -> Result<AccountKey> {
        let (user, device, platform) = (
            login.user_id.clone(),
            login.device_id.clone(),
            login.platform,
        );
        let actor = Actor {
            app: login.sdk_app_id,
            user: user.clone(),
            account: AccountKey(0),
            device: None,
            by: None,
            connection: None,
        };
        let key = self
            .perform(&actor, None, move |operation: &mut Operation<'_>| {
                let account = operation.account(&user)?.key;
                let known = operation.tx.device(account, &device)?;
                admit(known.as_ref(), credential)?;
                let row = DeviceRow {
                    id: device,
                    platform,
                    login_time: operation.now,
                    ack: known.as_ref().map_or(Version(0), |known| known.ack),
                    sigs_refused_upto: known.as_ref().map_or(0, |known| known.sigs_refused_upto),
                };
                let is_new = known.is_none();
                operation.tx.put_device(account, &row)?;
                if is_new {
                    operation.tx.keep_newest_devices(account, MAX_DEVICES)?;
                }
                Ok(account.0)
            })
            .await?;
        Ok(AccountKey(key))
    }
}

/// A device that was logged out takes a UserSig made later than that.
fn admit(device: Option<&DeviceRow>, credential: Credential) -> Result<()> {
    if device.is_some_and(|device| credential.issued_at <= device.sigs_refused_upto) {
        return Err(Denied::Withdrawn.into());
    }
    Ok(())
}

fn identity(
    login: &method::Login,
    account: AccountKey,
    credential: Credential,
    features: Features,
) -> Identity {
    Identity {
        app: login.sdk_app_id,
        user: login.user_id.clone(),
        account,
        device: login.device_id.clone(),
        platform: login.platform,
        expires_at: credential.expires_at.saturating_mul(1000),
        key: credential.key,
        features,
    }
}
