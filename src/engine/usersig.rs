//! UserSig (TLSSigAPIv2), byte-compatible with Tencent's generators (shared research: tencent, section 6).

use std::io::Read;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::read::{ZlibDecoder, ZlibEncoder};
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::domain::app::SecretKey;
use crate::domain::{KeyPrint, SdkAppId, UserId};

/// Longest UserSig looked at, in bytes; theirs are some 200.
const MAX_TEXT: usize = 4096;
/// Longest document inflated, in bytes.
const MAX_INFLATED: u64 = 8192;

/// Why a UserSig was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("malformed")]
    Malformed,
    #[error("made for another user")]
    OtherUser,
    #[error("made for another app")]
    OtherApp,
    #[error("made with another key")]
    WrongKey,
    #[error("expired")]
    Expired,
}

/// What a valid UserSig says, in seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Credential {
    pub issued_at: i64,
    pub expires_at: i64,
    /// Of the key that it was made with.
    pub key: KeyPrint,
}

#[derive(Serialize, Deserialize)]
struct Document {
    #[serde(rename = "TLS.ver")]
    version: String,
    #[serde(rename = "TLS.identifier")]
    identifier: String,
    #[serde(rename = "TLS.sdkappid")]
    sdk_app_id: u32,
    #[serde(rename = "TLS.expire")]
    expire: i64,
    #[serde(rename = "TLS.time")]
    time: i64,
    #[serde(
        rename = "TLS.userbuf",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    userbuf: Option<String>,
    #[serde(rename = "TLS.sig")]
    sig: String,
}

impl Document {
    fn signature(&self, key: &SecretKey) -> String {
        use std::fmt::Write as _;
        let mut content = format!(
            "TLS.identifier:{}\nTLS.sdkappid:{}\nTLS.time:{}\nTLS.expire:{}\n",
            self.identifier, self.sdk_app_id, self.time, self.expire
        );
        if let Some(userbuf) = &self.userbuf {
            // Writing to a String cannot fail.
            _ = writeln!(content, "TLS.userbuf:{userbuf}");
        }
        #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
        let mut mac = Hmac::<Sha256>::new_from_slice(key.reveal().as_bytes()).expect("any length");
        mac.update(content.as_bytes());
        STANDARD.encode(mac.finalize().into_bytes())
    }
}

/// Makes a UserSig that holds for `lifetime` seconds from `now` (seconds since 1970).
pub fn sign(app: SdkAppId, key: &SecretKey, user: &UserId, now: i64, lifetime: i64) -> String {
    let mut document = Document {
        version: "2.0".into(),
        identifier: user.to_string(),
        sdk_app_id: app.0,
        expire: lifetime,
        time: now,
        userbuf: None,
        sig: String::new(),
    };
    document.sig = document.signature(key);
    #[expect(clippy::expect_used, reason = "the document is plain text and numbers")]
    let json = serde_json::to_vec(&document).expect("serialises");
    let mut deflated = Vec::new();
    #[expect(clippy::expect_used, reason = "reads from memory")]
    ZlibEncoder::new(json.as_slice(), Compression::default())
        .read_to_end(&mut deflated)
        .expect("deflates");
    STANDARD
        .encode(deflated)
        .replace('+', "*")
        .replace('/', "-")
        .replace('=', "_")
}

/// Checks a UserSig against any of `keys`, at `now` (seconds since 1970).
pub fn verify(
    app: SdkAppId,
    keys: &[SecretKey],
    user: &UserId,
    text: &str,
    now: i64,
) -> Result<Credential, Refused> {
    let document = read(text)?;
    // Every key is tried and none is compared byte by byte, so that the time taken tells nothing.
    let genuine = keys.iter().fold(None, |found, key| {
        let signature = document.signature(key);
        let is_it = signature.as_bytes().ct_eq(document.sig.as_bytes());
        if is_it.into() { Some(key) } else { found }
    });
    if document.sdk_app_id != app.0 {
        Err(Refused::OtherApp)
    } else if document.identifier != user.as_str() {
        Err(Refused::OtherUser)
    } else if let Some(key) = genuine {
        let expires_at = document.time.saturating_add(document.expire);
        if now < expires_at {
            Ok(Credential {
                issued_at: document.time,
                expires_at,
                key: key.print(),
            })
        } else {
            Err(Refused::Expired)
        }
    } else {
        Err(Refused::WrongKey)
    }
}

fn read(text: &str) -> Result<Document, Refused> {
    if text.len() > MAX_TEXT {
        return Err(Refused::Malformed);
    }
    let base64 = text.replace('*', "+").replace('-', "/").replace('_', "=");
    let deflated = STANDARD.decode(base64).map_err(|_| Refused::Malformed)?;
    let mut json = Vec::new();
    ZlibDecoder::new(deflated.as_slice())
        .take(MAX_INFLATED + 1)
        .read_to_end(&mut json)
        .map_err(|_| Refused::Malformed)?;
    if json.len() as u64 > MAX_INFLATED {
        return Err(Refused::Malformed);
    }
    let document: Document = serde_json::from_slice(&json).map_err(|_| Refused::Malformed)?;
    if document.version == "2.0" {
        Ok(document)
    } else {
        Err(Refused::Malformed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made with Tencent's own generator (npm tls-sig-api-v2 1.0.2).
    const KEY: &str = "5bd2850fff3ecb11d7c805251c51ee463a25727bddc2385f3fa8bfee1bb93b5e";
    const TEXT: &str = "eJyrVgrxCdYrSy1SslIy0jNQ0gHzM1NS80oy0zLBwhWZiflZpXlQqeKU7MSCgswUJStDEwMogMiUZOamKlkZmqOKplYUZBaBxE1NTY3gosWZ6UpWSj5ljuYp*p7l5unBxXnF2WVhVU4uAf7Ozi5JpX7O5SbuHuUhzgZJmQXaTia2SrUAohcx8g__";
    const APP: SdkAppId = SdkAppId(1_400_000_000);
    const MADE: i64 = 1_700_000_000;
    const LIFETIME: i64 = 15_552_000;

    fn check(
        user: &str,
        app: SdkAppId,
        key: &str,
        text: &str,
        now: i64,
    ) -> Result<Credential, Refused> {
        let user = UserId::new(user).unwrap();
        verify(
            app,
            &[SecretKey::new("another key"), SecretKey::new(key)],
            &user,
            text,
            now,
        )
    }

    #[test]
    fn tencents_own_is_accepted_under_either_of_two_keys() {
        assert_eq!(
            check("xiaojun", APP, KEY, TEXT, MADE),
            Ok(Credential {
                issued_at: MADE,
                expires_at: MADE + LIFETIME,
                key: SecretKey::new(KEY).print(),
            })
        );
    }

    #[test]
    fn the_signature_is_theirs() {
        let mut document = read(TEXT).unwrap();
        let key = SecretKey::new(KEY);
        assert_eq!(
            document.signature(&key),
            "LvA7d/Iw7gSsnskvVzBDPOCCDbuNCw4GHwTC0bip+B4="
        );
        document.userbuf = Some("YWJj".into());
        assert_eq!(
            document.signature(&key),
            "QjT201xPkXk/aM1e+y0vakZb0K2iPrFue++0s5y6bFM="
        );
    }

    #[test]
    fn ours_is_accepted_until_it_expires() {
        let user = UserId::new("李雷").unwrap();
        let key = SecretKey::new("k");
        let text = sign(APP, &key, &user, MADE, 60);
        assert!(verify(APP, std::slice::from_ref(&key), &user, &text, MADE + 59).is_ok());
        assert_eq!(
            verify(APP, &[key], &user, &text, MADE + 60),
            Err(Refused::Expired)
        );
    }

    #[test]
    fn what_was_made_for_another_is_refused() {
        assert_eq!(
            check("xiaohong", APP, KEY, TEXT, MADE),
            Err(Refused::OtherUser)
        );
        assert_eq!(
            check("xiaojun", SdkAppId(1), KEY, TEXT, MADE),
            Err(Refused::OtherApp)
        );
        assert_eq!(
            check("xiaojun", APP, "k", TEXT, MADE),
            Err(Refused::WrongKey)
        );
        assert_eq!(
            check("xiaojun", APP, KEY, TEXT, MADE + LIFETIME),
            Err(Refused::Expired)
        );
    }

    #[test]
    fn malformed_ones_are_refused() {
        let mut bomb = Vec::new();
        ZlibEncoder::new(vec![b' '; 1 << 20].as_slice(), Compression::best())
            .read_to_end(&mut bomb)
            .unwrap();
        for text in [
            "",
            "a",
            "____",
            "AAAA",
            &"A".repeat(5000),
            &STANDARD.encode(bomb),
        ] {
            assert_eq!(
                check("xiaojun", APP, KEY, text, MADE),
                Err(Refused::Malformed)
            );
        }
    }
}
