//! A client process: takes orders on its standard input, carries them out, tells on its standard output.

use std::io::{self, BufRead as _, Write as _};
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::thread;
use std::time::{Duration, Instant};

use super::order::{Order, Setup, Word};
use super::task::drive::Drive;
use super::task::each::Each;
use super::task::open::Open;
use super::task::pulse::Pulse;
use super::task::settle::Settle;
use super::task::{Next, Task};
use super::world::World;
use crate::Fallible;

/// Between two words about progress.
const PROGRESS: Duration = Duration::from_millis(200);

/// Runs until told to stop, or until whoever gives the orders has gone.
pub(crate) fn run() -> Fallible<()> {
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    let setup: Setup = serde_json::from_str(&line)?;
    let mut world = World::new(&setup)?;
    let orders = listen(&world)?;
    match work(&mut world, &orders) {
        Ok(()) => Ok(()),
        Err(error) => say(&Word::Failed(error.to_string())),
    }
}

/// Reads orders in a thread of its own, so that the event loop never waits for them.
fn listen(world: &World) -> io::Result<Receiver<Order>> {
    let (sender, orders) = channel();
    let waker = world.waker()?;
    thread::Builder::new()
        .name("orders".into())
        .spawn(move || {
            for line in io::stdin().lock().lines() {
                let order = line.ok().and_then(|line| serde_json::from_str(&line).ok());
                // Nothing can be done about a loop that has ended.
                let is_over =
                    sender.send(order.unwrap_or(Order::Stop)).is_err() || waker.wake().is_err();
                if is_over {
                    return;
                }
            }
            drop(sender);
            drop(waker.wake());
        })?;
    Ok(orders)
}

struct Running {
    task: Box<dyn Task>,
    began: Instant,
    told: Instant,
}

fn work(world: &mut World, orders: &Receiver<Order>) -> Fallible<()> {
    let mut running: Option<Running> = None;
    loop {
        if running.is_none() {
            match orders.try_recv() {
                Ok(Order::Stop) | Err(TryRecvError::Disconnected) => return Ok(()),
                Ok(order) => {
                    let began = Instant::now();
                    let task = begin(world, order);
                    running = Some(Running {
                        task,
                        began,
                        told: began,
                    });
                }
                Err(TryRecvError::Empty) => {}
            }
        }
        let Some(now) = &mut running else {
            world.wait(None)?;
            continue;
        };
        match now.task.step(world, Instant::now()) {
            Next::At(at) => {
                let spoke = now.told.elapsed();
                if spoke >= PROGRESS {
                    now.told = Instant::now();
                    let (done, of) = now.task.progress(world);
                    say(&Word::Progress { done, of })?;
                }
                world.wait(Some(at))?;
            }
            Next::Done => {
                let mut tally = std::mem::take(&mut world.tally);
                tally.seconds = now.began.elapsed().as_secs_f64();
                say(&Word::Done(Box::new(tally)))?;
                running = None;
            }
        }
    }
}

fn begin(world: &mut World, order: Order) -> Box<dyn Task> {
    match order {
        Order::Open {
            block,
            connections,
            in_flight,
            jitter_ms,
            resume,
        } => {
            let slots = world.slots(block);
            let slots = slots.start..slots.end.min(slots.start + connections);
            Box::new(Open::new(
                world,
                slots,
                in_flight,
                Duration::from_millis(jitter_ms),
                resume,
            ))
        }
        Order::Close { block, keep } => {
            let slots = world.slots(block);
            for slot in slots.start + keep..slots.end {
                world.close(slot);
            }
            Box::new(Nothing)
        }
        Order::Each { block, what } => Box::new(Each::new(world, block, what)),
        Order::Stall { block, on } => {
            let devices = world.blocks[block].devices as usize;
            for slot in world
                .slots(block)
                .skip(devices.saturating_sub(1))
                .step_by(devices.max(1))
            {
                world.stall(slot, on);
            }
            Box::new(Nothing)
        }
        Order::Drive(order) => Box::new(Drive::new(world, order)),
        Order::Pulse {
            block,
            account,
            under_way,
            operations,
            millis,
        } => Box::new(Pulse::new(
            world,
            block,
            account,
            under_way,
            operations,
            Duration::from_millis(millis),
        )),
        Order::Settle { patience_ms } => Box::new(Settle::new(Duration::from_millis(patience_ms))),
        Order::Stop => Box::new(Nothing),
    }
}

/// What was to be done is done already.
struct Nothing;

impl Task for Nothing {
    fn step(&mut self, _: &mut World, _: Instant) -> Next {
        Next::Done
    }

    fn progress(&self, _: &World) -> (u64, u64) {
        (1, 1)
    }
}

fn say(word: &Word) -> Fallible<()> {
    let mut out = io::stdout().lock();
    serde_json::to_writer(&mut out, word)?;
    out.write_all(b"\n")?;
    out.flush()?;
    Ok(())
}
