//! Prepared statements, kept for as long as their connection is.

use std::cell::RefCell;
use std::collections::HashMap;

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

/// A connection's statements. One is prepared when it is first needed.
pub(super) struct Statements<'c> {
    connection: &'c Connection,
    kept: RefCell<HashMap<Place, Statement<'c>>>,
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
