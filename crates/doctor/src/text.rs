//! A diagnosis for people.

use std::fmt::Write;

use offhook_model::{Authenticator, Outcome, ProductMode, Severity, Via};

use crate::{Diagnosis, Finding};

impl Diagnosis {
    /// The same for people: what stands, what was asked, then every finding with cause, owner and
    /// remedy.
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = self.write(&mut text);
        text
    }

    fn write(&self, out: &mut String) -> std::fmt::Result {
        writeln!(out, "{}\n", self.address)?;
        writeln!(out, "  Services domain  {} ({})", self.services_domain, network(self.network))?;
        writeln!(out, "  Authenticator    {}", authenticator(self.authenticator, self.via))?;
        writeln!(out, "  Account          {}", mode(self.product_mode))?;
        writeln!(out, "\nWhat was asked")?;
        for step in &self.steps {
            let mark = match step.outcome {
                Outcome::Won => "ok",
                Outcome::Lost => "-",
                Outcome::Skipped => "skipped",
                Outcome::Failed => "failed",
            };
            writeln!(out, "  {mark:<7} {:>6} ms  {}", step.ms, step.asked)?;
            writeln!(out, "                      {}", step.answer)?;
        }
        writeln!(out, "\nWhat it means")?;
        for (index, finding) in self.findings.iter().enumerate() {
            finding.write(index + 1, out)?;
        }
        let verdict = match self.exit {
            0 if self.findings.is_empty() => "Everything that was asked is well.".to_owned(),
            0 => "Sign-in can proceed.".to_owned(),
            code => format!("Something does not work; begin with 1. (exit status {code})"),
        };
        writeln!(out, "  {verdict}")
    }
}

impl Finding {
    fn write(&self, number: usize, out: &mut String) -> std::fmt::Result {
        let rule = self.rule.map(|rule| format!(" (D{:02})", rule.0)).unwrap_or_default();
        let severity = match self.severity {
            Severity::Blocking => "blocking",
            Severity::Warning => "warning",
            Severity::Note => "note",
        };
        writeln!(out, "  {number}. {}", self.cause)?;
        writeln!(out, "     Kind    {severity}{rule}")?;
        writeln!(out, "     Owner   {}", self.who)?;
        writeln!(out, "     Remedy  {}", self.remedy)?;
        if !self.evidence.is_empty() {
            writeln!(out, "     Seen    {}", self.evidence)?;
        }
        writeln!(out)
    }
}

fn network(side: &str) -> &str {
    match side {
        "inside" => "inner network",
        "outside" => "outside",
        _ => "inside or outside: not known",
    }
}

fn authenticator(who: Option<Authenticator>, via: Option<Via>) -> String {
    let who = match who {
        Some(Authenticator::Cup) => "IM and Presence",
        Some(Authenticator::Cucm) => "Communications Manager",
        Some(Authenticator::Webex) => "the cloud",
        Some(Authenticator::Standard) => "XMPP or SIP server",
        None => "not known",
    };
    match via {
        Some(Via::Direct) => format!("{who}, direct"),
        Some(Via::Edge) => format!("{who}, through the edge"),
        None => who.to_owned(),
    }
}

fn mode(mode: Option<ProductMode>) -> &'static str {
    match mode {
        Some(ProductMode::Full) => "chat and phone",
        Some(ProductMode::ImOnly) => "chat",
        Some(ProductMode::PhoneOnly) => "phone",
        None => "not known",
    }
}
