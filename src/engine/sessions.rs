//! Signing in to the console, and the sessions that come of it.

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::apps::nobody;
use super::operation::Operation;
use super::operators::{Refusal, actor, audit, check_new, existing};
use super::{Engine, EngineError, Result, StoreError, secret};
use crate::domain::{Millis, OperatorName, Role, SdkAppId};
use crate::store::rows::{ConsoleSession, Operator};

const MINUTE: Millis = 60 * 1000;
/// Without use, after which a session ends.
const IDLE: Millis = 30 * MINUTE;
/// After which a session ends whatever its use.
const LONGEST: Millis = 12 * 60 * MINUTE;
/// Use is noted in steps of this, so that not every page costs a commit.
const NOTED: Millis = MINUTE;
/// Sessions of one operator; the oldest give way.
const SESSIONS: usize = 20;

/// An operator's session in the console, as it is at this moment.
#[derive(Debug, Clone)]
pub struct Session {
    pub operator: OperatorName,
    pub role: Role,
    /// When it ends if it is not used any more.
    pub expires_at: Millis,
    /// What a page of the session's own knows, and a foreign one can't.
    pub csrf_token: String,
    token_hash: Vec<u8>,
}

impl Session {
    /// Who it is, as the audit log has it.
    pub fn actor(&self) -> String {
        actor(&self.operator)
    }

    pub(super) fn token_hash(&self) -> &[u8] {
        &self.token_hash
    }
}

impl Engine {
    /// Begins a session; the token is for the operator's browser alone.
    ///
    /// A wrong password and an unknown name get the same answer after the same work. `from`: the host that asks.
    pub async fn sign_in(
        &self,
        name: &str,
        password: String,
        from: IpAddr,
    ) -> Result<(String, Session)> {
        let name: Option<OperatorName> = name.parse().ok();
        let found = self.check_password(name.as_ref(), password, from).await?;
        let Some(operator) = found else {
            return Err(Refusal::WrongCredentials.into());
        };
        let token = URL_SAFE_NO_PAD.encode(secret::random::<32>()?);
        let session = ConsoleSession {
            token_hash: hash(&token),
            operator: operator.name,
            signed_in_at: self.now(),
            seen_at: self.now(),
        };
        let (row, checked) = (session.clone(), operator.password_hash);
        self.perform(&nobody(SdkAppId(0))?, None, move |operation| {
            let mut operator = existing(operation, &row.operator)?;
            // Changed while this one was checked: then this one is wrong now.
            if operator.password_hash != checked {
                return Err(Refusal::WrongCredentials.into());
            }
            operator.last_sign_in = Some(operation.now);
            operation.tx.put_operator(&operator)?;
            operation.tx.put_console_session(&row)?;
            operation
                .tx
                .keep_newest_console_sessions(&operator.name, SESSIONS)?;
            let by = actor(&operator.name);
            audit(
                operation,
                &by,
                "operator.signIn",
                &operator.name,
                &json!({ "address": from }),
            )
        })
        .await?;
        let session = opened(&session, operator.role, &token);
        Ok((token, session))
    }

    /// The operator whose password this is. Counts and notes it if it is nobody's.
    async fn check_password(
        &self,
        name: Option<&OperatorName>,
        password: String,
        from: IpAddr,
    ) -> Result<Option<Operator>> {
        self.attempts
            .begin(self.now(), name, from)
            .map_err(|wait| Refusal::Locked {
                retry_after: u64::try_from(wait).unwrap_or(0).div_ceil(1000),
            })?;
        let checked = self.find_by_password(name, password).await;
        let (known, is_right) = match checked {
            Ok(checked) => checked,
            Err(error) => {
                self.attempts.withdraw(name, from);
                return Err(error);
            }
        };
        if let (Some(operator), true) = (&known, is_right) {
            self.attempts.succeeded(&operator.name, from);
            return Ok(known);
        }
        // Who mistypes may have typed the password for the name: what is nobody's name is not written down.
        let target = known.map_or_else(String::new, |operator| operator.name.to_string());
        self.perform(&nobody(SdkAppId(0))?, None, move |operation| {
            let detail = json!({ "address": from });
            audit(
                operation,
                "console",
                "operator.signInFailed",
                &target,
                &detail,
            )
        })
        .await?;
        Ok(None)
    }

    async fn find_by_password(
        &self,
        name: Option<&OperatorName>,
        password: String,
    ) -> Result<(Option<Operator>, bool)> {
        let name = name.cloned();
        let known = self
            .query(move |tx| Ok(name.map(|name| tx.operator(&name)).transpose()?.flatten()))
            .await?;
        let hash = known.as_ref().map(|known| known.password_hash.clone());
        let is_right = self.passwords.verify(password, hash).await?;
        Ok((known, is_right))
    }

    /// The session that a token stands for, if it has not ended. `is_use`: whether this keeps it from ending.
    pub async fn session(&self, token: &str, is_use: bool) -> Result<Session> {
        let (token_hash, now) = (hash(token), self.now());
        let (mut row, operator) = self
            .query(move |tx| {
                let row = tx.console_session(&token_hash)?.ok_or(Refusal::SignedOut)?;
                let operator = tx.operator(&row.operator)?.ok_or(Refusal::SignedOut)?;
                Ok((row, operator))
            })
            .await?;
        if now >= ends_at(&row) {
            return Err(Refusal::SignedOut.into());
        }
        if is_use && now - row.seen_at >= NOTED {
            row.seen_at = now;
            match self.note_use(row.clone()).await {
                // A full disk keeps nobody from looking.
                Err(EngineError::Store(error @ StoreError::Refused(_))) => {
                    tracing::warn!(%error, "a session's use was not noted");
                }
                noted => noted?,
            }
        }
        Ok(opened(&row, operator.role, token))
    }

    async fn note_use(&self, seen: ConsoleSession) -> Result<()> {
        self.perform(&nobody(SdkAppId(0))?, None, move |operation| {
            // It may have been ended meanwhile, and must not come back.
            if operation.tx.console_session(&seen.token_hash)?.is_some() {
                operation.tx.put_console_session(&seen)?;
            }
            Ok(())
        })
        .await
    }

    /// Ends a session.
    pub async fn sign_out(&self, session: Session) -> Result<()> {
        self.perform(&nobody(SdkAppId(0))?, None, move |operation| {
            operation.tx.remove_console_session(&session.token_hash)?;
            let by = session.actor();
            audit(
                operation,
                &by,
                "operator.signOut",
                &session.operator,
                &json!({}),
            )
        })
        .await
    }

    /// Gives an operator another password, who must know the one there is, and ends the other sessions.
    pub async fn change_password(
        &self,
        session: Session,
        current: String,
        new: String,
        from: IpAddr,
    ) -> Result<()> {
        check_new("password", &new)?;
        let checked = self
            .check_password(Some(&session.operator), current, from)
            .await?;
        let Some(checked) = checked else {
            return Err(Refusal::WrongCredentials.into());
        };
        let new = self.passwords.hash(new).await?;
        self.perform(&nobody(SdkAppId(0))?, None, move |operation| {
            let mut operator = existing(operation, &session.operator)?;
            if operator.password_hash != checked.password_hash {
                return Err(Refusal::WrongCredentials.into());
            }
            operator.password_hash = new;
            operation.tx.put_operator(&operator)?;
            let kept = Some(session.token_hash.as_slice());
            operation
                .tx
                .remove_other_console_sessions(&operator.name, kept)?;
            let by = session.actor();
            audit(
                operation,
                &by,
                "operator.password",
                &operator.name,
                &json!({}),
            )
        })
        .await
    }
}

/// Forgets sessions that have ended, `most` of them.
pub(super) fn expire_sessions(operation: &mut Operation<'_>, most: usize) -> Result<()> {
    let now = operation.now;
    operation
        .tx
        .expire_console_sessions(now - IDLE, now - LONGEST, most)?;
    Ok(())
}

fn ends_at(row: &ConsoleSession) -> Millis {
    (row.seen_at + IDLE).min(row.signed_in_at + LONGEST)
}

fn opened(row: &ConsoleSession, role: Role, token: &str) -> Session {
    let csrf = Sha256::new()
        .chain_update("chatsync console csrf ")
        .chain_update(token);
    Session {
        operator: row.operator.clone(),
        role,
        expires_at: ends_at(row),
        csrf_token: URL_SAFE_NO_PAD.encode(csrf.finalize()),
        token_hash: row.token_hash.clone(),
    }
}

fn hash(token: &str) -> Vec<u8> {
    Sha256::digest(token).to_vec()
}
