//! `chatsync client`: a device in a terminal, speaking the documented protocol like any other client.
//!
//! - [`state`] and [`row`]: what the device holds, by the contract's rules; [`link`]: when to come back.
//! - [`wire`], [`commands`], [`answers`], [`render`]: frames, what is typed, what is answered, what is shown.
//! - [`session`]: one connection. Here: from one connection to the next.

mod answers;
mod commands;
mod link;
mod render;
mod row;
mod session;
mod state;
mod wire;

use std::collections::VecDeque;
use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader, Lines};

use super::admin::make_usersig;
use super::args::Client as Arguments;
use super::failure::Failure;
use crate::domain::ConversationId;
use crate::engine::{Clock, SystemClock};
use crate::settings::Settings;
use commands::{Call, Command, Context};
use link::{Backoff, End};
use state::{News, State};

/// Seconds that a UserSig made here holds; another is made when it runs out.
const LIFETIME: u32 = 24 * 60 * 60;
/// Most lines read ahead of what the server has answered.
const MOST_AHEAD: usize = 64;

pub(super) fn run(arguments: Arguments, out: &mut dyn Write) -> Result<(), Failure> {
    let credential = match &arguments.usersig {
        Some(text) => Credential::Given(text.clone()),
        None => Credential::Local(Box::new(Settings::load(
            arguments.settings.config.as_deref(),
        )?)),
    };
    let runtime = super::runtime()?;
    let mut client = runtime.block_on(async {
        let is_terminal = io::stdin().is_terminal();
        let input = Box::new(tokio::io::stdin());
        Client::new(arguments, credential, input, is_terminal, out)
    });
    let outcome = runtime.block_on(client.run());
    // A read of the terminal can't be called off; the process ends without it.
    runtime.shutdown_background();
    outcome
}

/// What the device logs in with.
#[derive(Debug)]
enum Credential {
    Given(String),
    /// Made with the app's key from this machine's store.
    Local(Box<Settings>),
}

/// Where lines are typed.
type Input = Box<dyn AsyncRead + Unpin + Send>;

struct Client<'a> {
    arguments: Arguments,
    credential: Credential,
    usersig: Option<String>,
    out: &'a mut dyn Write,
    input: Lines<BufReader<Input>>,
    input_ended: bool,
    /// Somebody types, rather than a script.
    is_terminal: bool,
    state: State,
    /// Typed and not yet begun.
    lines: VecDeque<String>,
    /// Sent and not answered. Kept over a reconnect and sent again: its requestID makes that one effect.
    current: Option<Call>,
    older: Option<(ConversationId, String)>,
    backoff: Backoff,
    requests: u64,
    /// Begins this run's requestIDs, so that no two runs share one.
    run: u64,
}

impl<'a> Client<'a> {
    fn new(
        arguments: Arguments,
        credential: Credential,
        input: Input,
        is_terminal: bool,
        out: &'a mut dyn Write,
    ) -> Self {
        Self {
            state: State::new(arguments.user.clone()),
            arguments,
            credential,
            usersig: None,
            out,
            input: BufReader::new(input).lines(),
            input_ended: false,
            is_terminal,
            lines: VecDeque::new(),
            current: None,
            older: None,
            backoff: Backoff::default(),
            requests: 0,
            run: random(),
        }
    }

    /// Connects, and connects again, until the user or the server says that it is enough.
    async fn run(&mut self) -> Result<(), Failure> {
        loop {
            let usersig = self.usersig().await?;
            let end = match session::connect(&self.arguments.url).await {
                Ok(socket) => session::run(self, socket, usersig).await?,
                Err(end) => Some(end),
            };
            self.state.disconnected();
            match end {
                None => return Ok(()),
                // All that was left was to log in: a script wants to know that it failed.
                Some(End::Again(why)) if self.is_done() => return Err(Failure::io(why)),
                Some(End::Again(why)) => self.say(&why)?,
                Some(End::Refresh(why)) => {
                    if matches!(self.credential, Credential::Given(_)) {
                        let line = format!("--usersig: {why}; get a new one");
                        return Err(Failure::new(Failure::REFUSED, line));
                    }
                    self.usersig = None;
                    self.say(&why)?;
                }
                Some(End::Stop(why)) => return Err(Failure::new(Failure::REFUSED, why)),
            }
            let wait = self.backoff.next(SystemClock.now(), random());
            self.say(&format!("next try in {:.1} s", wait.as_secs_f32()))?;
            if self.wait(wait).await? {
                return Ok(());
            }
        }
    }

    /// The credential at hand, or one made now.
    async fn usersig(&mut self) -> Result<String, Failure> {
        if let Some(usersig) = &self.usersig {
            return Ok(usersig.clone());
        }
        let usersig = match &self.credential {
            Credential::Given(text) => text.clone(),
            Credential::Local(settings) => {
                let Arguments { app, user, .. } = &self.arguments;
                make_usersig(settings, *app, user, LIFETIME).await?
            }
        };
        self.usersig = Some(usersig.clone());
        Ok(usersig)
    }

    /// Waits without a connection; true if the user wants to leave meanwhile.
    async fn wait(&mut self, duration: Duration) -> Result<bool, Failure> {
        let until = tokio::time::Instant::now() + duration;
        loop {
            if self.is_done() {
                return Ok(true);
            }
            tokio::select! {
                () = tokio::time::sleep_until(until) => return Ok(false),
                line = self.input.next_line(), if self.reads_on() => {
                    self.typed(line)?;
                    // Somebody who types it wants out now; a script wants what comes before it done first.
                    if self.is_terminal
                        && self.lines.back().is_some_and(|line| line.trim() == "quit")
                    {
                        return Ok(true);
                    }
                }
            }
        }
    }

    /// Whether more lines are wanted: a pipe is not read into memory whole.
    fn reads_on(&self) -> bool {
        !self.input_ended && self.lines.len() < MOST_AHEAD
    }

    /// Takes a line, or the end of input.
    fn typed(&mut self, line: io::Result<Option<String>>) -> Result<(), Failure> {
        match line {
            Ok(Some(line)) => self.lines.push_back(line),
            Ok(None) => self.input_ended = true,
            Err(error) => return Err(Failure::io(format!("standard input: {error}"))),
        }
        Ok(())
    }

    /// Whether everything that was typed is done and nothing more will be.
    fn is_done(&self) -> bool {
        self.input_ended && self.lines.is_empty() && self.current.is_none()
    }

    /// The next call to make, after doing what needs no server; an error ends the client.
    fn next_call(&mut self) -> Result<Next, Failure> {
        while let Some(line) = self.lines.pop_front() {
            self.requests += 1;
            let context = Context {
                state: &self.state,
                older: self.older.as_ref(),
                request_id: &format!("{:016x}-{}", self.run, self.requests),
            };
            match commands::parse(&line, &context) {
                Ok(Command::Nothing) => {}
                Ok(Command::List) => self.show(&render::list(&self.state))?,
                Ok(Command::Help) => self.show(&[commands::HELP.into()])?,
                Ok(Command::Quit) => return Ok(Next::Quit),
                Ok(Command::Call(call)) => return Ok(Next::Call(call)),
                Err(why) => self.show(&[render::printable(&why)])?,
            }
        }
        Ok(if self.is_done() {
            Next::Quit
        } else {
            Next::Nothing
        })
    }

    /// Shows what happened.
    fn tell(&mut self, news: &[News]) -> Result<(), Failure> {
        for piece in news {
            for line in render::news(piece, &self.state) {
                self.say(&line)?;
            }
        }
        Ok(())
    }

    /// Shows an answer.
    fn show(&mut self, lines: &[String]) -> Result<(), Failure> {
        for line in lines {
            writeln!(self.out, "{line}")?;
        }
        Ok(self.out.flush()?)
    }

    /// Shows something that happened now.
    fn say(&mut self, line: &str) -> Result<(), Failure> {
        writeln!(self.out, "{}", render::stamped(SystemClock.now(), line))?;
        Ok(self.out.flush()?)
    }
}

/// What to do next.
enum Next {
    Nothing,
    Call(Call),
    Quit,
}

/// For spreading and naming; a machine without random numbers still gets the clock.
fn random() -> u64 {
    getrandom::u64().unwrap_or_else(|_| SystemClock.now().unsigned_abs())
}
