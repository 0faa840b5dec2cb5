#![cfg(test)]
//! The server as its clients know it: one module a subject, told as stories.

mod console;
mod convergence;
mod crash;
mod demo;
mod durability;
mod harness;
mod hostile;
mod idempotency;
mod isolation;
mod layers;
mod left_groups;
mod logins;
mod logs;
mod metrics;
mod paging;
mod presence;
mod refusals;
mod return_table;
mod seed;
mod slow_devices;
mod start;
mod start_failures;
mod switch;
mod sync;
mod undo;
