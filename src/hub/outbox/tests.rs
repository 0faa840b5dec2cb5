use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Wake, Waker};

use super::*;

/// A network that takes so many bytes, and shows them.
#[derive(Debug, Default)]
struct Pipe {
    room: Mutex<usize>,
    taken: Mutex<String>,
}

impl Wire for Pipe {
    fn try_push(&self, frame: &Frame, _: Instant) -> Sent {
        let mut room = self.room.lock().unwrap();
        let count = frame.len().min(*room);
        *room -= count;
        self.taken.lock().unwrap().push_str(&frame[..count]);
        match count {
            0 => Sent::Nothing,
            count if count == frame.len() => Sent::Whole,
            count => Sent::Part(count),
        }
    }

    fn address(&self) -> IpAddr {
        Ipv4Addr::LOCALHOST.into()
    }
}

fn outbox(frames: usize, bytes: usize) -> Outbox {
    Outbox::new(
        Bounds { frames, bytes },
        Arc::new(Pipe::default()),
        Turn::default(),
    )
}

/// An empty queue before a network that takes so many bytes.
fn outbox_with_room(room: usize) -> (Outbox, Arc<Pipe>) {
    let bounds = Bounds {
        frames: 9,
        bytes: 100,
    };
    let pipe = Arc::new(Pipe::default());
    *pipe.room.lock().unwrap() = room;
    let outbox = Outbox::new(bounds, Arc::<Pipe>::clone(&pipe), Turn::default());
    (outbox, pipe)
}

/// As the reader does before it rests.
fn rest(outbox: &Outbox) {
    let mut context = Context::from_waker(Waker::noop());
    assert_eq!(outbox.poll_take(&mut context), Poll::Pending);
    outbox.lend();
}

fn push(outbox: &Outbox, text: &str, head: u64) -> Pushed {
    outbox.push(&text.into(), Version(head), Instant::now())
}

/// What is taken, in words.
fn taken(outbox: &Outbox) -> Vec<String> {
    std::iter::from_fn(|| outbox.try_take())
        .map(|item| match item {
            Item::Push { frame, .. } => frame.to_string(),
            Item::Answer => "answer".into(),
            Item::Hint(head) => format!("hint {head}"),
            Item::Notice(frame) => format!("notice {frame}"),
            Item::Close(order) => format!("close {}", order.close.code()),
        })
        .collect()
}

fn order(close: Close) -> Order {
    Order {
        farewell: None,
        close,
    }
}

#[test]
fn pushes_come_out_in_order() {
    let outbox = outbox(3, 100);
    for (head, text) in ["a", "b", "c"].into_iter().enumerate() {
        assert_eq!(push(&outbox, text, head as u64), Pushed::Queued);
    }
    assert_eq!(taken(&outbox), ["a", "b", "c"]);
    assert!(outbox.is_empty());
}

#[test]
fn one_frame_too_many_collapses_the_queue_into_a_hint() {
    let outbox = outbox(2, 100);
    push(&outbox, "a", 1);
    push(&outbox, "b", 2);
    assert_eq!(push(&outbox, "c", 3), Pushed::Collapsed);
    assert_eq!(push(&outbox, "d", 4), Pushed::Folded);
    assert_eq!(taken(&outbox), ["hint 4"]);
    assert_eq!(push(&outbox, "e", 5), Pushed::Queued);
    assert_eq!(taken(&outbox), ["e"]);
}

#[test]
fn one_byte_too_many_collapses_the_queue_into_a_hint() {
    let outbox = outbox(100, 4);
    push(&outbox, "ab", 1);
    push(&outbox, "cd", 2);
    assert_eq!(push(&outbox, "e", 3), Pushed::Collapsed);
    assert_eq!(taken(&outbox), ["hint 3"]);
}

#[test]
fn taking_makes_room() {
    let outbox = outbox(1, 2);
    for head in 1..100 {
        assert_eq!(push(&outbox, "ab", head), Pushed::Queued);
        assert_eq!(taken(&outbox), ["ab"]);
    }
}

#[test]
fn a_hint_never_goes_back() {
    let outbox = outbox(0, 0);
    push(&outbox, "a", 9);
    push(&outbox, "b", 3);
    outbox.collapse(Version(5));
    assert_eq!(taken(&outbox), ["hint 9"]);
}

#[test]
fn a_kick_is_first_and_silences_the_rest() {
    let outbox = outbox(2, 100);
    push(&outbox, "a", 1);
    outbox.notice("bye".into());
    outbox.close(order(Close::Kicked));
    outbox.close(order(Close::Revoked));
    assert_eq!(push(&outbox, "b", 2), Pushed::Ignored);
    assert_eq!(taken(&outbox), ["close 4509"]);
    assert_eq!(push(&outbox, "c", 3), Pushed::Ignored);
    outbox.close(order(Close::Revoked));
    assert_eq!(taken(&outbox), Vec::<String>::new());
}

#[test]
fn a_kick_is_not_lost_in_a_full_queue() {
    let outbox = outbox(1, 100);
    push(&outbox, "a", 1);
    push(&outbox, "b", 2);
    outbox.close(order(Close::Kicked));
    assert_eq!(taken(&outbox), ["close 4509"]);
}

#[test]
fn a_restart_lets_the_queue_out_first_and_gives_way_to_a_kick() {
    let outbox = outbox(9, 100);
    push(&outbox, "a", 1);
    outbox.notice("draining".into());
    outbox.close(order(Close::Restart));
    push(&outbox, "b", 2);
    assert_eq!(taken(&outbox), ["notice draining", "a", "b", "close 1012"]);

    let outbox = self::outbox(9, 100);
    outbox.close(order(Close::Restart));
    outbox.close(order(Close::Revoked));
    assert_eq!(taken(&outbox), ["close 4501"]);
}

#[test]
fn an_answer_keeps_its_place() {
    let outbox = outbox(9, 100);
    push(&outbox, "a", 1);
    outbox.mark_answer();
    outbox.mark_answer();
    push(&outbox, "c", 3);
    assert_eq!(taken(&outbox), ["a", "answer", "c"]);
}

/// Counts how often the reader is woken.
#[derive(Default)]
struct Wakings(AtomicUsize);

impl Wake for Wakings {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// It was woken for the mark, found no answer, and was woken again for it microseconds later.
#[test]
fn a_reader_sleeps_on_until_its_answer_is_there() {
    let outbox = outbox(9, 100);
    let wakings = Arc::new(Wakings::default());
    let waker = Waker::from(Arc::clone(&wakings));
    let mut context = Context::from_waker(&waker);
    assert_eq!(outbox.poll_take(&mut context), Poll::Pending);
    outbox.mark_answer();
    assert_eq!(wakings.0.load(Ordering::Relaxed), 0);
    push(&outbox, "a", 1);
    assert_eq!(wakings.0.load(Ordering::Relaxed), 1);
    assert_eq!(taken(&outbox), ["answer", "a"]);
}

#[tokio::test]
async fn a_waiting_reader_is_woken() {
    let outbox = Arc::new(outbox(9, 100));
    let taken = std::future::poll_fn(|context| outbox.poll_take(context));
    let pushed = async {
        tokio::task::yield_now().await;
        push(&outbox, "a", 1);
    };
    let (item, ()) = tokio::join!(taken, pushed);
    assert!(matches!(item, Item::Push { frame, .. } if frame == "a"));
}

#[test]
fn a_push_goes_straight_to_a_wire_that_is_lent() {
    let (outbox, pipe) = outbox_with_room(99);
    assert_eq!(push(&outbox, "a", 1), Pushed::Queued, "nobody rests yet");
    assert_eq!(taken(&outbox), ["a"]);
    rest(&outbox);
    assert_eq!(push(&outbox, "b", 2), Pushed::Written);
    assert_eq!(push(&outbox, "c", 3), Pushed::Written);
    assert_eq!(outbox.reclaim(), None);
    assert_eq!(
        push(&outbox, "d", 4),
        Pushed::Queued,
        "it is the reader's again"
    );
    assert_eq!(taken(&outbox), ["d"]);
    assert_eq!(*pipe.taken.lock().unwrap(), "bc");
}

#[test]
fn what_a_full_wire_did_not_take_is_the_readers_to_write_in_order() {
    let (outbox, pipe) = outbox_with_room(4);
    rest(&outbox);
    assert_eq!(push(&outbox, "abc", 1), Pushed::Written);
    assert_eq!(push(&outbox, "def", 2), Pushed::Queued);
    // There is room again, and still nobody overtakes.
    *pipe.room.lock().unwrap() = 99;
    assert_eq!(push(&outbox, "ghi", 3), Pushed::Queued);
    assert_eq!(*pipe.taken.lock().unwrap(), "abcd");
    let left = outbox.reclaim().unwrap();
    assert_eq!((left.frame.as_str(), left.written), ("def", 1));
    assert_eq!(taken(&outbox), ["ghi"]);

    let (outbox, _) = outbox_with_room(0);
    rest(&outbox);
    assert_eq!(push(&outbox, "abc", 1), Pushed::Queued);
    assert_eq!(outbox.reclaim(), None);
    assert_eq!(taken(&outbox), ["abc"]);
}

#[test]
fn a_wire_is_lent_only_while_nothing_waits() {
    let (outbox, pipe) = outbox_with_room(99);
    push(&outbox, "a", 1);
    outbox.lend();
    assert_eq!(push(&outbox, "b", 2), Pushed::Queued);
    assert_eq!(taken(&outbox), ["a", "b"]);
    rest(&outbox);
    outbox.close(order(Close::Kicked));
    assert_eq!(push(&outbox, "c", 3), Pushed::Ignored);
    assert_eq!(taken(&outbox), ["close 4509"]);
    outbox.lend();
    assert_eq!(push(&outbox, "d", 4), Pushed::Ignored);
    assert_eq!(*pipe.taken.lock().unwrap(), "");
}

#[test]
fn a_kick_does_not_cut_a_push_in_two() {
    let (outbox, _) = outbox_with_room(1);
    rest(&outbox);
    push(&outbox, "abc", 1);
    outbox.close(order(Close::Kicked));
    assert!(outbox.reclaim().is_some_and(|rest| rest.written == 1));
    assert_eq!(taken(&outbox), ["close 4509"]);
}

#[test]
fn an_idle_queue_takes_no_memory() {
    let outbox = outbox(9, 100);
    push(&outbox, "a", 1);
    taken(&outbox);
    assert!(outbox.lock().waiting.is_none());
}

fn take_turn(outbox: &Outbox, turn: u64, frame: Option<&str>, head: u64) -> Pushed {
    let frame = frame.map(Frame::from);
    outbox.take_turn(Turn(turn), frame.as_ref(), Version(head), Instant::now())
}

#[test]
fn a_turn_is_taken_once_and_none_of_before() {
    let (outbox, pipe) = outbox_with_room(99);
    rest(&outbox);
    assert_eq!(take_turn(&outbox, 2, Some("b"), 2), Pushed::Written);
    assert_eq!(take_turn(&outbox, 2, Some("b"), 2), Pushed::Ignored);
    assert_eq!(take_turn(&outbox, 1, Some("a"), 1), Pushed::Ignored);
    assert_eq!(push(&outbox, "c", 3), Pushed::Written);
    assert_eq!(take_turn(&outbox, 3, Some("d"), 4), Pushed::Written);
    assert_eq!(*pipe.taken.lock().unwrap(), "bcd");
}

#[test]
fn a_turn_without_a_frame_is_a_hint() {
    let outbox = outbox(9, 100);
    assert_eq!(take_turn(&outbox, 1, None, 7), Pushed::Collapsed);
    assert_eq!(take_turn(&outbox, 2, None, 8), Pushed::Folded);
    assert_eq!(taken(&outbox), ["hint 8"]);
}
