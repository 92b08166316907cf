//! Which finding comes first (`docs/doctor.md`, "Which comes first").

use offhook_model::{Area, Problem, Rule, Severity};

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

    /// The same cause is told once, at its gravest.
    fn add(&mut self, severity: Severity, problem: Problem) {
        match self.items.iter_mut().find(|(_, known)| known.cause == problem.cause) {
            Some((known, _)) => *known = severity.min(*known),
            None => self.items.push((severity, problem)),
        }
    }

    /// The findings in order of importance, and the exit status.
    pub(crate) fn finish(mut self) -> (Vec<Finding>, u8) {
        self.raise_causes();
        self.items
            .sort_by_key(|(severity, problem)| (*severity, problem.area, precedence(problem.rule)));
        let exit = match self.items.first() {
            Some((Severity::Blocking, problem)) => problem.area.exit_code(),
            Some((Severity::Warning | Severity::Note, _)) | None => 0,
        };
        let finding = |(severity, problem)| Finding::new(problem, severity);
        (self.items.into_iter().map(finding).collect(), exit)
    }

    /// A bad record (D04) or a name without address (D05) is a warning while everything works.
    /// When a server cannot be reached or trusted, it is the earlier cause.
    fn raise_causes(&mut self) {
        let unreachable = self.items.iter().any(|(severity, problem)| {
            *severity == Severity::Blocking
                && matches!(problem.area, Area::Dns | Area::Network | Area::Tls)
        });
        if !unreachable {
            return;
        }
        for (severity, problem) in &mut self.items {
            if matches!(problem.rule, Some(Rule(4 | 5))) && *severity == Severity::Warning {
                *severity = Severity::Blocking;
            }
        }
    }
}

/// Among findings of one area: D04 and D05 before the others, D12 before D08.
fn precedence(rule: Option<Rule>) -> u8 {
    match rule {
        Some(Rule(4 | 5 | 12)) => 0,
        Some(_) => 1,
        None => 2,
    }
}

#[cfg(test)]
mod tests {
    use offhook_model::{Area, Owner, Problem};

    use super::Findings;

    fn problem(area: Area, rule: u8) -> Problem {
        Problem::new(area, Owner::Admin, format!("cause {rule}"), "remedy").with_rule(rule)
    }

    #[track_caller]
    fn check(findings: Findings, order: &[u8], exit: u8) {
        let (list, code) = findings.finish();
        let rules: Vec<u8> = list.iter().filter_map(|item| item.rule).map(|rule| rule.0).collect();
        assert_eq!((rules.as_slice(), code), (order, exit));
    }

    #[test]
    fn a_bad_record_outranks_the_refused_port_behind_it() {
        let mut findings = Findings::default();
        findings.warn(problem(Area::Dns, 4));
        findings.block(problem(Area::Network, 7));
        check(findings, &[4, 7], 10);
    }

    #[test]
    fn an_expired_certificate_outranks_its_unknown_authority() {
        let mut findings = Findings::default();
        findings.block(problem(Area::Tls, 8));
        findings.block(problem(Area::Tls, 12));
        check(findings, &[12, 8], 30);
    }

    #[test]
    fn warnings_leave_the_exit_status_alone() {
        let mut findings = Findings::default();
        findings.warn(problem(Area::Network, 6));
        findings.warn(problem(Area::Dns, 2));
        findings.warn(problem(Area::Dns, 2));
        check(findings, &[2, 6], 0);
    }
}
