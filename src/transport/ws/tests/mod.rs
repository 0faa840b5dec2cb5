//! Sessions over a pipe, against a real engine and a real store: no socket, and time that is moved.
//!
//! The client's frames are made and read with another implementation than the server's.

mod client;
#[cfg(feature = "echo")]
mod echo;
mod ends;
mod frames;
mod login;
mod order;
mod pushes;
mod sizes;
mod very_many;
mod world;

use std::pin::pin;
use std::sync::atomic::Ordering;
use std::task::{Context as TaskContext, Poll, Waker};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;

use super::*;
use crate::domain::app::SecretKey;
use crate::domain::{AccountKey, SdkAppId, Version};
use crate::engine::usersig;
use client::{Client, login, sig};
use world::World;

const APP: SdkAppId = SdkAppId(1_400_000_001);
const KEY: &str = "a key for tests";
