//! What a call carries, each with its bound; what is wrong is named.

use std::time::Duration;

use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::header;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use super::error::ConsoleError;

/// Bytes of a body.
const MAX_BODY: usize = 16 * 1024;
/// For a body to come.
const PATIENCE: Duration = Duration::from_secs(10);

/// A JSON body.
#[derive(Debug)]
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = ConsoleError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ConsoleError> {
        let kind = request.headers().get(header::CONTENT_TYPE);
        // A form of a foreign page can't send this type.
        let is_json = kind
            .and_then(|kind| kind.to_str().ok())
            .and_then(|kind| kind.split(';').next())
            .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"));
        if !is_json {
            return Err(ConsoleError::invalid(
                "Content-Type",
                "must be application/json",
            ));
        }
        let body = timeout(
            PATIENCE,
            axum::body::to_bytes(request.into_body(), MAX_BODY),
        )
        .await;
        let Ok(Ok(body)) = body else {
            let reason = format!("must come whole, in time, and be at most {MAX_BODY} bytes");
            return Err(ConsoleError::invalid("body", reason));
        };
        // What is read takes an array for its members in order, and a page never sends one.
        if body.trim_ascii_start().first() != Some(&b'{') {
            return Err(ConsoleError::invalid("body", "must be a JSON object"));
        }
        let mut json = serde_json::Deserializer::from_slice(&body);
        let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
            let path = error.path().to_string();
            let error = error.into_inner();
            let reason = error.to_string();
            let field = match member_in_question(&reason) {
                Some(member) => member.to_owned(),
                None if path == "." || !error.is_data() => "body".to_owned(),
                None => path,
            };
            ConsoleError::invalid(field, reason)
        })?;
        json.end()
            .map_err(|error| ConsoleError::invalid("body", error.to_string()))?;
        Ok(Self(value))
    }
}

/// The member that is missing, unknown or there twice. The path of such an error is the object's, and serde has the
/// member's name in its words only.
fn member_in_question(reason: &str) -> Option<&str> {
    let starts = ["missing field `", "duplicate field `", "unknown field `"];
    let rest = starts.iter().find_map(|start| reason.strip_prefix(start))?;
    rest.split_once('`').map(|(member, _)| member)
}

/// What the path names; what can't be a name of anything is not found.
#[derive(Debug)]
pub(super) struct Path<T>(pub(super) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = ConsoleError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ConsoleError> {
        axum::extract::Path::from_request_parts(parts, state)
            .await
            .map(|axum::extract::Path(value)| Self(value))
            .map_err(|_: PathRejection| ConsoleError::not_found("thing"))
    }
}

/// The parameters after the question mark.
#[derive(Debug)]
pub(super) struct Query<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = ConsoleError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ConsoleError> {
        axum::extract::Query::from_request_parts(parts, state)
            .await
            .map(|axum::extract::Query(value)| Self(value))
            .map_err(|error: QueryRejection| ConsoleError::invalid("query", error.body_text()))
    }
}
