//! Prepared statements, kept for as long as their connection is.

use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use rusqlite::{Connection, Params, PrepFlags, Statement};

use super::error::failure;
use crate::store::Result;

/// A statement's text.
pub(super) enum Sql {
    /// Written in the program, and so known by its place there: finding it again costs no look at the text.
    Fixed(&'static str),
    /// Put together as it was needed.
    Made(String),
}

impl From<&'static str> for Sql {
    fn from(text: &'static str) -> Self {
        Self::Fixed(text)
    }
}

impl From<&String> for Sql {
    fn from(text: &String) -> Self {
        Self::Made(text.clone())
    }
}

/// Where a text stands, and how long it is: two texts for which these are the same are the same.
type Place = (usize, usize);

/// Places differ already: there is nothing to protect a table of the program's own texts from.
#[derive(Default)]
struct PlaceHasher(u64);

impl Hasher for PlaceHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_usize(usize::from(*byte));
        }
    }

    fn write_usize(&mut self, number: usize) {
        // An odd number with bits all over (the golden ratio's) spreads neighbours over the table.
        self.0 = (self.0.rotate_left(32) ^ number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

/// A connection's statements. One is prepared when it is first needed.
pub(super) struct Statements<'c> {
    connection: &'c Connection,
    kept: RefCell<HashMap<Place, Statement<'c>, BuildHasherDefault<PlaceHasher>>>,
}

impl<'c> Statements<'c> {
    pub(super) fn of(connection: &'c Connection) -> Self {
        Self {
            connection,
            kept: RefCell::default(),
        }
    }

    /// Hands the statement to `work`.
    pub(super) fn with<T>(
        &self,
        sql: Sql,
        work: impl FnOnce(&mut Statement<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        let text = match sql {
            Sql::Fixed(text) => text,
            Sql::Made(text) => return work(&mut *self.connection.prepare_cached(&text)?),
        };
        let place = (text.as_ptr().addr(), text.len());
        // Taken out while it is used: `work` may well need another.
        let kept = self.kept.borrow_mut().remove(&place);
        let mut statement = match kept {
            Some(statement) => statement,
            None => self
                .connection
                .prepare_with_flags(text, PrepFlags::SQLITE_PREPARE_PERSISTENT)?,
        };
        let result = work(&mut statement);
        self.kept.borrow_mut().insert(place, statement);
        result
    }

    /// Runs a statement; returns how many rows it changed.
    pub(super) fn execute(&self, sql: Sql, params: impl Params) -> Result<usize> {
        self.with(sql, |statement| statement.execute(params))
            .map_err(failure)
    }
}
