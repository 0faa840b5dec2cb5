//! Stopping without losing anything: each device is told when to come back, and its request is finished.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::Context;
use crate::hub::Frame;
use crate::protocol::push::{Push, ServerDraining};

/// After the last connection was sent away, for requests in flight and closing handshakes.
const GRACE: Duration = Duration::from_secs(5);
/// The least a device waits before it comes back, in milliseconds: a restart takes some time.
const RETRY_FLOOR: u64 = 1_000;
/// Connections are sent away in at most so many steps.
const STEPS: usize = 100;

/// Sends everybody away, spread over the time the settings give, and waits until they have gone; cuts off those
/// who have not by then.
///
/// Both the telling and the coming back are spread: a server that starts to ten thousand logins at once would be
/// overloaded by its own return.
pub async fn drain(context: &Arc<Context>) {
    context.metrics.drains.inc();
    context.draining.cancel();
    let departures = context.hub.departures();
    tracing::info!(connections = departures.len(), "draining");

    let window = context.server.drain_ms;
    let per_step = departures.len().div_ceil(STEPS).max(1);
    let steps = u32::try_from(departures.len().div_ceil(per_step)).unwrap_or(u32::MAX);
    let pause = Duration::from_millis(window) / steps.max(1);
    for (place, departure) in departures.into_iter().enumerate() {
        if place > 0 && place % per_step == 0 {
            sleep(pause).await;
        }
        departure.send_away(notice(retry_after(window)));
    }

    context.tracker.close();
    if timeout(GRACE, context.tracker.wait()).await.is_err() {
        tracing::warn!(
            tasks = context.tracker.len(),
            "cutting off those who have not gone"
        );
        context.halt.cancel();
        // They only have to notice; a task that does not is the runtime's to drop.
        _ = timeout(Duration::from_secs(1), context.tracker.wait()).await;
    }
}

/// Milliseconds, different for each device.
fn retry_after(window: u64) -> u64 {
    // Without entropy they all come at once, and the accept queue has to bear it.
    let random = getrandom::u64().unwrap_or_default();
    RETRY_FLOOR + random % (window + 1)
}

fn notice(retry_after: u64) -> Option<Frame> {
    Push::ServerDraining(ServerDraining { retry_after })
        .frame()
        .ok()
        .map(Frame::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_come_back_spread_over_the_window() {
        let all: Vec<_> = (0..100).map(|_| retry_after(5_000)).collect();
        assert!(
            all.iter()
                .all(|ms| (RETRY_FLOOR..=RETRY_FLOOR + 5_000).contains(ms))
        );
        assert!(all.iter().any(|ms| *ms != all[0]));
        assert_eq!(retry_after(0), RETRY_FLOOR);
    }
}
