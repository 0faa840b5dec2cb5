//! Which of an account's devices may be logged in at once (research: Tencent's multi-client login settings).

use serde::{Deserialize, Serialize};

use super::ids::Platform;

/// The console's multi-client login mode.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LoginMode {
    /// One platform only, of all.
    Single,
    /// One of the native platforms, and the Web.
    Dual,
    /// One mobile, one desktop, and the Web.
    Triple,
    /// All platforms at once.
    #[default]
    Multi,
}

/// The most devices of one platform that can be set.
pub const MAX_INSTANCES: u32 = 1000;

/// Mode and instances of one app.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LoginPolicy {
    pub mode: LoginMode,
    /// Most devices of one platform at once; `None`: as many as the account's connection cap allows.
    ///
    /// Tencent's default is 1. Ours has none: what this server is for is an account's many devices.
    pub instances_per_platform: Option<u32>,
}

impl LoginMode {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Single => "single",
            Self::Dual => "dual",
            Self::Triple => "triple",
            Self::Multi => "multi",
        }
    }

    /// Platforms of the same class shut each other out.
    fn class(self, platform: Platform) -> u8 {
        let is_web = platform == Platform::Web;
        let is_mobile = matches!(
            platform,
            Platform::Android | Platform::IPhone | Platform::IPad
        );
        match self {
            Self::Single => 0,
            Self::Dual => u8::from(is_web),
            Self::Triple if is_web => 2,
            Self::Triple => u8::from(is_mobile),
            Self::Multi => platform as u8,
        }
    }
}

impl LoginPolicy {
    /// Which of `present` (oldest login first) must go so that a client on `arriving` may stay.
    ///
    /// The earliest go first, as at Tencent. `present` holds other devices only: a device that reconnects
    /// replaces its own connection and never counts against itself.
    pub fn displaced<K: Copy>(&self, arriving: Platform, present: &[(K, Platform)]) -> Vec<K> {
        let other_platform = |platform| {
            platform != arriving && self.mode.class(platform) == self.mode.class(arriving)
        };
        let mut displaced: Vec<K> = present
            .iter()
            .filter(|(_, p)| other_platform(*p))
            .map(|(key, _)| *key)
            .collect();
        if let Some(most) = self.instances_per_platform {
            let same: Vec<K> = present
                .iter()
                .filter(|(_, p)| *p == arriving)
                .map(|(key, _)| *key)
                .collect();
            let keep = (most.max(1) - 1) as usize;
            displaced.extend(&same[..same.len().saturating_sub(keep)]);
        }
        displaced
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Platform::{Android, IPhone, Linux, Mac, Web, Windows};

    fn displaced(
        mode: LoginMode,
        instances: Option<u32>,
        arriving: Platform,
        present: &[Platform],
    ) -> Vec<usize> {
        let present: Vec<_> = present.iter().copied().enumerate().collect();
        LoginPolicy {
            mode,
            instances_per_platform: instances,
        }
        .displaced(arriving, &present)
    }

    #[test]
    fn each_mode_shuts_out_its_own_class() {
        let present = [Android, Windows, Web];
        assert_eq!(
            displaced(LoginMode::Single, None, IPhone, &present),
            [0, 1, 2]
        );
        assert_eq!(displaced(LoginMode::Dual, None, IPhone, &present), [0, 1]);
        assert_eq!(displaced(LoginMode::Triple, None, IPhone, &present), [0]);
        assert_eq!(displaced(LoginMode::Triple, None, Linux, &present), [1]);
        assert!(displaced(LoginMode::Multi, None, IPhone, &present).is_empty());
        assert!(displaced(LoginMode::Dual, None, Web, &[Android]).is_empty());
    }

    #[test]
    fn the_earliest_instances_of_a_platform_go() {
        assert_eq!(
            displaced(LoginMode::Multi, Some(2), Web, &[Web, Mac, Web, Web]),
            [0, 2]
        );
        assert!(displaced(LoginMode::Multi, Some(2), Web, &[Web]).is_empty());
        assert_eq!(displaced(LoginMode::Multi, Some(0), Web, &[Web]), [0]);
    }

    #[test]
    fn without_a_number_same_platform_devices_stay() {
        assert!(displaced(LoginMode::Single, None, Web, &[Web, Web]).is_empty());
    }
}
