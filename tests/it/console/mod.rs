//! What the console's pages call: who may, what it does, and what it answers to those who may not.

mod live;
mod settings;
mod sign_in;
