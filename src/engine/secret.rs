//! Secrets that the server makes, and passwords as they are kept.

use std::fmt::Write as _;
use std::sync::Arc;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use tokio::sync::Semaphore;

use super::{Result, StoreError};
use crate::domain::app::SecretKey;

/// 32 symbols, none of which is easily taken for another.
const SYMBOLS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
/// 100 bits.
const PASSWORD: usize = 20;

/// KiB of memory, passes and lanes of one hash: OWASP's least for Argon2id.
const COST: (u32, u32, u32) = (19 * 1024, 2, 1);
/// A hash of the same cost that no password has: an unknown name takes as long as a wrong password.
const NOBODYS: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$\
                       AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
/// Hashes that may wait for their turn; further ones are refused.
const WAITING: usize = 8;

/// An app's key: 64 hexadecimal digits, as Tencent's are.
pub(super) fn app_key() -> Result<SecretKey> {
    let mut text = String::new();
    for byte in random::<32>()? {
        // Writing to a String cannot fail.
        _ = write!(text, "{byte:02x}");
    }
    Ok(SecretKey::new(text))
}

/// A password for an operator.
pub(super) fn password() -> Result<String> {
    let bytes = random::<PASSWORD>()?.into_iter();
    // 256 is a multiple of 32: no symbol is likelier than another.
    Ok(bytes
        .map(|byte| char::from(SYMBOLS[usize::from(byte) % SYMBOLS.len()]))
        .collect())
}

/// Bytes that nobody can guess.
pub(super) fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|error| StoreError::Refused(format!("no random numbers: {error}")))?;
    Ok(bytes)
}

/// Hashes passwords one at a time, apart from the event loop: a flood of sign-ins takes one core and one hash's
/// memory at most.
#[derive(Debug)]
pub(super) struct Passwords {
    turn: Arc<Semaphore>,
    queue: Semaphore,
}

impl Default for Passwords {
    fn default() -> Self {
        Self {
            turn: Arc::new(Semaphore::new(1)),
            queue: Semaphore::new(1 + WAITING),
        }
    }
}

impl Passwords {
    /// What is kept of a password, in PHC string form.
    pub(super) async fn hash(&self, password: String) -> Result<String> {
        self.work(move || {
            let hash = hasher()?.hash_password(password.as_bytes());
            Ok(hash.map_err(defect)?.to_string())
        })
        .await
    }

    /// Whether it is the password that is kept as `hash`. `None` is nobody's, and takes as long to find out.
    pub(super) async fn verify(&self, password: String, hash: Option<String>) -> Result<bool> {
        self.work(move || {
            let is_anybodys = hash.is_some();
            let hash = hash.as_deref().unwrap_or(NOBODYS);
            let hash = PasswordHash::new(hash).map_err(defect)?;
            let found = hasher()?.verify_password(password.as_bytes(), &hash);
            Ok(found.is_ok() && is_anybodys)
        })
        .await
    }

    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let busy = || StoreError::Refused("too many passwords are being checked".into());
        let _place = self.queue.try_acquire().map_err(|_| busy())?;
        let turn = Arc::clone(&self.turn).acquire_owned().await;
        let turn = turn.map_err(|_| busy())?;
        let done = tokio::task::spawn_blocking(move || {
            // Held by the work and not by who waits for it, who may go.
            let _turn = turn;
            work()
        });
        done.await.map_err(defect)?
    }
}

fn hasher() -> Result<Argon2<'static>> {
    let (memory, passes, lanes) = COST;
    let params = Params::new(memory, passes, lanes, None).map_err(defect)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn defect(error: impl std::fmt::Display) -> StoreError {
    StoreError::Unexpected(format!("argon2: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_app_key_is_64_hexadecimal_digits_and_never_the_same() {
        let key = app_key().unwrap();
        assert_eq!(key.reveal().len(), 64);
        assert!(key.reveal().bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert_ne!(key, app_key().unwrap());
        assert_ne!(password().unwrap(), password().unwrap());
    }

    #[tokio::test]
    async fn a_password_is_kept_as_a_costly_hash() {
        let passwords = Passwords::default();
        let hash = passwords.hash("correct horse".into()).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        let is_it = async |password: &str, hash: Option<&String>| {
            let checked = passwords.verify(password.into(), hash.cloned()).await;
            checked.unwrap()
        };
        assert!(is_it("correct horse", Some(&hash)).await);
        assert!(!is_it("battery staple", Some(&hash)).await);
        assert!(!is_it("correct horse", None).await);
    }

    /// An unknown name must not be quicker to refuse than a wrong password.
    #[tokio::test]
    async fn nobodys_hash_costs_what_anybodys_does() {
        let cost = |hash: &str| {
            let hash = PasswordHash::new(hash).unwrap();
            (
                hash.algorithm,
                hash.version,
                hash.params.to_string(),
                hash.salt.unwrap().len(),
                hash.hash.unwrap().len(),
            )
        };
        let anybodys = Passwords::default().hash("a".into()).await.unwrap();
        assert_eq!(cost(NOBODYS), cost(&anybodys));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_flood_is_refused_rather_than_queued() {
        let passwords = Arc::new(Passwords::default());
        let all: Vec<_> = (0..100)
            .map(|_| {
                let passwords = Arc::clone(&passwords);
                async move { passwords.verify("guess".into(), None).await }
            })
            .collect();
        let all = futures_util::future::join_all(all).await;
        let refused = all.iter().filter(|checked| checked.is_err()).count();
        assert_eq!(refused, 100 - 1 - WAITING);
    }
}
