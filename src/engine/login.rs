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
    /// A device logged out from elsewhere stays out until it has a UserSig made after that.
    pub async fn authenticate(&self, login: &method::Login) -> Result<Identity> {
        let now = self.now();
        let (app, user) = (login.sdk_app_id, login.user_id.clone());
        let (app, account) = self
            .query(move |tx| {
                let app = tx.app(app)?.ok_or(Denied::NoSuchApp)?;
                let account = tx.account(app.id, &user)?.map(|account| account.key);
                Ok((app, account))
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
        let noted = self.note_login(login, account, credential).await;
        let account = match (noted, account) {
            // A full disk keeps nobody from reading: what the device did before is known, only this login is not.
            (Err(EngineError::Store(error @ StoreError::Refused(_))), Some(account)) => {
                tracing::warn!(%error, "a login was not noted");
                self.check_device(login, account, credential).await?;
                account
            }
            (noted, _) => noted?,
        };
        Ok(identity(login, account, credential, app.features))
    }

    /// Whether the credential was withdrawn, as far as that is committed.
    async fn check_device(
        &self,
        login: &method::Login,
        account: AccountKey,
        credential: Credential,
    ) -> Result<()> {
        let device = login.device_id.clone();
        self.query(move |tx| admit(tx.device(account, &device)?.as_ref(), credential))
            .await
    }

    /// Notes the device, and the account if it is new. Whether the credential was withdrawn is looked at in the
    /// same transaction, so that a logout is either seen here or comes after.
    async fn note_login(
        &self,
        login: &method::Login,
        account: Option<AccountKey>,
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
            account: account.unwrap_or(AccountKey(0)),
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
