//! `offhook policy explain`: what administrators have set, and which of it counts.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use offhook_config::xml::MAX_BYTES;
use offhook_config::{
    Explained, Layers, manual_layer, read_bootstrap, read_client_config, read_profile_layer,
};
use offhook_model::{Layer, Problem, Rule, Source};
use offhook_platform::Folders;
use offhook_store::{Places, Store};

use crate::args::Global;
use crate::bootstrap;

/// What was found out.
struct Findings {
    layers: Layers,
    rows: Vec<Explained>,
    problems: Vec<Problem>,
}

/// Explains the files, or what the profile knows when there are none; the result is the exit
/// status: 1 when something contradicts or cannot be read.
///
/// # Errors
/// One sentence for exit status 2.
pub fn explain(global: &Global, files: &[PathBuf], json: bool) -> Result<u8, String> {
    let found = if files.is_empty() { of_profile(global)? } else { of_files(files)? };
    let text = if json {
        serde_json::to_string(&found.rows).map_err(|error| error.to_string())?
    } else {
        found.text()
    };
    let _ = writeln!(std::io::stdout().lock(), "{}", text.trim_end());
    Ok(u8::from(found.is_wrong()))
}

/// The layers that the profile keeps, with the bootstrap file as a first launch would read it.
/// Nothing is written, and it does not count as the first launch.
fn of_profile(global: &Global) -> Result<Findings, String> {
    let folders = Folders::of(global.profile.as_deref())?;
    let places = Places { config: folders.config.clone(), data: folders.data.clone() };
    let kept = Store::peek(&places)?;
    let file = bootstrap::read(global)?;
    let (known, problems) = bootstrap::apply(kept.provisioned, file.as_ref());
    let late = problems.into_iter().filter(|problem| problem.rule == Some(Rule(23))).collect();
    let layers = known.layers.into_iter().chain(manual_layer(&kept.manual));
    Ok(Findings::of(Layers::new(layers), late))
}

fn of_files(files: &[PathBuf]) -> Result<Findings, String> {
    let mut layers: Vec<Layer> = vec![];
    let mut broken = vec![];
    for path in files {
        let data = bootstrap::read_bounded(path, MAX_BYTES + 1).map_err(|error| {
            format!("The file {} cannot be read ({error}). Check its name.", path.display())
        })?;
        let (layer, problem) = recognise(path, &data);
        broken.extend(problem);
        place(layer, &mut layers)?;
    }
    Ok(Findings::of(Layers::new(layers), broken))
}

/// A file by its content: XML is a service profile or a client configuration file, everything else
/// a bootstrap file.
fn recognise(path: &Path, data: &[u8]) -> (Layer, Option<Problem>) {
    let origin = path.display().to_string();
    let start = data.strip_prefix(b"\xef\xbb\xbf").unwrap_or(data).trim_ascii_start();
    if !start.starts_with(b"<") {
        return (read_bootstrap(data, &origin), None);
    }
    let source = Source::GlobalFile;
    let read = read_client_config(data, source, &origin);
    // Sections of the one have names of the other; only a whole file says `config`.
    match read {
        Ok(layer) => (layer, None),
        Err(error) => match read_profile_layer(data, &origin) {
            Ok(layer) => (layer, None),
            Err(_) => ignored(source, origin, &error),
        },
    }
}

/// A file that is ignored as a whole (reference client-config.md section 1).
fn ignored(
    source: Source,
    origin: String,
    error: &offhook_config::XmlError,
) -> (Layer, Option<Problem>) {
    let problem = Problem::new(
        offhook_model::Area::Provisioning,
        offhook_model::Owner::Admin,
        format!("{origin} is ignored as a whole: {error}."),
        "Correct the file and check it with offhook policy explain.",
    );
    let layer = Layer {
        source,
        origin,
        settings: vec![],
        oddities: vec![format!("it is ignored as a whole: {error}")],
    };
    (layer, Some(problem))
}

/// Of two client configuration files the one named `jabber-config.xml` is the global one, else the
/// first.
fn place(mut layer: Layer, layers: &mut Vec<Layer>) -> Result<(), String> {
    let global = |layer: &Layer| layer.source == Source::GlobalFile;
    if let Some(first) = layers.iter_mut().find(|other| global(other))
        && global(&layer)
    {
        let other = if named_global(&layer) && !named_global(first) { first } else { &mut layer };
        other.source = Source::GroupFile;
    }
    let same = |one: &Layer| layers.iter().filter(|other| other.source == one.source).count();
    let groups = layers.iter().filter(|other| other.source == Source::GroupFile).count();
    if same(&layer) > 0 || groups > 1 {
        return Err(format!(
            "{} is one {} too many. Give one bootstrap file, one service profile, and one global \
             and one group configuration file at most.",
            layer.origin,
            words(layer.source)
        ));
    }
    layers.push(layer);
    Ok(())
}

fn named_global(layer: &Layer) -> bool {
    let name = Path::new(&layer.origin).file_name();
    name.is_some_and(|name| name.eq_ignore_ascii_case("jabber-config.xml"))
}

impl Findings {
    fn of(layers: Layers, mut problems: Vec<Problem>) -> Self {
        let mut rows = layers.explain();
        for problem in &problems {
            // A row of its own for what concerns no setting, so that JSON tells it as well.
            let row = rows.iter_mut().find(|row| problem.cause.starts_with(&row.key));
            match row {
                Some(row) => row.error = true,
                None => rows.push(about_file(problem)),
            }
        }
        problems.extend(layers.problems());
        Self { layers, rows, problems }
    }

    fn is_wrong(&self) -> bool {
        !self.problems.is_empty() || self.rows.iter().any(|row| row.error)
    }

    fn text(&self) -> String {
        let mut text = String::new();
        let places = self.layers.layers();
        if places.is_empty() {
            text.push_str("Nobody has set anything: all settings have their built-in values.\n");
        } else {
            text.push_str("Read, the strongest last\n");
        }
        for layer in places {
            let _ = writeln!(text, "  {:<24} {}", words(layer.source), layer.origin);
            for oddity in &layer.oddities {
                let _ = writeln!(text, "  {:<24}   {oddity}", "");
            }
        }
        self.table(&mut text);
        self.lists(&mut text);
        self.wrong(&mut text);
        text
    }

    fn table(&self, text: &mut String) {
        let rows: Vec<_> = self.rows.iter().filter(|row| is_key(row)).collect();
        if rows.is_empty() {
            return;
        }
        let width = |of: &dyn Fn(&Explained) -> usize| rows.iter().map(|row| of(row)).max();
        let keys = width(&|row| row.key.chars().count()).unwrap_or_default();
        let values = width(&|row| shown(&row.value).chars().count()).unwrap_or_default();
        text.push_str("\nIn force\n");
        for row in rows {
            let value = shown(&row.value);
            let place = with_line(words(row.source), row.line);
            let _ = writeln!(text, "  {:<keys$}  {value:<values$}  {place}", row.key);
            for lost in &row.overridden {
                let place = with_line(words(lost.source), lost.line);
                let value = shown(&lost.value);
                let _ = writeln!(text, "  {:<keys$}  {value:<values$}  {place}", "  instead of");
            }
            for oddity in &row.oddities {
                let _ = writeln!(text, "  {:<keys$}  {oddity}", "");
            }
        }
    }

    fn lists(&self, text: &mut String) {
        let names = |kept: &dyn Fn(&Explained) -> bool| -> Vec<&str> {
            self.rows.iter().filter(|row| kept(row)).map(|row| row.key.as_str()).collect()
        };
        let idle = names(&|row| row.known && !row.acted_on);
        if !idle.is_empty() {
            let _ = writeln!(text, "\nUnderstood, not yet acted on\n  {}", idle.join("\n  "));
        }
        let unknown: Vec<_> = self.rows.iter().filter(|row| !row.known).collect();
        if !unknown.is_empty() {
            text.push_str("\nWithout effect\n");
        }
        for row in unknown {
            let place = with_line(words(row.source), row.line);
            let _ = writeln!(text, "  {} {} ({place})", row.key, row.oddities.join("; "));
        }
    }

    fn wrong(&self, text: &mut String) {
        if self.problems.is_empty() {
            return;
        }
        text.push_str("\nWhat to mend\n");
        for (number, problem) in (1..).zip(&self.problems) {
            let rule = problem.rule.map(|rule| format!(" (D{:02})", rule.0)).unwrap_or_default();
            let _ = writeln!(text, "  {number}. {}{rule}", problem.cause);
            let _ = writeln!(text, "     Owner   {}", problem.who);
            let _ = writeln!(text, "     Remedy  {}", problem.remedy);
        }
    }
}

/// It is about a key and not about a place as a whole.
fn is_key(row: &Explained) -> bool {
    row.known && offhook_config::keys().iter().any(|key| key.name == row.key)
}

fn about_file(problem: &Problem) -> Explained {
    Explained {
        key: "bootstrap file".to_owned(),
        section: None,
        value: String::new(),
        source: Source::Bootstrap,
        origin: None,
        line: None,
        overridden: vec![],
        oddities: vec![format!("{} {}", problem.cause, problem.remedy)],
        error: true,
        known: true,
        acted_on: true,
    }
}

/// A value as a table can hold it.
fn shown(value: &str) -> String {
    if value.is_empty() {
        return "(not shown)".to_owned();
    }
    match value.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", value.get(..end).unwrap_or_default()),
        None => value.to_owned(),
    }
}

fn with_line(place: &str, line: Option<u32>) -> String {
    line.map_or_else(|| place.to_owned(), |line| format!("{place}, line {line}"))
}

fn words(source: Source) -> &'static str {
    match source {
        Source::Default => "built in",
        Source::Bootstrap => "bootstrap file",
        Source::Url => "configuration URL",
        Source::Cloud => "cloud",
        Source::GlobalFile => "global configuration file",
        Source::GroupFile => "group configuration file",
        Source::ServiceProfile => "service profile",
        Source::Manual => "Advanced settings",
        Source::User => "Options",
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use offhook_model::Source;

    use super::{Findings, Layers, place, recognise};

    const PROFILE: &[u8] =
        b"<UserServiceProfile><CTI><Primary><Address>c</Address></Primary></CTI>\
        </UserServiceProfile>";

    #[test]
    fn files_are_known_by_their_content() {
        let source = |data: &[u8]| recognise(Path::new("f"), data).0.source;
        assert_eq!(source(b"\xef\xbb\xbf <config/>"), Source::GlobalFile);
        assert_eq!(
            source(b"<Directory><BaseFilter>(a=b)</BaseFilter></Directory>"),
            Source::GlobalFile
        );
        assert_eq!(source(PROFILE), Source::ServiceProfile);
        assert_eq!(source(b"TFTP: a"), Source::Bootstrap);
        let (layer, problem) = recognise(Path::new("f"), b"<config><a></config>");
        assert!(layer.settings.is_empty() && problem.is_some());
    }

    #[test]
    fn of_two_configuration_files_one_is_the_groups() {
        let sources = |names: &[&str]| {
            let mut layers = vec![];
            for name in names {
                place(recognise(Path::new(name), b"<config/>").0, &mut layers)?;
            }
            Ok::<_, String>(layers.iter().map(|layer| layer.source).collect::<Vec<_>>())
        };
        let both = Ok(vec![Source::GlobalFile, Source::GroupFile]);
        assert_eq!(sources(&["a.xml", "b.xml"]), both);
        assert_eq!(sources(&["jabber-config.xml", "b.xml"]), both);
        let other = Ok(vec![Source::GroupFile, Source::GlobalFile]);
        assert_eq!(sources(&["a.xml", "jabber-config.xml"]), other);
        assert!(sources(&["a.xml", "b.xml", "c.xml"]).is_err());
        assert!(sources(&["a.xml", "b.xml", "jabber-config.xml"]).is_err());
    }

    #[test]
    fn what_is_said_names_winner_loser_and_line() {
        let file = b"<config>\n<Policies>\n<Telephony_Enabled>false</Telephony_Enabled>\n\
            <EnableVideo>true</EnableVideo><Nonsense>1</Nonsense></Policies></config>";
        let layers = [
            recognise(Path::new("boot"), b"Telephony_Enabled=true\nSERVICES_DOMAIN=a.b").0,
            recognise(Path::new("conf"), file).0,
        ];
        let found = Findings::of(Layers::new(layers), vec![]);
        assert!(!found.is_wrong());
        let text = found.text();
        for said in [
            "  Telephony_Enabled  false  global configuration file, line 3\n",
            "    instead of       true   bootstrap file, line 1\n",
            "Understood, not yet acted on\n  EnableVideo\n",
            "  Nonsense is not known and has no effect (global configuration file, line 4)",
        ] {
            assert!(text.contains(said), "{said:?} is not in\n{text}");
        }
    }
}
