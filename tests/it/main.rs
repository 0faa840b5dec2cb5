#![cfg(test)]
//! The server as its clients know it: one module a subject, told as stories.

mod harness;
mod layers;
