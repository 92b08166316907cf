//! Tables to people.

use std::io::Cursor;

use csv::{Position, Reader, ReaderBuilder, StringRecord};
use offhook_model::{DirectoryEntry, NumberKind, PersonNumber, SourceKind};

use super::header::{Column, Known, Place, columns, labelled};
use super::{MAX_LINES, Table};
use crate::charset::text;
use crate::shown::{MOST, line};
use crate::taken::{add, finished, put, put_jid};
use crate::vcard::{MAX_CARDS, MAX_FILE};

/// What may stand between fields.
const BETWEEN: [u8; 3] = [b',', b';', b'\t'];
/// Between several values in one field of Google's.
const SEVERAL: &str = " ::: ";
/// How much of a file is read a second time and more, as a multiple of its length, where lines make
/// no sense. Each time is counted as [`LEAST`] bytes at least, which is what a reader reads ahead.
const AGAIN: usize = 8;
const LEAST: usize = 8 << 10;
/// Most columns that are looked at.
const MAX_COLUMNS: usize = 1024;

/// Reads a table. Nothing when it is none: when its first line names no column that is known.
///
/// The entries are of this source, with ids made of what they say. A line that makes no sense is
/// left out and costs none of those below it.
pub fn read(data: &[u8], source: SourceKind) -> Option<Table> {
    let (data, rest) = data.split_at(data.len().min(MAX_FILE));
    let text = text(data);
    let layout = Layout::of(&text)?;
    let mut table = Table { left_out: usize::from(!rest.is_empty()), ..Table::default() };
    let mut lines = Lines { text: &text, at: 0, line: 1 };
    let mut again = text.len().saturating_mul(AGAIN).max(64 * LEAST);
    let mut rows = Rows::new(&text, layout.between);
    let mut from = layout.begin;
    while let Some(row) = rows.at(from) {
        from = row.end;
        if row.cells.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        if table.people.len() >= MAX_CARDS {
            table.left_out += 1;
            break;
        }
        let raw = &text[row.begin..row.end];
        let person = closed(raw, layout.between).then(|| layout.person(&row, source));
        match person.flatten() {
            Some(person) => table.people.push(person),
            None => {
                table.left_out += 1;
                if table.lines.len() < MAX_LINES {
                    table.lines.push(lines.at(row.begin));
                }
                // Perhaps a quote is not closed, and took the lines below it along.
                let first = raw.find(['\r', '\n']).unwrap_or(raw.len());
                let below = raw[first..].trim_start_matches(['\r', '\n']);
                let cost = raw.len().max(LEAST);
                if !below.is_empty() && again >= cost {
                    again -= cost;
                    from = row.end - below.len();
                }
            }
        }
    }
    Some(table)
}

/// Whether the quotes of a row are closed, and in one over several lines where quotes may be
/// (RFC 4180 section 2). The library takes them anywhere, also the next line's for the end of one
/// that was not closed.
fn closed(raw: &str, between: u8) -> bool {
    let mut rest = raw.trim_end_matches(['\r', '\n']).as_bytes();
    let one_line = !rest.contains(&b'\n') && !rest.contains(&b'\r');
    let ends = |byte: &u8| *byte == between || matches!(byte, b'\r' | b'\n');
    loop {
        if let Some(quoted) = rest.strip_prefix(b"\"") {
            rest = quoted;
            loop {
                let Some(quote) = rest.iter().position(|byte| *byte == b'"') else { return false };
                rest = &rest[quote + 1..];
                let Some(doubled) = rest.strip_prefix(b"\"") else { break };
                rest = doubled;
            }
            let after = rest.iter().take_while(|byte| **byte == b' ').count();
            if rest.get(after).is_some_and(|byte| !ends(byte)) {
                return one_line;
            }
        }
        let Some(end) = rest.iter().position(ends) else { return true };
        rest = &rest[end + 1..];
    }
}

/// The rows of a text.
struct Rows<'a> {
    text: &'a str,
    reader: Reader<Cursor<&'a str>>,
}

/// A row and its place in the text.
struct Row {
    cells: StringRecord,
    begin: usize,
    end: usize,
}

impl<'a> Rows<'a> {
    fn new(text: &'a str, between: u8) -> Self {
        let mut reader = ReaderBuilder::new();
        reader.has_headers(false).flexible(true).delimiter(between);
        Self { text, reader: reader.from_reader(Cursor::new(text)) }
    }

    /// The row that begins there, after empty lines perhaps.
    fn at(&mut self, from: usize) -> Option<Row> {
        let rest = self.text.get(from..)?.trim_start_matches(['\r', '\n']);
        let begin = self.text.len() - rest.len();
        // A seek throws away what was read ahead; empty lines are passed over without.
        if self.reader.position().byte() != u64::try_from(from).ok()? {
            let mut place = Position::new();
            place.set_byte(u64::try_from(begin).ok()?);
            self.reader.seek(place).ok()?;
        }
        let mut cells = StringRecord::new();
        let more = self.reader.read_record(&mut cells).ok()?;
        let end = usize::try_from(self.reader.position().byte()).ok()?;
        more.then_some(Row { cells, begin, end })
    }
}

/// Which line a place is in; asked for in order.
struct Lines<'a> {
    text: &'a str,
    at: usize,
    line: u64,
}

impl Lines<'_> {
    fn at(&mut self, place: usize) -> u64 {
        let passed = &self.text[self.at..place.max(self.at)];
        let ends = passed.matches('\n').count() + passed.matches('\r').count();
        let both = passed.matches("\r\n").count();
        self.line += u64::try_from(ends - both).unwrap_or(0);
        self.at += passed.len();
        self.line
    }
}

/// How a table is made.
struct Layout {
    between: u8,
    columns: Vec<Option<Known>>,
    /// For each of them, where its label is or the service that it is an address of.
    beside: Vec<Option<usize>>,
    /// How many names the first line has.
    width: usize,
    /// Where what is below the first line begins.
    begin: usize,
}

impl Layout {
    /// By the first line: what may stand between fields is what makes most columns known.
    fn of(text: &str) -> Option<Self> {
        let begin = text.trim_start_matches(['\r', '\n', ' ']);
        let begins = |word: &str| {
            begin.get(..word.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(word))
        };
        if begins("begin:") {
            return None;
        }
        let mut from = text.len() - begin.len();
        // Excel writes a line of its own above the names when it is told to.
        if begins("sep=") {
            from += begin.find(['\r', '\n'])?;
        }
        let layout = |between: u8| {
            let row = Rows::new(text, between).at(from)?;
            let columns = columns(row.cells.iter().take(MAX_COLUMNS));
            let known = columns.iter().flatten().count();
            let label = |it: &Option<Known>| {
                let (column, number) = (*it)?;
                let label = match column {
                    Column::LabelledNumber => Column::NumberLabel,
                    Column::ServiceAddress => Column::ImService,
                    _ => return None,
                };
                columns.iter().position(|it| *it == Some((label, number)))
            };
            let beside = columns.iter().map(label).collect();
            let width = row.cells.len();
            Some((known, Self { between, beside, width, begin: row.end, columns }))
        };
        // Of those that are as good the first counts.
        let all = BETWEEN.into_iter().rev().filter_map(layout);
        let (known, layout) = all.max_by_key(|(known, _)| *known)?;
        (known > 0).then_some(layout)
    }

    /// The person of a row. Nothing when it names nobody, or has a field more than there are
    /// columns: then a quote is missing, and fields are not where they belong.
    fn person(&self, row: &Row, source: SourceKind) -> Option<DirectoryEntry> {
        let cells = &row.cells;
        if cells.iter().skip(self.width).any(|cell| !cell.trim().is_empty()) {
            return None;
        }
        let mut entry = DirectoryEntry::new(source, "");
        let mut places: [(Place, [Option<String>; 2]); 3] =
            [Place::Work, Place::Home, Place::Other].map(|place| (place, [None, None]));
        let mut contact = [None, None];
        for ((cell, column), beside) in cells.iter().zip(&self.columns).zip(&self.beside) {
            let (Some(said), Some((column, _))) = (line(cell), *column) else { continue };
            let beside = beside.and_then(|at| cells.get(at)).unwrap_or_default();
            match column {
                Column::First => put(&mut entry.first_name, Some(said)),
                Column::Last => put(&mut entry.last_name, Some(said)),
                Column::Display => put(&mut entry.display_name, Some(said)),
                Column::Nickname => put(&mut entry.nickname, Some(said)),
                Column::Job | Column::JobOrAddress => put(&mut entry.title, Some(said)),
                Column::Company => put(&mut entry.company, Some(said)),
                Column::Department => put(&mut entry.department, Some(said)),
                Column::City(place) => put(&mut places[place as usize].1[0], Some(said)),
                Column::Country(place) => put(&mut places[place as usize].1[1], Some(said)),
                Column::Mail => {
                    let mails = cell.split(SEVERAL).filter_map(line);
                    mails
                        .filter(|it| it.contains('@'))
                        .for_each(|it| add(&mut entry.mail, Some(it)));
                }
                Column::Number(kind) => take_numbers(&mut entry, kind, cell),
                Column::LabelledNumber => {
                    if let Some(kind) = labelled(beside) {
                        take_numbers(&mut entry, kind, cell);
                    }
                }
                Column::Im => put_jid(&mut entry, said.strip_prefix("xmpp:").unwrap_or(&said)),
                Column::ServiceAddress => {
                    let service = beside.to_lowercase();
                    if service.contains("jabber") || service.contains("xmpp") {
                        put_jid(&mut entry, &said);
                    }
                }
                Column::Sip => {
                    let uri = said.strip_prefix("sip:").unwrap_or(&said).to_owned();
                    add(&mut entry.uris, Some(uri).filter(|uri| uri.contains('@')));
                }
                Column::Groups => groups(&mut entry, cell),
                Column::ContactId => contact[0] = Some(said),
                Column::ContactDomain => contact[1] = Some(said),
                Column::NumberLabel | Column::ImService => {}
            }
        }
        if let [Some(user), Some(domain)] = contact {
            put_jid(&mut entry, &format!("{user}@{domain}"));
        }
        let place = places.into_iter().map(|(_, parts)| parts.into_iter().flatten());
        entry.location = place.map(|it| it.collect::<Vec<_>>().join(", ")).find_map(|it| line(&it));
        finished(entry)
    }
}

/// One number, or several as Google writes them into one field. Words are none.
fn take_numbers(entry: &mut DirectoryEntry, kind: NumberKind, cell: &str) {
    let numbers = cell.split(SEVERAL).take(MOST).filter_map(line);
    let numbers = numbers.filter(|number| number.contains(|c: char| c.is_ascii_digit()));
    entry.numbers.extend(numbers.map(|number| PersonNumber { kind, number }));
}

/// Groups, without those that Google keeps of its own accord: `* myContacts`.
fn groups(entry: &mut DirectoryEntry, cell: &str) {
    let between = if cell.contains(SEVERAL) { SEVERAL } else { ";" };
    let groups = cell.split(between).filter(|group| !group.trim_start().starts_with("* "));
    groups.take(MOST).for_each(|group| add(&mut entry.groups, line(group)));
}
