//! Secrets that commands make: shown once, then only used.

use argon2::password_hash::PasswordHasher;
use argon2::{Algorithm, Argon2, Params, Version};

use super::failure::Failure;
use crate::domain::app::SecretKey;
use crate::store::rows::Operator;

/// 32 symbols, none of which is easily taken for another.
const SYMBOLS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
/// 100 bits.
const PASSWORD: usize = 20;

/// An app's key: 64 hexadecimal digits, as Tencent's are.
pub(super) fn app_key() -> Result<SecretKey, Failure> {
    use std::fmt::Write as _;
    let mut text = String::new();
    for byte in random::<32>()? {
        // Writing to a String cannot fail.
        _ = write!(text, "{byte:02x}");
    }
    Ok(SecretKey::new(text))
}

/// An operator and the password made for it.
pub(super) fn operator(name: &str) -> Result<(Operator, String), Failure> {
    let password: String = random::<PASSWORD>()?
        .into_iter()
        // 256 is a multiple of 32: no symbol is likelier than another.
        .map(|byte| char::from(SYMBOLS[usize::from(byte) % SYMBOLS.len()]))
        .collect();
    let defect = |error: String| Failure::new(Failure::SOFTWARE, format!("argon2: {error}"));
    // 19 MiB, 2 passes, 1 lane: OWASP's least for Argon2id.
    let params = Params::new(19 * 1024, 2, 1, None).map_err(|error| defect(error.to_string()))?;
    let password_hash = Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password(password.as_bytes())
        .map_err(|error| defect(error.to_string()))?
        .to_string();
    let operator = Operator {
        name: name.into(),
        password_hash,
    };
    Ok((operator, password))
}

fn random<const N: usize>() -> Result<[u8; N], Failure> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|error| Failure::new(Failure::MACHINE, format!("no random numbers: {error}")))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use argon2::PasswordVerifier;
    use argon2::password_hash::phc::PasswordHash;

    use super::*;

    #[test]
    fn an_app_key_is_64_hexadecimal_digits_and_never_the_same() {
        let key = app_key().unwrap();
        assert_eq!(key.reveal().len(), 64);
        assert!(key.reveal().bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert_ne!(key, app_key().unwrap());
    }

    #[test]
    fn a_password_is_kept_as_a_costly_hash() {
        let (operator, password) = operator("admin").unwrap();
        assert!(
            operator
                .password_hash
                .starts_with("$argon2id$v=19$m=19456,t=2,p=1$")
        );
        let hash = PasswordHash::new(&operator.password_hash).unwrap();
        assert!(
            Argon2::default()
                .verify_password(password.as_bytes(), &hash)
                .is_ok()
        );
        assert!(
            Argon2::default()
                .verify_password(b"another", &hash)
                .is_err()
        );
    }
}
