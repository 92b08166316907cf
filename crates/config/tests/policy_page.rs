//! The table of keys in `docs/policy.md` is the catalogue's. To write it anew after a change:
//! `OFFHOOK_WRITE_DOCS=1 cargo test -p offhook-config --test policy_page`.

use std::fmt::Write;

use offhook_config::{Key, keys};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/policy.md");
const MARKS: (&str, &str) = ("<!-- keys -->\n", "<!-- /keys -->");

#[test]
fn the_table_of_keys_is_the_catalogue() {
    let page = std::fs::read_to_string(PAGE).expect("the page");
    let (before, rest) = page.split_once(MARKS.0).expect("the mark");
    let (written, after) = rest.split_once(MARKS.1).expect("the other mark");
    let table = table();
    if std::env::var_os("OFFHOOK_WRITE_DOCS").is_some() {
        let page = format!("{before}{}{table}{}{after}", MARKS.0, MARKS.1);
        std::fs::write(PAGE, page).expect("written");
        return;
    }
    assert!(written == table, "docs/policy.md is behind crates/config/src/keys.txt");
}

fn table() -> String {
    let mut text = String::new();
    let mut section = "";
    for key in keys() {
        if key.section != section {
            section = key.section;
            let _ = write!(
                text,
                "\n### {section}\n\n| key | also | values | default | set by | acts |\n|---|---|---|---|---|---|\n"
            );
        }
        row(&mut text, key);
    }
    text.push('\n');
    text
}

fn row(text: &mut String, key: &Key) {
    let quoted =
        |names: &[&str]| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" ");
    let default = key.default.map(|value| format!("`{value}`")).unwrap_or_default();
    let acts = if key.acted_on { "yes" } else { "" };
    let _ = writeln!(
        text,
        "| `{}` | {} | {} | {default} | {} | {acts} |",
        key.name,
        quoted(&key.aliases),
        key.kind.words(),
        key.setters().join(", "),
    );
}
