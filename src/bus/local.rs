//! The bus of a single node: a call.

use std::sync::Arc;

use super::{Bus, Committed, Subscriber};

#[derive(Debug)]
pub struct LocalBus {
    hub: Arc<dyn Subscriber>,
}

impl LocalBus {
    pub fn new(hub: Arc<dyn Subscriber>) -> Self {
        Self { hub }
    }
}

impl Bus for LocalBus {
    fn publish(&self, committed: Committed) {
        self.hub.deliver(&committed);
    }
}
