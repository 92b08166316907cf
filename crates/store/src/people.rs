//! What is known of people: a row for what one source says of one person.
//!
//! A row's number is its place in the order of telling, whatever the clock did meanwhile: an entry
//! that is told again gets a new one. So those with the lowest numbers go first when there are too
//! many. The time is there for those who forget by age.

use offhook_model::{DirectoryEntry, SourceKind, Timestamp};
use rusqlite::{Row, params};

use crate::base::Base;
use crate::rows::odd;

/// How many entries of others are kept.
const MOST: i64 = 1_000_000;

/// What is remembered of the table.
pub struct People {
    /// How many entries of others are kept at most.
    most: i64,
    /// How many there are, where they were counted.
    pub(crate) count: Option<i64>,
}

impl Default for People {
    fn default() -> Self {
        Self { most: MOST, count: None }
    }
}

impl Base {
    /// Keeps entries, each in place of the one of its source and id, and lets those of others go
    /// that were told longest ago where there are too many.
    ///
    /// # Errors
    /// As every function here: the database's words, without content. Nothing is changed then.
    pub fn put_people(&mut self, entries: &[&DirectoryEntry]) -> Result<(), String> {
        if entries.is_empty() {
            return Ok(());
        }
        self.whole(|base| {
            let now = base.now()?;
            for entry in entries {
                // Source and id have columns of their own.
                let rest = DirectoryEntry { id: String::new(), ..(*entry).clone() };
                let rest = serde_json::to_string(&rest).map_err(|error| error.to_string())?;
                base.put_person(number(entry.source), &entry.id, now, &rest)?;
            }
            base.trim_people()
        })
    }

    /// Keeps what another database knows of people, with its times.
    pub fn take_people(&mut self, from: &Self) -> Result<(), String> {
        let sql = "SELECT source, id, told, entry FROM person ORDER BY number";
        let rows: Vec<(i64, String, i64, String)> = from.list(sql, [], |row| row.try_into())?;
        for (source, id, told, entry) in &rows {
            self.put_person(*source, id, *told, entry)?;
        }
        self.trim_people()
    }

    fn put_person(&mut self, source: i64, id: &str, told: i64, entry: &str) -> Result<(), String> {
        let gone =
            self.run("DELETE FROM person WHERE source = ?1 AND id = ?2", params![source, id])?;
        self.run(
            "INSERT INTO person (source, id, told, entry) VALUES (?1, ?2, ?3, ?4)",
            params![source, id, told, entry],
        )?;
        if gone == 0 && source != OWN {
            self.people.count = self.people.count.map(|count| count + 1);
        }
        Ok(())
    }

    fn trim_people(&mut self) -> Result<(), String> {
        let count = match self.people.count {
            Some(count) => count,
            None => self.one("SELECT COUNT(*) FROM person WHERE source <> 0", [])?.unwrap_or(0),
        };
        let most = self.people.most;
        if count > most {
            self.run(
                "DELETE FROM person WHERE number IN
                    (SELECT number FROM person WHERE source <> 0 ORDER BY number LIMIT ?1)",
                [count - most],
            )?;
        }
        self.people.count = Some(count.min(most));
        Ok(())
    }

    /// Forgets what a source said: of these people, or of all.
    pub fn forget_people(
        &mut self,
        source: SourceKind,
        ids: Option<&[String]>,
    ) -> Result<(), String> {
        self.people.count = None;
        let source = number(source);
        let Some(ids) = ids else {
            return self.run("DELETE FROM person WHERE source = ?1", [source]).map(drop);
        };
        self.whole(|base| {
            ids.iter().try_for_each(|id| {
                let sql = "DELETE FROM person WHERE source = ?1 AND id = ?2";
                base.run(sql, params![source, id]).map(drop)
            })
        })
    }

    /// Forgets what others than ourselves said before this time.
    pub fn forget_people_before(&mut self, before: Timestamp) -> Result<(), String> {
        self.people.count = None;
        self.run("DELETE FROM person WHERE source <> 0 AND told < ?1", [before.0]).map(drop)
    }

    /// Forgets what others than ourselves said.
    pub fn forget_others_people(&mut self) -> Result<(), String> {
        self.people.count = None;
        self.run("DELETE FROM person WHERE source <> 0", []).map(drop)
    }

    /// What is known of people, in the order of telling, but for what others than ourselves said
    /// before this time, which is forgotten.
    pub fn people(&mut self, before: Timestamp) -> Result<Vec<DirectoryEntry>, String> {
        // A disk that is full can still be read. What is too old is not told in any case, and
        // deleted the next time.
        let _ = self.forget_people_before(before);
        self.list(
            "SELECT source, id, entry FROM person WHERE source = 0 OR told >= ?1 ORDER BY number",
            [before.0],
            entry,
        )
    }
}

fn entry(row: &Row<'_>) -> rusqlite::Result<DirectoryEntry> {
    let (source, text) = (row.get(0)?, row.get_ref(2)?);
    let entry: DirectoryEntry =
        serde_json::from_str(text.as_str()?).map_err(|error| odd(2, error))?;
    let source = kind(source).ok_or(rusqlite::Error::IntegralValueOutOfRange(0, source))?;
    Ok(DirectoryEntry { source, id: row.get(1)?, ..entry })
}

/// A source as a number. The numbers must never change their meaning.
fn number(source: SourceKind) -> i64 {
    match source {
        SourceKind::Own => OWN,
        SourceKind::Roster => 1,
        SourceKind::Ldap => 2,
        SourceKind::Uds => 3,
        SourceKind::AddressBook => 4,
        SourceKind::CardDav => 5,
        SourceKind::Vcards => 6,
        SourceKind::History => 7,
    }
}

/// We ourselves; the statements and an index of `schema.rs` have it written out.
const OWN: i64 = 0;

/// And back, where it is one.
fn kind(number: i64) -> Option<SourceKind> {
    Some(match number {
        OWN => SourceKind::Own,
        1 => SourceKind::Roster,
        2 => SourceKind::Ldap,
        3 => SourceKind::Uds,
        4 => SourceKind::AddressBook,
        5 => SourceKind::CardDav,
        6 => SourceKind::Vcards,
        7 => SourceKind::History,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use offhook_model::{DirectoryEntry, SourceKind, Timestamp};

    use super::Base;

    fn base(most: i64) -> Base {
        let mut base = Base::in_memory().expect("made");
        base.people.most = most;
        base
    }

    fn put(base: &mut Base, source: SourceKind, ids: &[&str]) {
        let entries: Vec<_> = ids.iter().map(|id| DirectoryEntry::new(source, *id)).collect();
        base.put_people(&entries.iter().collect::<Vec<_>>()).expect("kept");
    }

    fn ids(base: &mut Base) -> Vec<String> {
        let people = base.people(Timestamp(0)).expect("read");
        people.into_iter().map(|entry| entry.id).collect()
    }

    #[test]
    fn those_told_of_longest_ago_go_and_none_of_our_own() {
        let mut base = base(3);
        put(&mut base, SourceKind::Own, &["own 1", "own 2", "own 3", "own 4"]);
        put(&mut base, SourceKind::Ldap, &["a", "b", "c"]);
        put(&mut base, SourceKind::Ldap, &["a"]);
        put(&mut base, SourceKind::Uds, &["d"]);
        assert_eq!(ids(&mut base)[4..], ["c", "a", "d"]);
        put(&mut base, SourceKind::Ldap, &["e", "f", "g", "h"]);
        assert_eq!(ids(&mut base), ["own 1", "own 2", "own 3", "own 4", "f", "g", "h"]);
        base.forget_people(SourceKind::Ldap, Some(&["g".into()])).expect("forgotten");
        put(&mut base, SourceKind::Own, &["own 5"]);
        put(&mut base, SourceKind::Ldap, &["i"]);
        assert_eq!(ids(&mut base)[4..], ["f", "h", "own 5", "i"]);
    }

    /// What is counted is right again after rows were taken back.
    #[test]
    fn a_batch_that_is_lost_counts_nobody() {
        let mut base = base(2);
        put(&mut base, SourceKind::Ldap, &["a", "b"]);
        base.begin(false).expect("begun");
        base.forget_others_people().expect("forgotten");
        put(&mut base, SourceKind::Ldap, &["c"]);
        base.run("ROLLBACK", []).expect("lost");
        assert!(base.lost_batch());
        put(&mut base, SourceKind::Ldap, &["d"]);
        assert_eq!(ids(&mut base), ["b", "d"]);
    }

    #[test]
    fn people_of_memory_are_taken_with_their_times_and_within_the_limit() {
        let (mut disk, mut memory) = (base(2), base(9));
        put(&mut disk, SourceKind::Ldap, &["a", "b"]);
        put(&mut memory, SourceKind::Ldap, &["c", "a"]);
        memory.run("UPDATE person SET told = 7 WHERE id = 'a'", []).expect("changed");
        disk.take_people(&memory).expect("taken");
        assert_eq!(ids(&mut disk), ["c", "a"]);
        assert_eq!(disk.one("SELECT told FROM person WHERE id = 'a'", []), Ok(Some(7_i64)));
    }
}
