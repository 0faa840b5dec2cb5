//! An account's devices.

use super::{Actor, Denied, Engine, Result};
use crate::bus::Notice;
use crate::protocol::{answer, method};

impl Engine {
    /// `is_online` is false throughout: the hub knows that, and the caller fills it in.
    pub async fn devices(&self, actor: &Actor) -> Result<answer::DeviceList> {
        let account = actor.account;
        let devices = self.query(move |tx| Ok(tx.devices(account)?)).await?;
        let device_list = devices
            .into_iter()
            .map(|device| answer::Device {
                login_time: self
                    .logins
                    .of(account, &device.id)
                    .unwrap_or(device.login_time),
                device_id: device.id,
                platform: device.platform,
                is_online: false,
                ack: device.ack,
            })
            .collect();
        Ok(answer::DeviceList { device_list })
    }

    /// Closes the device's connection and refuses the UserSigs it has been using: it comes back only with one
    /// made later (a UserSig counts in whole seconds, so one made within this second is refused too).
    pub async fn log_out_device(
        &self,
        actor: &Actor,
        call: method::DeviceLogout,
    ) -> Result<answer::Done> {
        self.perform(actor, None, move |operation| {
            let account = operation.actor.account;
            let mut device = operation.tx.device(account, &call.device_id)?.ok_or(Denied::NoSuchDevice)?;
            device.sigs_refused_upto = operation.now / 1000;
            operation.tx.put_device(account, &device)?;
            operation.audit(
                "device.logout",
                call.device_id.as_str(),
                &serde_json::json!({ "account": operation.actor.user, "origin": operation.origin() }),
            )?;
            operation.note(Notice::Logout { account, device: call.device_id });
            Ok(answer::Done {})
        })
        .await
    }
}
