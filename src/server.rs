//! Stub: the door the command line is written against.
#![allow(
    unused_variables,
    clippy::todo,
    clippy::unused_async,
    missing_docs,
    reason = "stub"
)]

use std::future::Future;
use std::io;
use std::sync::Arc;

use tokio::net::TcpListener;

use crate::engine::{Clock, Engine};
use crate::settings::Settings;

#[derive(Debug)]
pub struct Server;

#[derive(Debug, thiserror::Error)]
#[error("stub")]
pub struct StartError;

#[derive(Debug, thiserror::Error)]
#[error("stub")]
pub struct RunError;

pub fn bind(settings: &Settings) -> io::Result<TcpListener> {
    todo!()
}

impl Server {
    pub async fn build(settings: &Settings, clock: Arc<dyn Clock>) -> Result<Self, StartError> {
        todo!()
    }
    pub fn engine(&self) -> &Arc<Engine> {
        todo!()
    }
    pub async fn run(
        self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()>,
    ) -> Result<(), RunError> {
        todo!()
    }
}
