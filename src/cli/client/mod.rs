//! stub
mod row;
mod state;
mod wire;
use super::args::Client;
use super::failure::Failure;
use crate::settings::Settings;
use std::io::Write;
pub(super) fn run(call: Client, _out: &mut dyn Write) -> Result<(), Failure> {
    Settings::load(call.settings.config.as_deref())?;
    Ok(())
}
