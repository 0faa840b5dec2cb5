//! How long a server takes to listen, by how much its store holds.

use std::error::Error;
use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use chatsync::domain::SdkAppId;
use clap::Args;

use crate::fill::fill;
use crate::server::{APP, settings};

/// `load-tests start`
#[derive(Debug, Args)]
pub(crate) struct Start {
    /// Conversations in the store
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    conversations: u64,
    /// How often to start
    #[arg(long, value_name = "NUMBER", default_value_t = 21, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,
    /// The server's program
    #[arg(long, value_name = "FILE", default_value = "target/release/chatsync")]
    server: PathBuf,
}

impl Start {
    pub(crate) fn run(&self) -> Result<(), Box<dyn Error>> {
        let folder = tempfile::tempdir()?;
        let began = Instant::now();
        fill(
            &folder.path().join("data"),
            SdkAppId(APP),
            self.conversations,
        )?;
        eprintln!("filled in {:.1} s", began.elapsed().as_secs_f64());
        let config = folder.path().join("chatsync.toml");
        fs::write(&config, settings(folder.path()))?;

        // The first run makes the app; it is not like the others.
        self.measure(&config)?;
        let mut times = Vec::new();
        for _ in 0..self.runs {
            times.push(self.measure(&config)?);
        }
        times.sort_unstable();
        let (min, median, max) = (times[0], times[times.len() / 2], times[times.len() - 1]);
        writeln!(
            io::stdout(),
            "start to listening, {} conversations, {} runs: min {}, median {}, max {}",
            self.conversations,
            self.runs,
            shown(min),
            shown(median),
            shown(max),
        )?;
        Ok(())
    }

    /// Starts the server, waits until it listens, and kills it.
    fn measure(&self, config: &Path) -> Result<Duration, Box<dyn Error>> {
        let began = Instant::now();
        let mut server = Command::new(&self.server)
            .arg("serve")
            .arg("--config")
            .arg(config)
            .env("CHATSYNC__LOG__FILTER", "error")
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{}: {error}", self.server.display()))?;
        let mut line = String::new();
        if let Some(output) = server.stdout.take() {
            BufReader::new(output).read_line(&mut line)?;
        }
        let took = began.elapsed();
        server.kill()?;
        server.wait()?;
        if line.starts_with("listening on ") {
            Ok(took)
        } else {
            Err("the server did not start".into())
        }
    }
}

fn shown(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1000.0)
}
