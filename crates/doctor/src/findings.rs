//! Which finding comes first (`docs/doctor.md`, "Which comes first").

use offhook_model::{Area, Problem, Rule, Service, Severity};

use crate::Finding;

/// Collects problems and puts them in order.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    items: Vec<(Severity, Problem)>,
}

impl Findings {
    /// A part of the client cannot work.
    pub(crate) fn block(&mut self, problem: Problem) {
        self.add(Severity::Blocking, problem);
    }

    /// Works, and should be mended.
    pub(crate) fn warn(&mut self, problem: Problem) {
        self.add(Severity::Warning, problem);
    }

    pub(crate) fn warn_all(&mut self, problems: Vec<Problem>) {
        problems.into_iter().for_each(|problem| self.warn(problem));
    }

    /// Worth knowing.
    pub(crate) fn note(&mut self, problem: Problem) {
        self.add(Severity::Note, problem);
    }

    /// What a running client sees blocks it, whatever we saw ourselves.
    pub(crate) fn see(&mut self, problems: &[Problem]) {
        problems.iter().for_each(|problem| self.block(problem.clone()));
    }

    /// The same cause is told once, at its gravest. A gap in a problem report is no fault of a
    /// server that was not asked; it only stops what needs its answer.
    fn add(&mut self, severity: Severity, problem: Problem) {
        let severity = match severity {
            Severity::Warning if problem.is_not_recorded() => Severity::Note,
            other => other,
        };
        match self.items.iter_mut().find(|(_, known)| known.cause == problem.cause) {
            Some((known, _)) => *known = severity.min(*known),
            None => self.items.push((severity, problem)),
        }
    }

    /// The findings in order of importance, and the exit status.
    pub(crate) fn finish(mut self) -> (Vec<Finding>, u8) {
        self.raise_causes();
        self.drop_consequences();
        self.items
            .sort_by_key(|(severity, it)| (*severity, stretch(*severity, it), precedence(it.rule)));
        let exit = match self.items.first() {
            Some((Severity::Blocking, problem)) => problem.area.exit_code(),
            Some((Severity::Warning | Severity::Note, _)) | None => 0,
        };
        let finding = |(severity, problem)| Finding::new(problem, severity);
        (self.items.into_iter().map(finding).collect(), exit)
    }

    /// Something blocks in one of these stretches.
    pub(crate) fn blocked_by(&self, areas: &[Area]) -> bool {
        self.items
            .iter()
            .any(|(severity, it)| *severity == Severity::Blocking && areas.contains(&it.area))
    }

    /// Inside records on public servers (D03), a bad record (D04) or a name without address (D05)
    /// is a warning while everything works. When a server cannot be reached or trusted, it is the
    /// earlier cause.
    fn raise_causes(&mut self) {
        let way = [Area::Dns, Area::Network, Area::Tls];
        let causes: &[u8] = if self.blocked_by(&way) { &[3, 4, 5, 26] } else { &[] };
        // The servers answered, and were not those that were meant (D22), or not those of the user's
        // chat (D26).
        let entry = [Area::Authentication, Area::Provisioning];
        let others: &[u8] = if self.blocked_by(&entry) { &[22, 26] } else { &[] };
        // The profile sends the user to a cloud that does not know them (D25).
        let cloud = self.items.iter().any(|(severity, it)| {
            *severity == Severity::Blocking && it.evidence.starts_with(Service::Cloud.words())
        });
        let sent: &[u8] = if cloud { &[25] } else { &[] };
        for (severity, problem) in
            self.items.iter_mut().filter(|(severity, _)| *severity == Severity::Warning)
        {
            let raised = |rules: &[u8]| problem.rule.is_some_and(|rule| rules.contains(&rule.0));
            if raised(causes) || raised(others) || raised(sent) {
                *severity = Severity::Blocking;
            }
        }
    }

    /// That the first servers are dead (D06) means nothing when none is alive (D07), and what a
    /// certificate is for (D09 to D11) means nothing when nobody vouches for it (D08).
    fn drop_consequences(&mut self) {
        let nobody_alive = self
            .items
            .iter()
            .any(|(severity, it)| *severity == Severity::Blocking && it.rule == Some(Rule(7)));
        let untrusted: Vec<String> = self
            .items
            .iter()
            .filter(|(_, it)| it.rule == Some(Rule(8)))
            .map(|(_, it)| place(it).to_owned())
            .collect();
        self.items.retain(|(_, it)| match it.rule {
            Some(Rule(6)) => !nobody_alive,
            Some(Rule(9..=11)) => !untrusted.iter().any(|place_of| place_of == place(it)),
            _ => true,
        });
    }
}

/// Service, host and port, as the evidence begins (`model::Fault::problem`).
fn place(problem: &Problem) -> &str {
    problem.evidence.split(": ").next().unwrap_or_default()
}

/// Where on the way a finding belongs. Its area says so, but for three that are the cause of what
/// fails behind them: the wrong authenticator (D22), the wrong product (D25) and a domain in the
/// place of a host (D26).
fn stretch(severity: Severity, problem: &Problem) -> Option<Area> {
    let is_cause =
        severity == Severity::Blocking && matches!(problem.rule, Some(Rule(22 | 25 | 26)));
    (!is_cause).then_some(problem.area)
}

/// Among findings of one area: D03, D04 and D05 before the others, D12 before D08, both nodes down
/// (D32) before each of them (D07).
fn precedence(rule: Option<Rule>) -> u8 {
    match rule {
        Some(Rule(3..=5 | 12 | 32)) => 0,
        Some(_) => 1,
        None => 2,
    }
}

#[cfg(test)]
mod tests {
    use offhook_model::Severity::{Blocking, Note, Warning};
    use offhook_model::{Area, Owner, Problem, Rule, Severity};

    use super::Findings;

    fn area(rule: u8) -> Area {
        match rule {
            1..=5 => Area::Dns,
            6 | 7 | 16 | 17 | 32 | 33 => Area::Network,
            8..=12 => Area::Tls,
            13 | 19..=21 => Area::Authentication,
            29 | 30 => Area::Registration,
            34 => Area::Media,
            _ => Area::Provisioning,
        }
    }

    fn problem(rule: u8, at: &str) -> Problem {
        let problem =
            Problem::new(area(rule), Owner::Admin, format!("cause {rule} {at}"), "remedy")
                .with_evidence(format!("{at}: seen"));
        if rule == 0 { problem } else { problem.with_rule(rule) }
    }

    /// What was found, in the order in which it was found; what is told, in the order in which it
    /// is told; the exit status.
    type Row = (&'static [(Severity, u8)], &'static [u8], u8);

    /// "Which comes first", sentence by sentence.
    const TABLE: &[Row] = &[
        // Nothing is wrong.
        (&[], &[], 0),
        // The earliest cause in the chain outranks what follows from it: D04 and D05 before D07.
        (&[(Warning, 4), (Blocking, 7)], &[4, 7], 10),
        (&[(Blocking, 7), (Warning, 5)], &[5, 7], 10),
        (&[(Warning, 5), (Warning, 4), (Blocking, 7)], &[5, 4, 7], 10),
        // While everything works they are warnings.
        (&[(Warning, 4)], &[4], 0),
        (&[(Warning, 4), (Blocking, 18)], &[18, 4], 50),
        // D03 before D07.
        (&[(Blocking, 7), (Warning, 3)], &[3, 7], 10),
        // D12 before D08 when the certificate is both.
        (&[(Blocking, 8), (Blocking, 12)], &[12, 8], 30),
        // D09 to D11 only when the chain is trusted.
        (&[(Blocking, 9), (Blocking, 8)], &[8], 30),
        (&[(Blocking, 10), (Warning, 8)], &[8], 0),
        (&[(Blocking, 11)], &[11], 30),
        // D06 is a warning when a later target answered, and yields to D07 when none did.
        (&[(Warning, 6)], &[6], 0),
        (&[(Warning, 6), (Blocking, 7)], &[7], 20),
        (&[(Warning, 6), (Warning, 7)], &[6, 7], 0),
        // Both nodes down comes before each of them.
        (&[(Blocking, 7), (Blocking, 32)], &[32, 7], 20),
        // When sign-in succeeds, these appear as warnings, and the exit status stays 0.
        (
            &[(Warning, 36), (Warning, 35), (Warning, 22), (Warning, 6), (Warning, 2)],
            &[2, 6, 36, 35, 22],
            0,
        ),
        // Another authenticator than expected outranks what it refuses, and a domain in the place of a
        // host outranks that it has no address.
        (&[(Blocking, 13), (Warning, 22)], &[22, 13], 50),
        (&[(Blocking, 5), (Warning, 26)], &[26, 5], 50),
        (&[(Warning, 22), (Blocking, 29)], &[29, 22], 60),
        // A failed service behind them decides the exit status all the same.
        (&[(Warning, 2), (Blocking, 29)], &[29, 2], 60),
        // In the order of the chain.
        (
            &[
                (Blocking, 34),
                (Blocking, 29),
                (Blocking, 27),
                (Blocking, 13),
                (Blocking, 8),
                (Blocking, 7),
                (Blocking, 1),
            ],
            &[1, 7, 8, 13, 27, 29, 34],
            10,
        ),
        // Findings without a rule come last in their stretch; notes come after everything.
        (&[(Blocking, 0), (Blocking, 27)], &[27, 0], 50),
        (&[(Note, 1), (Warning, 36)], &[36, 1], 0),
    ];

    #[test]
    fn which_comes_first() {
        for (found, told, exit) in TABLE {
            let mut findings = Findings::default();
            for (severity, rule) in *found {
                match severity {
                    Blocking => findings.block(problem(*rule, "host")),
                    Warning => findings.warn(problem(*rule, "host")),
                    Note => findings.note(problem(*rule, "host")),
                }
            }
            let (list, code) = findings.finish();
            let rules: Vec<u8> = list.iter().map(|it| it.rule.map_or(0, |rule| rule.0)).collect();
            assert_eq!((rules.as_slice(), code), (*told, *exit), "{found:?}");
        }
    }

    #[test]
    fn a_cloud_that_refuses_whom_the_profile_sends_is_the_profiles_fault() {
        let mut findings = Findings::default();
        findings.warn(problem(25, "host"));
        findings.block(problem(13, "cloud sign-in service loginp.webexconnect.com:443"));
        let (list, exit) = findings.finish();
        assert_eq!((list.first().and_then(|it| it.rule), exit), (Some(Rule(25)), 50));
    }

    #[test]
    fn another_server_may_be_trusted_and_have_the_wrong_name() {
        let mut findings = Findings::default();
        findings.block(problem(8, "one"));
        findings.block(problem(9, "two"));
        assert_eq!(findings.finish().0.len(), 2);
    }

    #[test]
    fn the_same_cause_is_told_once_and_at_its_gravest() {
        let mut findings = Findings::default();
        findings.warn(problem(7, "host"));
        findings.block(problem(7, "host"));
        findings.warn(problem(7, "host"));
        let (list, exit) = findings.finish();
        assert_eq!((list.len(), exit), (1, 20));
    }

    #[test]
    fn a_gap_in_a_report_is_a_note_unless_it_stops_everything() {
        let mut findings = Findings::default();
        findings.warn(Problem::not_recorded("the call server"));
        assert_eq!(findings.finish().1, 0);
        let mut findings = Findings::default();
        findings.block(Problem::not_recorded("the user data service"));
        assert_eq!(findings.finish().1, 50);
    }
}
