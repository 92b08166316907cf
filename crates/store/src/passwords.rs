//! Passwords, in memory until the program ends. The credential stores of the operating systems
//! come with a later issue; no password is ever written to a file.

use std::collections::HashMap;

use offhook_model::Secret;

/// Passwords by account.
#[derive(Default)]
pub struct Passwords(HashMap<String, Secret<String>>);

impl Passwords {
    /// Keeps one.
    pub fn put(&mut self, account: String, password: Secret<String>) {
        self.0.insert(account, password);
    }

    /// Reads one.
    pub fn get(&self, account: &str) -> Option<Secret<String>> {
        self.0.get(account).cloned()
    }

    /// Forgets one.
    pub fn forget(&mut self, account: &str) {
        self.0.remove(account);
    }
}
