//! An account's devices.

use super::{Actor, Denied, Engine, Result};
use crate::bus::Notice;
use crate::domain::{AccountKey, DeviceId, Version};
use crate::protocol::{answer, method};
use crate::store::{Abort, Job, StoreError, WriteTx};

impl Engine {
    /// `is_online` is false throughout: the hub knows that, and the caller fills it in.
    pub async fn devices(&self, actor: &Actor) -> Result<answer::DeviceList> {
        let account = actor.account;
        self.query(move |tx| {
            let device_list = tx
                .devices(account)?
                .into_iter()
                .map(|device| answer::Device {
                    device_id: device.id,
                    platform: device.platform,
                    is_online: false,
                    login_time: device.login_time,
                    ack: device.ack,
                })
                .collect();
            Ok(answer::DeviceList { device_list })
        })
        .await
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

    /// Notes the newest versions that devices say they have applied. Nobody waits for it, and what is lost by
    /// a refusal comes again with the device's next ping.
    pub fn acknowledge(&self, acks: Vec<(AccountKey, DeviceId, Version)>) -> Result<()> {
        Ok(self.store.submit(Box::new(Acks(acks)))?)
    }
}

struct Acks(Vec<(AccountKey, DeviceId, Version)>);

impl Job for Acks {
    fn run(&mut self, tx: &mut dyn WriteTx) -> std::result::Result<(), Abort> {
        for (account, device, version) in &self.0 {
            tx.acknowledge(*account, device, *version)?;
        }
        Ok(())
    }

    fn done(self: Box<Self>, outcome: std::result::Result<(), Abort>) {
        if let Err(error @ Abort::Store(StoreError::Unexpected(_))) = outcome {
            tracing::error!(%error, "could not note what devices have applied");
        }
    }
}
