//! Every feature of call control and every way a call can fail, played in virtual time. What is seen
//! is `docs/ladders/`; `OFFHOOK_WRITE_DOCS=1 cargo test -p offhook-call --test ladders` writes it anew (twice where a ladder
//! is new: the index reads the pages).

#[allow(dead_code, reason = "the other tests use all of it")]
#[path = "../phone/stage.rs"]
mod stage;

mod failures;
mod features;
mod index;
mod inside;
mod ladder;
mod lost;
mod manager;
mod redirected;
mod registered;
mod transfers;
mod unheard;
mod words;

use std::path::PathBuf;

/// Where a page is.
fn place(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "../../docs/ladders", name].iter().collect()
}

/// Compares a page with what was played, or writes it.
fn page(name: &str, title: &str, words: &str, ladders: &str) {
    let page = format!(
        "# {title}\n\n{words}\n\nTime is that of the phone's own timers, in virtual time; `crates/call/tests/ladders` plays and \
         compares each ladder, and writes this page.\n{ladders}"
    );
    compare(name, &page);
}

fn compare(name: &str, page: &str) {
    let path = place(name);
    if std::env::var_os("OFFHOOK_WRITE_DOCS").is_some() {
        std::fs::write(&path, page).expect("the page is written");
        return;
    }
    let known = std::fs::read_to_string(&path).unwrap_or_default();
    let differ = known.lines().zip(page.lines()).find(|(known, played)| known != played);
    assert!(
        known == page,
        "docs/ladders/{name} is not what was played (OFFHOOK_WRITE_DOCS=1 writes it anew): {differ:?}"
    );
}
