//! Logging in.

use super::operation::Operation;
use super::usersig::{self, Credential};
use super::{Actor, Denied, Engine, Identity, Result};
use crate::domain::app::Features;
use crate::domain::{AccountKey, Version};
use crate::protocol::method;
use crate::store::rows::DeviceRow;

impl Engine {
    /// Checks a login's credential. The account comes into being at its first login.
    ///
    /// A device logged out from elsewhere stays out until it has a UserSig made after that.
    pub async fn authenticate(&self, login: &method::Login) -> Result<Identity> {
        let now = self.now();
        let (app, user, device) = (
            login.sdk_app_id,
            login.user_id.clone(),
            login.device_id.clone(),
        );
        let (app, account, device) = self
            .query(move |tx| {
                let app = tx.app(app)?.ok_or(Denied::NoSuchApp)?;
                let account = tx.account(app.id, &user)?.map(|account| account.key);
                let device = match account {
                    Some(account) => tx.device(account, &device)?,
                    None => None,
                };
                Ok((app, account, device))
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
        if device
            .as_ref()
            .is_some_and(|device| credential.issued_at <= device.sigs_refused_upto)
        {
            return Err(Denied::Withdrawn.into());
        }
        let account = self.note_login(login, account).await?;
        Ok(identity(login, account, credential, app.features))
    }

    /// Notes the device, and the account if it is new.
    async fn note_login(
        &self,
        login: &method::Login,
        account: Option<AccountKey>,
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
            connection: None,
        };
        let key = self
            .perform(&actor, None, move |operation: &mut Operation<'_>| {
                let account = operation.account(&user)?.key;
                let known = operation.tx.device(account, &device)?;
                let row = DeviceRow {
                    id: device,
                    platform,
                    login_time: operation.now,
                    ack: known.as_ref().map_or(Version(0), |known| known.ack),
                    sigs_refused_upto: known.map_or(0, |known| known.sigs_refused_upto),
                };
                operation.tx.put_device(account, &row)?;
                Ok(account.0)
            })
            .await?;
        Ok(AccountKey(key))
    }
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
        features,
    }
}
