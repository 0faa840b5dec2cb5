//! What goes on, as a stream of events.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures_util::{Stream, stream};
use serde_json::json;
use tokio::sync::{OwnedSemaphorePermit, broadcast};

use super::access::Watcher;
use super::error::ConsoleError;
use crate::engine::{Denied, EngineError, Refusal};
use crate::transport::Context;
use crate::transport::live::News;

/// Without an event, after which something is sent all the same, so that a proxy does not take the stream for dead.
const QUIET: Duration = Duration::from_secs(15);

pub(super) fn routes() -> Router<Arc<Context>> {
    Router::new().route("/live", get(live))
}

async fn live(
    State(context): State<Arc<Context>>,
    Watcher { token }: Watcher,
) -> Result<Response, ConsoleError> {
    let place = Arc::clone(&context.live.places).try_acquire_owned();
    let place = place.map_err(|_| ConsoleError::Unavailable)?;
    let (samples, news) = context.live.watch();
    let history = event("history", &json!({ "figures": samples }))?;
    let feed = Feed {
        context,
        token,
        news,
        waiting: VecDeque::from([history]),
        _place: place,
    };
    let keep_alive = KeepAlive::new().interval(QUIET);
    // A proxy that gathers answers before it passes them on would hold the events back.
    let unbuffered = [("x-accel-buffering", "no")];
    Ok((unbuffered, Sse::new(feed.events()).keep_alive(keep_alive)).into_response())
}

/// One who watches.
struct Feed {
    context: Arc<Context>,
    token: String,
    news: broadcast::Receiver<News>,
    waiting: VecDeque<Event>,
    _place: OwnedSemaphorePermit,
}

impl Feed {
    fn events(self) -> impl Stream<Item = Result<Event, Infallible>> + Send {
        stream::unfold(self, async |mut feed| {
            let event = feed.next().await?;
            Some((Ok(event), feed))
        })
    }

    /// The next event; `None`: the session has ended, or the server is about to.
    async fn next(&mut self) -> Option<Event> {
        if let Some(event) = self.waiting.pop_front() {
            return Some(event);
        }
        loop {
            let news = tokio::select! {
                () = self.context.draining.cancelled() => return None,
                news = self.news.recv() => news,
            };
            let event = match news {
                Ok(News::Sample(sample)) => event("figures", &sample),
                Ok(News::App(app)) => event("app", &json!({ "sdkAppID": app })),
                // A page that was too slow shows the seconds that it did take.
                Err(broadcast::error::RecvError::Lagged(_)) => continue,
                Err(broadcast::error::RecvError::Closed) => return None,
            };
            // Asked anew each time, so that nothing is shown after the end of the session, however it ended.
            let session = self.context.engine.session(&self.token, false).await;
            if let Err(EngineError::Denied(Denied::Operator(Refusal::SignedOut))) = session {
                return None;
            }
            return event.ok();
        }
    }
}

fn event(name: &str, data: &impl serde::Serialize) -> Result<Event, ConsoleError> {
    Event::default()
        .event(name)
        .json_data(data)
        .map_err(|error| {
            tracing::error!(%error, "an event could not be encoded");
            ConsoleError::Internal
        })
}
