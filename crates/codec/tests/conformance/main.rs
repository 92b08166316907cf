//! Codecs beside other implementations of them; writes the tables in `docs/conformance.md`:
//! `OFFHOOK_WRITE_DOCS=1 cargo test -p offhook-codec --test conformance`.
//!
//! Where the frames and samples come from: `tests/fixtures/README.md`.

mod common;
mod g711;
mod g722;
mod g7221;
mod g729;
mod gsm;
mod itu;
mod opus;
mod rates;

#[test]
fn the_table_of_codecs_is_what_is_seen() {
    let head = "| codec | compared with | what | seen |\n|---|---|---|---|\n".to_owned();
    let rows = [g711::rows(), g722::rows(), g7221::rows(), g729::rows(), opus::rows(), gsm::rows()];
    common::write("audio codecs", &rows.concat().into_iter().fold(head, |table, row| table + &row));
}
