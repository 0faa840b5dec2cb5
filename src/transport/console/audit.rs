//! The audit log: searching it, and taking it away.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use futures_util::stream;
use serde::Deserialize;

use super::access::Operator;
use super::csv;
use super::error::ConsoleError;
use super::extract::Query;
use super::parameters::{given, limit, parsed};
use crate::engine::audit::{AuditEntries, AuditEntry, AuditFilter};
use crate::transport::Context;

/// Records of one answer, unless the call says otherwise.
const USUAL: usize = 100;
const MOST: usize = 500;
/// Records read at once for an export; between two such reads it holds nothing of the store's.
const CHUNK: usize = 500;

pub(super) fn routes() -> Router<Arc<Context>> {
    Router::new()
        .route("/audit", get(search))
        .route("/audit/export", get(export))
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Asked {
    app: Option<String>,
    actor: Option<String>,
    action: Option<String>,
    target: Option<String>,
    from: Option<String>,
    to: Option<String>,
    before: Option<String>,
    limit: Option<String>,
    format: Option<String>,
}

impl Asked {
    fn filter(&self) -> Result<Arc<AuditFilter>, ConsoleError> {
        let text = |value: &Option<String>| given(value.as_deref()).map(str::to_owned);
        Ok(Arc::new(AuditFilter {
            app: parsed("app", self.app.as_deref())?.map(crate::domain::SdkAppId),
            actor: text(&self.actor),
            action: text(&self.action),
            target: text(&self.target),
            from: parsed("from", self.from.as_deref())?,
            to: parsed("to", self.to.as_deref())?,
        }))
    }
}

async fn search(
    State(context): State<Arc<Context>>,
    Operator(_): Operator,
    Query(asked): Query<Asked>,
) -> Result<Json<AuditEntries>, ConsoleError> {
    let limit = limit(asked.limit.as_deref(), USUAL, MOST)?;
    let before = parsed("before", asked.before.as_deref())?;
    let found = context.engine.audit(asked.filter()?, before, limit).await?;
    Ok(Json(found))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Csv,
    JsonLines,
}

impl Format {
    fn of(word: Option<&str>) -> Result<Self, ConsoleError> {
        match word {
            Some("csv") => Ok(Self::Csv),
            Some("jsonl") => Ok(Self::JsonLines),
            _ => Err(ConsoleError::invalid("format", "must be csv or jsonl")),
        }
    }

    fn headers(self) -> [(header::HeaderName, HeaderValue); 2] {
        let (kind, disposition) = match self {
            Self::Csv => (
                "text/csv; charset=utf-8",
                "attachment; filename=\"chatsync-audit.csv\"",
            ),
            Self::JsonLines => (
                "application/jsonl",
                "attachment; filename=\"chatsync-audit.jsonl\"",
            ),
        };
        [
            (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
            (
                header::CONTENT_DISPOSITION,
                HeaderValue::from_static(disposition),
            ),
        ]
    }

    fn head(self) -> String {
        let mut text = String::new();
        if self == Self::Csv {
            let names = ["id", "time", "app", "actor", "action", "target", "detail"];
            csv::line(&mut text, names);
        }
        text
    }

    fn write(self, to: &mut String, record: &AuditEntry) -> Result<(), serde_json::Error> {
        match self {
            Self::Csv => {
                let numbers = [
                    record.id.to_string(),
                    record.time.to_string(),
                    record.app.to_string(),
                ];
                let texts = [
                    &*record.actor,
                    &record.action,
                    &record.target,
                    record.detail.get(),
                ];
                csv::line(to, numbers.iter().map(String::as_str).chain(texts));
            }
            Self::JsonLines => {
                to.push_str(&serde_json::to_string(record)?);
                to.push('\n');
            }
        }
        Ok(())
    }
}

/// An export under way.
struct Export {
    context: Arc<Context>,
    filter: Arc<AuditFilter>,
    format: Format,
    /// Written, and not yet handed out.
    text: String,
    before: Option<i64>,
    is_over: bool,
}

impl Export {
    /// The next part. It is asked for when the last one has been taken, so that a slow reader makes nothing pile up.
    async fn next(mut self) -> Result<Option<(String, Self)>, ConsoleError> {
        while self.text.is_empty() && !self.is_over {
            self.read().await?;
        }
        let text = std::mem::take(&mut self.text);
        Ok((!text.is_empty()).then_some((text, self)))
    }

    async fn read(&mut self) -> Result<(), ConsoleError> {
        let filter = Arc::clone(&self.filter);
        let found = self
            .context
            .engine
            .audit(filter, self.before, CHUNK)
            .await?;
        for record in &found.records {
            self.format.write(&mut self.text, record).map_err(|error| {
                tracing::error!(%error, record.id, "an audit record could not be exported");
                ConsoleError::Internal
            })?;
        }
        self.before = found.next;
        self.is_over = found.next.is_none();
        Ok(())
    }
}

/// All that match, newest first. What is recorded meanwhile is not in it.
async fn export(
    State(context): State<Arc<Context>>,
    Operator(_): Operator,
    Query(asked): Query<Asked>,
) -> Result<Response, ConsoleError> {
    let format = Format::of(asked.format.as_deref())?;
    let export = Export {
        context,
        filter: asked.filter()?,
        format,
        text: format.head(),
        before: parsed("before", asked.before.as_deref())?,
        is_over: false,
    };
    // An error on the way cuts the answer off, so that nobody takes a part for the whole.
    let body = Body::from_stream(stream::try_unfold(export, Export::next));
    Ok((format.headers(), body).into_response())
}
