//! The bootstrap file that installer switches leave behind, and when it counts (reference
//! bootstrap.md sections 1 and 2).

use offhook_model::{Area, Layer, Owner, Problem, Provisioned, Source};
use sha2::{Digest, Sha256};

use crate::keys::{find, flag};
use crate::text::{MAX_NAME, MAX_SETTINGS, MAX_VALUE, decoded, setting};

/// Bytes of a bootstrap file beyond this number are not read. A real one has 45 lines.
pub const MAX_BOOTSTRAP: usize = 64 << 10;

/// What installers write for a switch that was not given.
const NOT_GIVEN: &str = "NOT_SPECIFIED";

/// Reads a bootstrap file: `Key: value` or `Key=value`, one a line, `#` and `!` begin comments.
/// Names are those of switches or of the configuration file. Every file gives a layer; lines that
/// are none are told among its oddities.
pub fn read_bootstrap(data: &[u8], origin: &str) -> Layer {
    let mut layer = Layer {
        source: Source::Bootstrap,
        origin: origin.to_owned(),
        settings: vec![],
        oddities: vec![],
    };
    if data.len() > MAX_BOOTSTRAP {
        layer.oddities.push(format!("only its first {MAX_BOOTSTRAP} bytes are read"));
    }
    let (text, odd) = decoded(data.get(..MAX_BOOTSTRAP).unwrap_or(data));
    layer.oddities.extend(odd.map(str::to_owned));
    let mut strange = vec![];
    for (line, text) in (1u32..).zip(text.lines()) {
        match read_line(text.trim()) {
            Line::Nothing => {}
            Line::Setting(..) if layer.settings.len() >= MAX_SETTINGS => {
                layer.oddities.push(format!("only its first {MAX_SETTINGS} settings are read"));
                break;
            }
            Line::Setting(key, value) => layer.settings.push(setting(key, None, value, line)),
            Line::Strange => strange.push(line),
        }
    }
    if let Some(first) = strange.first() {
        layer.oddities.push(match strange.len() {
            1 => format!("line {first} is no setting"),
            many => format!("{many} lines are no settings, the first of them line {first}"),
        });
    }
    layer
}

/// It says `CLEAR=1`: what an earlier bootstrap file said is to be forgotten.
pub fn says_clear(layer: &Layer) -> bool {
    let clear = |key| find(key, Source::Bootstrap).is_some_and(|(key, _)| key.name == "Clear");
    layer.settings.iter().any(|it| clear(&it.key) && flag(&it.value) == Some(true))
}

/// SHA-256 of the file, in hex, by which it is known again.
pub fn bootstrap_digest(data: &[u8]) -> String {
    Sha256::digest(data).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What is known at the start of the program. The bootstrap file (its path and content) is read on
/// the first launch only. A file that was altered later counts for nothing, which is told (D23),
/// unless it says `CLEAR=1`: then it takes the place of the first one, once.
pub fn first_launch(kept: Provisioned, file: Option<(&str, &[u8])>) -> (Provisioned, Vec<Problem>) {
    let mut known = kept;
    let first = !std::mem::replace(&mut known.launched, true);
    let Some((origin, data)) = file else { return (known, vec![]) };
    let digest = bootstrap_digest(data);
    if known.bootstrap_digest.as_ref() == Some(&digest) {
        return (known, vec![]);
    }
    let layer = read_bootstrap(data, origin);
    if !first && !says_clear(&layer) {
        return (known, vec![read_once_only(origin)]);
    }
    known.bootstrap_digest = Some(digest);
    known.layers.retain(|layer| layer.source != Source::Bootstrap);
    let problems = crate::problems(&layer);
    known.layers.push(layer);
    (known, problems)
}

/// An installer switch that does nothing (D23).
fn read_once_only(origin: &str) -> Problem {
    Problem::new(
        Area::Provisioning,
        Owner::Admin,
        format!(
            "The bootstrap file {origin} was altered after the first launch of this profile, so \
             what it says now has no effect."
        ),
        "Install again with CLEAR=1, or write CLEAR=1 into the file; resetting the client reads it \
         again as well.",
    )
    .with_rule(23)
    .with_evidence("the file's SHA-256 is not that of the one that was read")
}

enum Line<'a> {
    /// Empty, a comment, or a switch that was not given.
    Nothing,
    Setting(&'a str, &'a str),
    Strange,
}

fn read_line(line: &str) -> Line<'_> {
    if line.is_empty() || line.starts_with(['#', '!']) || line.eq_ignore_ascii_case(NOT_GIVEN) {
        return Line::Nothing;
    }
    // The first of the two divides: a value may hold either, as in a web address.
    let Some((key, value)) = line.split_once([':', '=']) else { return Line::Strange };
    let (key, value) = (key.trim(), unquoted(value.trim()));
    let name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    if key.is_empty() || key.len() > MAX_NAME || !key.chars().all(name) || value.len() > MAX_VALUE {
        return Line::Strange;
    }
    if value.eq_ignore_ascii_case(NOT_GIVEN) {
        return Line::Nothing;
    }
    Line::Setting(key, value)
}

/// Switches with spaces are quoted on the command line, and copied so.
fn unquoted(value: &str) -> &str {
    value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use offhook_model::{Provisioned, Rule, Source};

    use super::{MAX_BOOTSTRAP, first_launch, read_bootstrap};

    /// As an installer of the field writes it: lines that hold one word only.
    const FILE: &[u8] = b"NOT_SPECIFIED\r\nProductMode: Phone_Mode\r\nNOT_SPECIFIED\r\n\
        # by hand\r\n! as well\r\nservices_domain=example.com\r\nLOG_DIRECTORY: C:\\logs\r\n\
        Forgot_Password_URL: https://h/x?a=b\r\nrubbish\r\nSSO_Enabled: FALSE";

    #[test]
    fn lines_of_both_kinds_are_read() {
        let layer = read_bootstrap(FILE, "b");
        let read: Vec<_> =
            layer.settings.iter().map(|it| (it.key.as_str(), it.value.as_str(), it.line)).collect();
        assert_eq!(
            read,
            [
                ("ProductMode", "Phone_Mode", Some(2)),
                ("services_domain", "example.com", Some(6)),
                ("LOG_DIRECTORY", "C:\\logs", Some(7)),
                ("Forgot_Password_URL", "https://h/x?a=b", Some(8)),
                ("SSO_Enabled", "FALSE", Some(10)),
            ]
        );
        assert_eq!(layer.oddities, ["line 9 is no setting"]);
    }

    #[test]
    fn a_file_without_end_is_cut() {
        let layer = read_bootstrap(&b"A: b\n".repeat(100_000), "b");
        assert_eq!(layer.settings.len(), 1_000);
        assert!(layer.oddities.iter().any(|it| it.contains(&MAX_BOOTSTRAP.to_string())));
    }

    #[test]
    fn the_file_is_read_on_the_first_launch_only() {
        let (first, problems) = first_launch(Provisioned::default(), Some(("b", FILE)));
        assert!(first.launched && problems.is_empty(), "{problems:?}");
        assert_eq!(first.layers.len(), 1);
        assert_eq!(first_launch(first.clone(), Some(("b", FILE))), (first.clone(), vec![]));
        assert_eq!(first_launch(first.clone(), None), (first.clone(), vec![]));

        let (kept, problems) = first_launch(first.clone(), Some(("b", b"TFTP: x")));
        assert_eq!(kept, first);
        assert_eq!(problems.first().and_then(|it| it.rule), Some(Rule(23)));
    }

    #[test]
    fn a_file_that_comes_after_the_first_launch_is_too_late() {
        let (first, _) = first_launch(Provisioned::default(), None);
        let (kept, problems) = first_launch(first, Some(("b", FILE)));
        assert!(kept.layers.is_empty() && problems.len() == 1);
    }

    #[test]
    fn clear_replaces_what_was_read_once() {
        let (first, _) = first_launch(Provisioned::default(), Some(("b", FILE)));
        let other = b"CLEAR=1\nTFTP=tftp.example.com";
        let (second, problems) = first_launch(first, Some(("b", other)));
        assert!(problems.is_empty(), "{problems:?}");
        let layer = second.layers.first().expect("a layer");
        assert_eq!((layer.source, layer.settings.len()), (Source::Bootstrap, 2));
        assert_eq!(first_launch(second.clone(), Some(("b", other))), (second, vec![]));
    }
}
