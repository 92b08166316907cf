//! Messages as a file for a person (`.html`, `.txt`) or a program (`.json`). One message at a time
//! goes through memory, however many there are.

use std::fs::{self, File};
use std::io::{BufWriter, Error, ErrorKind, Write};
use std::path::Path;

use chrono::NaiveDate;
use offhook_model::{Jid, Message};

use crate::base::Base;
use crate::text::{line, local, said, writer};

/// Writes a conversation, or all; how many messages.
///
/// # Errors
/// In words: an ending that is none of the three, a file that is there already, a disk that is
/// full. What was begun is taken away then.
pub fn export(base: &Base, with: Option<&Jid>, path: &Path) -> Result<u64, String> {
    let ending = path.extension().and_then(|it| it.to_str()).map(str::to_ascii_lowercase);
    let shape = match ending.as_deref() {
        Some("html" | "htm") => Shape::Html,
        Some("txt") => Shape::Text,
        Some("json") => Shape::Json,
        _ => return Err("the file's name must end in .html, .txt or .json".into()),
    };
    let file = File::create_new(path).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => "there is a file of this name already".to_owned(),
        _ => unwritable(&error),
    })?;
    let mut out = Writer { out: BufWriter::new(file), shape, count: 0, with: None, day: None };
    let written = out.begin().map_err(|error| unwritable(&error)).and_then(|()| {
        base.each(with, |message| out.message(&message).map_err(|error| unwritable(&error)))
    });
    let written = written.and_then(|count| {
        out.end().map_err(|error| unwritable(&error))?;
        Ok(count)
    });
    if written.is_err() {
        let _ = fs::remove_file(path);
    }
    written
}

fn unwritable(error: &Error) -> String {
    format!("the file cannot be written ({error})")
}

#[derive(Clone, Copy)]
enum Shape {
    Html,
    Text,
    Json,
}

struct Writer {
    out: BufWriter<File>,
    shape: Shape,
    count: u64,
    /// The conversation of the last message.
    with: Option<Jid>,
    /// Its day.
    day: Option<NaiveDate>,
}

impl Writer {
    fn begin(&mut self) -> Result<(), Error> {
        match self.shape {
            Shape::Html => self.out.write_all(HEAD.as_bytes()),
            Shape::Text => Ok(()),
            Shape::Json => self.out.write_all(b"{\"messages\":["),
        }
    }

    fn message(&mut self, message: &Message) -> Result<(), Error> {
        if matches!(self.shape, Shape::Json) {
            self.out.write_all(if self.count == 0 { b"\n" } else { b",\n" })?;
            serde_json::to_writer(&mut self.out, message)?;
        } else {
            self.headings(message)?;
            match self.shape {
                Shape::Html => self.html(message)?,
                Shape::Text | Shape::Json => self.out.write_all(line(message).as_bytes())?,
            }
        }
        self.count += 1;
        Ok(())
    }

    /// A heading for each conversation and each day.
    fn headings(&mut self, message: &Message) -> Result<(), Error> {
        let html = matches!(self.shape, Shape::Html);
        if self.with.as_ref() != Some(&message.with) {
            let with = message.with.bare_str();
            if html {
                writeln!(self.out, "<h1>{}</h1>", escaped(with))?;
            } else {
                writeln!(self.out, "== {with} ==")?;
            }
            self.with = Some(message.with.clone());
            self.day = None;
        }
        let day = local(message.time).date_naive();
        if self.day.replace(day) != Some(day) && html {
            writeln!(self.out, "<h2>{}</h2>", day.format("%A, %-d %B %Y"))?;
        }
        Ok(())
    }

    fn html(&mut self, message: &Message) -> Result<(), Error> {
        let time = local(message.time);
        writeln!(
            self.out,
            "<p{}><time datetime=\"{}\">{}</time> <b>{}</b> <span>{}</span></p>",
            if message.own { " class=\"own\"" } else { "" },
            time.to_rfc3339(),
            time.format("%H:%M"),
            escaped(writer(message)),
            escaped(&said(message))
        )
    }

    fn end(mut self) -> Result<(), Error> {
        match self.shape {
            Shape::Html => self.out.write_all(b"</body></html>\n")?,
            Shape::Text => {}
            Shape::Json => self.out.write_all(b"\n]}\n")?,
        }
        self.out.flush()?;
        self.out.get_ref().sync_all()
    }
}

/// The page loads nothing and runs nothing, whatever somebody wrote.
const HEAD: &str = "<!DOCTYPE html>
<html><head><meta charset=\"utf-8\"><title>Offhook: messages</title>
<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">
<style>body{font:15px/1.45 sans-serif;max-width:46em;margin:2em auto;padding:0 1em}
h1{font-size:1.3em;border-bottom:1px solid #999}h2{font-size:1em;text-align:center;color:#666}
p{margin:.35em 0}time{color:#777;font-size:.85em}span{white-space:pre-wrap;overflow-wrap:anywhere}
.own b{color:#0b5cab}</style></head><body>
";

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c if c.is_control() && !matches!(c, '\n' | '\t') => {}
            // Marks that turn the direction would reach into what follows.
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {}
            c => safe.push(c),
        }
    }
    safe
}
