//! Bad input: whatever comes, there is one answer to it that is defined, the server lives, and nobody else notices.
//!
//! Each file holds a table of named cases about one subject. Every case goes over a real socket, and its answer is
//! compared as a whole: code, id and field, or close code, or HTTP status. Floods and attacks by slowness, whose
//! point is time and not one answer, are tests of their own.

mod case;
mod credentials;
mod envelope;
mod floods;
mod frames;
mod ground;
mod handshakes;
mod ids;
mod json;
mod others;
mod random;
mod raw;
mod sizes;
mod types;

use std::collections::BTreeSet;

#[test]
fn there_are_many_cases_and_each_has_a_name_of_its_own() {
    let names: Vec<String> = [
        credentials::cases(),
        envelope::cases(),
        frames::cases(),
        handshakes::cases(),
        ids::cases(),
        json::cases(),
        others::cases(),
        sizes::cases(),
        types::cases(),
    ]
    .into_iter()
    .flatten()
    .map(|case| case.name)
    .collect();
    let mut distinct = BTreeSet::new();
    for name in &names {
        assert!(distinct.insert(name), "two cases are called {name}");
    }
    assert!(names.len() >= 1000, "{} cases", names.len());
}
