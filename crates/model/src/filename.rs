//! Names of files that others give: made safe to show and to save under.

/// The longest name in bytes of UTF-8; the file systems of all three systems take 255, and room is
/// left for a number and for `.part`.
const LONGEST: usize = 150;

/// How much of it an ending may be.
const LONGEST_ENDING: usize = 20;

/// What a file is called whose name leaves nothing.
const NAMELESS: &str = "file";

/// Names that are devices on Windows, whatever ending follows.
const DEVICES: [&str; 6] = ["con", "prn", "aux", "nul", "conin$", "conout$"];

/// A name that is safe to show and to save under: no path, no leading dot, no control, direction or
/// invisible character, nothing that Windows forbids or takes for a device, at most 150 bytes with
/// its ending kept. Whatever the ending says is left as it is: `invoice.pdf.exe` stays that.
pub fn safe_file_name(given: &str) -> String {
    let last = given.rsplit(['/', '\\']).find(|part| !part.trim().is_empty()).unwrap_or_default();
    let clean: String = last
        .chars()
        .filter(|c| !is_hidden(*c))
        .map(|c| if matches!(c, '<' | '>' | ':' | '"' | '|' | '?' | '*') { '_' } else { c })
        .map(|c| if c.is_whitespace() { ' ' } else { c })
        .collect();
    let clean = clean.trim().trim_start_matches(['.', ' ']);
    let clean = clean.trim_end_matches(['.', ' ']);
    let name = shortened(clean);
    if name.is_empty() {
        return NAMELESS.to_owned();
    }
    if is_device(&name) { format!("_{name}") } else { name }
}

/// The last ending in lower case without its dot; nothing without one.
pub fn file_ending(name: &str) -> Option<String> {
    let (before, ending) = name.rsplit_once('.')?;
    let fits = !before.is_empty() && !ending.is_empty() && ending.len() <= LONGEST_ENDING;
    fits.then(|| ending.to_lowercase())
}

/// The media type by the ending, of the types that people send; `application/octet-stream` for
/// others.
pub fn media_type_of(name: &str) -> &'static str {
    match file_ending(name).as_deref() {
        Some("png") => "image/png",
        Some("jpg" | "jpeg") => "image/jpeg",
        Some("gif") => "image/gif",
        Some("webp") => "image/webp",
        Some("pdf") => "application/pdf",
        Some("txt" | "log" | "md") => "text/plain",
        Some("csv") => "text/csv",
        Some("zip") => "application/zip",
        Some("mp3") => "audio/mpeg",
        Some("ogg" | "opus") => "audio/ogg",
        Some("wav") => "audio/wav",
        Some("mp4") => "video/mp4",
        Some("webm") => "video/webm",
        Some("docx") => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        Some("xlsx") => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        Some("pptx") => "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        Some(_) | None => "application/octet-stream",
    }
}

/// The name that a link ends with, made safe; percent signs of its path are read (RFC 3986).
pub fn file_name_of_link(url: &str) -> String {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    let path = path.split_once("://").map_or(path, |(_, rest)| rest);
    let last =
        path.split_once('/').and_then(|(_, path)| path.rsplit('/').find(|it| !it.is_empty()));
    safe_file_name(&unescaped(last.unwrap_or_default()))
}

/// Control characters, directions (Unicode TR36 section 2.4), characters without width, tags,
/// private ones and what Unicode says is no character.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fe00}'..='\u{fe0e}'
            | '\u{fff0}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}'
            | '\u{e000}'..='\u{f8ff}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{10ffff}')
}

fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_lowercase();
    let port = ["com", "lpt"].iter().any(|kind| {
        let number = stem.strip_prefix(kind).map(|rest| rest.chars().collect::<Vec<_>>());
        number
            .is_some_and(|it| matches!(it.as_slice(), ['0'..='9' | '\u{b9}' | '\u{b2}' | '\u{b3}']))
    });
    port || DEVICES.contains(&stem.as_str())
}

/// At most [`LONGEST`] bytes; the ending stays, the middle goes.
fn shortened(name: &str) -> String {
    if name.len() <= LONGEST {
        return name.to_owned();
    }
    let ending = file_ending(name).and(name.rfind('.')).unwrap_or(name.len());
    let (stem, ending) = name.split_at(ending);
    let mut cut = LONGEST - ending.len();
    while !stem.is_char_boundary(cut) {
        cut -= 1;
    }
    let stem = stem.get(..cut).unwrap_or_default().trim_end_matches(['.', ' ']);
    format!("{stem}{ending}")
}

fn unescaped(text: &str) -> String {
    let digit = |byte: Option<&u8>| char::from(*byte?).to_digit(16);
    let given = text.as_bytes();
    let mut bytes = Vec::with_capacity(given.len());
    let mut at = 0;
    while let Some(byte) = given.get(at) {
        let escaped = match (digit(given.get(at + 1)), digit(given.get(at + 2))) {
            (Some(high), Some(low)) if *byte == b'%' => u8::try_from(high * 16 + low).ok(),
            _ => None,
        };
        bytes.push(escaped.unwrap_or(*byte));
        at += if escaped.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::{file_ending, file_name_of_link, safe_file_name};

    #[test]
    fn hostile_names_become_harmless() {
        let table = [
            ("report.pdf", "report.pdf"),
            ("Grüße – 你好.txt", "Grüße – 你好.txt"),
            ("../../etc/passwd", "passwd"),
            ("..\\..\\windows\\system32\\evil.dll", "evil.dll"),
            ("/", "file"),
            ("..", "file"),
            ("", "file"),
            ("  .bashrc", "bashrc"),
            ("...hidden", "hidden"),
            ("a\u{0}b\nc.txt", "abc.txt"),
            ("photo\u{202e}gpj.exe", "photogpj.exe"),
            ("in\u{200b}voice\u{feff}.pdf", "invoice.pdf"),
            ("invoice.pdf.exe", "invoice.pdf.exe"),
            ("invoice.pdf          .exe", "invoice.pdf          .exe"),
            ("trailing. . .", "trailing"),
            ("CON", "_CON"),
            ("con.txt", "_con.txt"),
            ("Com1.tar.gz", "_Com1.tar.gz"),
            ("lpt\u{b9}", "_lpt\u{b9}"),
            ("com10.txt", "com10.txt"),
            ("a:b|c?.txt", "a_b_c_.txt"),
            ("dir/", "dir"),
            ("stream.txt::$DATA", "stream.txt__$DATA"),
            ("tab\there", "tabhere"),
            ("\u{e0041}tag\u{10ffff}.txt", "tag.txt"),
        ];
        for (given, wanted) in table {
            assert_eq!(safe_file_name(given), wanted, "{given:?}");
        }
    }

    #[test]
    fn long_names_keep_their_ending_and_whole_characters() {
        let name = safe_file_name(&format!("{}.tar.gz", "ä".repeat(300)));
        assert!(name.len() <= 150 && name.ends_with(".gz"), "{name}");
        let name = safe_file_name(&format!("a.{}", "b".repeat(300)));
        assert!(name.len() <= 150, "{name}");
        assert!(safe_file_name(&"\u{1f600}".repeat(100)).len() <= 150);
    }

    #[test]
    fn endings_and_links_tell_names() {
        assert_eq!(file_ending("a.PDF.Exe").as_deref(), Some("exe"));
        assert_eq!(file_ending("noending"), None);
        assert_eq!(file_name_of_link("https://h/u/a%20b%2f..%2fc.txt?x=1#f"), "c.txt");
        for (link, name) in [
            ("https://x/up/report%20final.pdf?key=1", "report final.pdf"),
            ("https://x/a/..%2F..%2Fetc%2Fpasswd", "passwd"),
            ("https://x/a/CON.txt", "_CON.txt"),
            ("https://x/a/lpt1", "_lpt1"),
            ("https://x/a/%00%E2%80%AEgpj.exe", "gpj.exe"),
            ("https://x/", "file"),
            ("https://h", "file"),
            ("https://x/a/%zz%", "%zz%"),
        ] {
            assert_eq!(file_name_of_link(link), name, "{link}");
        }
        assert_eq!(file_name_of_link("https://h/%E4%BD%A0%zz"), "你%zz");
    }
}
