//! Operators of the console: who they are, and what they may do.

use serde_json::{Value, json};

use super::apps::nobody;
use super::operation::Operation;
use super::{Denied, Engine, Result, Session, secret};
use crate::domain::{Millis, OperatorName, Role, SdkAppId};
use crate::store::rows::{self, NewAuditRecord};

/// Characters of a password that an operator chooses, at least.
const SHORTEST: usize = 10;
/// Bytes of a password, at most.
const MAX_PASSWORD: usize = 1024;

/// Why an operator may not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The same for a wrong password and an unknown name.
    #[error("the name or the password is wrong")]
    WrongCredentials,
    #[error("too many wrong passwords; try again in {retry_after} s")]
    Locked {
        /// Seconds.
        retry_after: u64,
    },
    #[error("the session has ended")]
    SignedOut,
    #[error("there is no operator of this name")]
    NoSuchOperator,
    #[error("there is an operator of this name already")]
    NameTaken,
    #[error("the last administrator can't be removed or made a viewer")]
    LastAdministrator,
}

/// An operator, without the password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operator {
    pub name: OperatorName,
    pub role: Role,
    pub created_at: Millis,
    /// None: never.
    pub last_sign_in: Option<Millis>,
}

impl From<rows::Operator> for Operator {
    fn from(row: rows::Operator) -> Self {
        Self {
            name: row.name,
            role: row.role,
            created_at: row.created_at,
            last_sign_in: row.last_sign_in,
        }
    }
}

/// How the audit log calls an operator.
pub(super) fn actor(name: &OperatorName) -> String {
    format!("operator:{name}")
}

/// A change of an operator; what is `None` stays.
#[derive(Debug, Default)]
pub struct OperatorChange {
    pub role: Option<Role>,
    pub password: Option<String>,
}

impl Engine {
    /// Every operator, in the order of their names.
    pub async fn operators(&self) -> Result<Vec<Operator>> {
        let rows = self.query(|tx| Ok(tx.operators()?)).await?;
        Ok(rows.into_iter().map(Operator::from).collect())
    }

    /// Adds an operator; returns the password, made here unless one is given.
    pub async fn create_operator(
        &self,
        by: String,
        name: OperatorName,
        role: Role,
        password: Option<String>,
    ) -> Result<String> {
        let password = match password {
            Some(password) => {
                check_new("password", &password)?;
                password
            }
            None => secret::password()?,
        };
        let password_hash = self.passwords.hash(password.clone()).await?;
        self.perform(&nobody(SdkAppId(0))?, None, move |operation| {
            if operation.tx.operator(&name)?.is_some() {
                return Err(Refusal::NameTaken.into());
            }
            add(operation, &by, name, role, password_hash)
        })
        .await?;
        Ok(password)
    }

    /// Adds an operator, or gives one another password and, if one is named, another role; returns the password.
    /// Ends the operator's sessions.
    pub async fn set_operator(
        &self,
        by: &str,
        name: OperatorName,
        role: Option<Role>,
    ) -> Result<String> {
        let password = secret::password()?;
        let password_hash = self.passwords.hash(password.clone()).await?;
        let by = by.to_owned();
        self.perform(&nobody(SdkAppId(0))?, None, move |operation| {
            if let Some(operator) = operation.tx.operator(&name)? {
                return change(operation, &by, operator, role, Some(password_hash), None);
            }
            let role = role.unwrap_or(Role::Administrator);
            add(operation, &by, name, role, password_hash)
        })
        .await?;
        Ok(password)
    }

    /// Changes an operator, and returns it as it is now. With another password, its sessions end but `by`'s own.
    pub async fn change_operator(
        &self,
        by: Session,
        name: OperatorName,
        to: OperatorChange,
    ) -> Result<Operator> {
        let password_hash = match to.password {
            Some(password) => {
                check_new("password", &password)?;
                Some(self.passwords.hash(password).await?)
            }
            None => None,
        };
        let changed = name.clone();
        self.perform(&nobody(SdkAppId(0))?, None, move |operation| {
            let operator = existing(operation, &name)?;
            let own = (by.operator == name).then_some(by.token_hash());
            change(
                operation,
                &by.actor(),
                operator,
                to.role,
                password_hash,
                own,
            )
        })
        .await?;
        let operator = self.query(move |tx| Ok(tx.operator(&changed)?)).await?;
        Ok(operator.ok_or(Refusal::NoSuchOperator)?.into())
    }

    /// Removes an operator and ends its sessions.
    pub async fn remove_operator(&self, by: String, name: OperatorName) -> Result<()> {
        self.perform(&nobody(SdkAppId(0))?, None, move |operation| {
            let operator = existing(operation, &name)?;
            if operator.role == Role::Administrator {
                spare_the_last(operation, &name)?;
            }
            operation.tx.remove_operator(&name)?;
            operation.tx.remove_other_console_sessions(&name, None)?;
            let detail = json!({ "role": operator.role });
            audit(operation, &by, "operator.remove", &name, &detail)
        })
        .await
    }
}

pub(super) fn check_new(field: &'static str, password: &str) -> Result<()> {
    if password.chars().count() < SHORTEST {
        return Err(Denied::invalid(field, format!("at least {SHORTEST} characters")).into());
    }
    if password.len() > MAX_PASSWORD {
        return Err(Denied::invalid(field, format!("at most {MAX_PASSWORD} bytes")).into());
    }
    Ok(())
}

pub(super) fn existing(operation: &Operation<'_>, name: &OperatorName) -> Result<rows::Operator> {
    Ok(operation
        .tx
        .operator(name)?
        .ok_or(Refusal::NoSuchOperator)?)
}

fn add(
    operation: &mut Operation<'_>,
    by: &str,
    name: OperatorName,
    role: Role,
    password_hash: String,
) -> Result<()> {
    let operator = rows::Operator {
        name,
        password_hash,
        role,
        created_at: operation.now,
        last_sign_in: None,
    };
    operation.tx.put_operator(&operator)?;
    let detail = json!({ "role": role });
    audit(operation, by, "operator.create", &operator.name, &detail)
}

/// `keep`: the session that outlives another password.
fn change(
    operation: &mut Operation<'_>,
    by: &str,
    mut operator: rows::Operator,
    role: Option<Role>,
    password_hash: Option<String>,
    keep: Option<&[u8]>,
) -> Result<()> {
    let name = operator.name.clone();
    let before = operator.role;
    let after = role.unwrap_or(before);
    if before == Role::Administrator && after != before {
        spare_the_last(operation, &name)?;
    }
    operator.role = after;
    let has_password = password_hash.is_some();
    if let Some(hash) = password_hash {
        operator.password_hash = hash;
        operation.tx.remove_other_console_sessions(&name, keep)?;
    }
    operation.tx.put_operator(&operator)?;
    if after != before {
        let detail = json!({ "from": before, "to": after });
        audit(operation, by, "operator.role", &name, &detail)?;
    }
    if has_password {
        audit(operation, by, "operator.password", &name, &json!({}))?;
    }
    Ok(())
}

fn spare_the_last(operation: &Operation<'_>, name: &OperatorName) -> Result<()> {
    let operators = operation.tx.operators()?;
    let mut others = operators.iter().filter(|other| other.name != *name);
    if others.any(|other| other.role == Role::Administrator) {
        Ok(())
    } else {
        Err(Refusal::LastAdministrator.into())
    }
}

/// Of what is no app's.
pub(super) fn audit(
    operation: &mut Operation<'_>,
    by: &str,
    action: &str,
    target: &(impl ToString + ?Sized),
    detail: &Value,
) -> Result<()> {
    operation.tx.add_audit(&NewAuditRecord {
        time: operation.now,
        app: SdkAppId(0),
        actor: by.into(),
        action: action.into(),
        target: target.to_string(),
        detail: detail.to_string(),
    })?;
    Ok(())
}
