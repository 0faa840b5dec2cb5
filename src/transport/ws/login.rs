//! From an anonymous session to an identified one.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::claim::Claim;
use super::session::{Anonymous, Identified, Next, Reply, Session, Turn, refused, replied};
use crate::domain::Millis;
use crate::engine::usersig::Refused;
use crate::engine::{Denied, EngineError, Identity};
use crate::hub::{Arrival, Arriving, NoPlace, Registration};
use crate::protocol::close::Close;
use crate::protocol::code::Code;
use crate::protocol::jsonrpc::{ErrorObject, Id};
use crate::protocol::{answer, method};
use crate::transport::error::login_close;
use crate::transport::metrics::{Outcome, TurnedAway};

const METHOD: &str = "login";

/// A credential that lasts longer than this is looked at again by nobody: the connection won't be that old.
const FOREVER: Duration = Duration::from_hours(365 * 24);

/// Checks the credential, takes a place in the hub, and only then reads the account's state.
///
/// In this order, because a commit between the reading and the registering would be in neither: it would be too
/// late for the answer, and its push would find nobody. As it is, a commit may be in both, and the client
/// ignores a version that it has. Nothing that the hub queues is written before the answer: a client can't place
/// a push before it knows the version it starts from.
pub(super) async fn login(session: Anonymous, id: Id, login: method::Login) -> Turn {
    let engine = &session.context.engine;
    let arriving = session.context.hub.arriving();
    let identity = match engine.authenticate(&login).await {
        Ok(identity) => identity,
        Err(error) => return fail(session, &id, error),
    };
    let lasting = lasting(identity.expires_at, engine.now());
    let expires = session.context.timers.after(lasting);
    let registration = match register(&session, &identity, arriving) {
        Ok(registration) => registration,
        Err(NoPlace::AccountFull { most }) => return full(&session, &id, most),
        Err(NoPlace::LoggedOut) => return fail(session, &id, Denied::Withdrawn.into()),
        Err(NoPlace::AppDisabled) => return fail(session, &id, Denied::AppDisabled.into()),
        Err(NoPlace::KeyRetired) => {
            return fail(session, &id, Denied::Credential(Refused::Expired).into());
        }
    };
    let sync = match engine
        .sync(identity.account, identity.app, login.cursor.as_deref())
        .await
    {
        Ok(sync) => sync,
        Err(error) => return fail(session, &id, error),
    };
    registration.observe_head(sync.version);

    let context = session.context;
    context.metrics.logins.get_or_create(&Outcome::OK).inc();
    if sync.is_completed {
        context.metrics.synced(login.cursor.is_some(), sync.reset);
    }
    let claim = Claim::at_login(sync.version, sync.is_completed);
    let instance_id = format!("{}-{}", context.instance, registration.id().0);
    tracing::debug!(
        instance.id = %instance_id,
        app = %identity.app,
        user = %identity.user,
        device = %identity.device,
        platform = ?identity.platform,
        address = %session.peer.address(),
        "logged in"
    );
    let answer = answer::Login {
        instance_id,
        server_time: context.engine.now(),
        sync,
        features: answer::Features {
            sync_conversation_deletion: identity.features.sync_conversation_deletion,
        },
    };
    let frame = replied(&context, &id, METHOD, Ok(answer));
    let identified = Identified::new(context, registration, identity.user, expires, claim);
    Turn {
        reply: Reply::Frame(frame),
        next: Next::Become(Session::Identified(identified)),
    }
}

fn register(
    session: &Anonymous,
    identity: &Identity,
    arriving: Arriving,
) -> Result<Registration, NoPlace> {
    let arrival = Arrival {
        app: identity.app,
        key: identity.key,
        account: identity.account,
        device: identity.device.clone(),
        platform: identity.platform,
    };
    session.context.hub.register(
        arrival,
        Arc::clone(&session.wire),
        arriving,
        identity.features.login_policy,
        session.context.limits.connections_per_account,
    )
}

fn fail(session: Anonymous, id: &Id, error: EngineError) -> Turn {
    let outcome = match &error {
        EngineError::Denied(_) => Outcome::REFUSED,
        EngineError::Store(_) => Outcome::FAILED,
    };
    session.context.metrics.logins.get_or_create(&outcome).inc();
    let close = match &error {
        // No more than a mistake in the call: it may be made again on this connection.
        EngineError::Denied(Denied::Invalid { .. }) => None,
        error => Some(login_close(error)),
    };
    let frame = replied::<()>(&session.context, id, METHOD, Err(error));
    match close {
        Some(close) => Turn::close(frame, close),
        None => Turn {
            reply: Reply::Frame(frame),
            next: Next::Become(Session::Anonymous(Box::new(session))),
        },
    }
}

fn full(session: &Anonymous, id: &Id, most: usize) -> Turn {
    let metrics = &session.context.metrics;
    metrics.logins.get_or_create(&Outcome::REFUSED).inc();
    metrics
        .turned_away
        .get_or_create(&TurnedAway { full: "account" })
        .inc();
    let error = ErrorObject::with(Code::OVER_FREQUENCY_LIMIT, json!({ "connections": most }));
    Turn::close(
        refused(&session.context, Some(id), METHOD, &error),
        Close::Overloaded,
    )
}

fn lasting(expires_at: Millis, now: Millis) -> Duration {
    let millis = u64::try_from(expires_at.saturating_sub(now)).unwrap_or_default();
    Duration::from_millis(millis).min(FOREVER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_lasts_as_long_as_it_says() {
        assert_eq!(lasting(5_000, 2_000), Duration::from_secs(3));
        assert_eq!(lasting(1, 2), Duration::ZERO);
        assert_eq!(lasting(Millis::MAX, -1), FOREVER);
    }
}
