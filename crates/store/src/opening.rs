//! Opening an account's history, whatever is found in its place.

use std::path::Path;

use offhook_model::Keeping;
use offhook_ports::KeepingPlan;
use rusqlite::Connection;

use crate::base::Base;
use crate::history::History;
use crate::schema::words;

/// Opens or makes the account's history. With it comes what is to be told, if the file cannot be
/// used: then it is left alone, and messages are in memory until the history is closed.
///
/// # Errors
/// In words, without private content, when not even that is possible.
pub fn open(
    data: &Path,
    account: &str,
    plan: KeepingPlan,
) -> Result<(History, Option<String>), String> {
    match on_disk(data, account) {
        Ok(disk) => Ok((History::new(Some(disk), plan, Keeping::default())?, None)),
        Err(why) => {
            let keeping = Keeping { why: Some(why.clone()), ..Keeping::default() };
            Ok((History::new(None, plan, keeping)?, Some(why)))
        }
    }
}

fn on_disk(data: &Path, account: &str) -> Result<Base, String> {
    let folder = data.join("history");
    std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    let path = folder.join(format!("{}.db", file_name(account)));
    Base::new(Connection::open(path).map_err(words)?)
}

/// An account as a file name on every system: everything but letters, digits, `.`, `-`, `_` and
/// `@` is written as `%` and two hexadecimal digits.
pub fn file_name(account: &str) -> String {
    let mut name = String::with_capacity(account.len());
    for byte in account.bytes() {
        if byte.is_ascii_alphanumeric() || b".-_@".contains(&byte) {
            name.push(char::from(byte));
        } else {
            name.push_str(&format!("%{byte:02x}"));
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::file_name;

    #[test]
    fn an_account_is_a_safe_file_name() {
        assert_eq!(file_name("a@b.c"), "a@b.c");
        assert_eq!(file_name("../x/y"), "..%2fx%2fy");
    }
}
