//! The flow: one wish, asked of one server after the other, as one person after the other, below
//! all bases, and where those refer to.

use std::collections::HashSet;

use futures_util::future::join_all;
use offhook_model::{
    Area, DirectoryEntry, DirectoryFault, DirectoryGroup, Endpoint, Link, Problem, Service,
    TicketFault,
};
use offhook_ports::{
    Ldap, LdapAnswer, LdapBind, LdapEnd, LdapEntry, LdapFailure, LdapRequest, LdapScope, LdapServer,
};

use super::entry::person;
use super::groups::{self, group};
use super::plan::{Base, Credential, LdapPlan, Who};
use super::referral::{self, Elsewhere};
use super::standing::{Refusal, Standing};
use super::wish::Wish;

/// How far referrals are followed.
const HOPS: usize = 5;
/// How many are followed at once, and in all.
const REFERRALS: usize = 10;
/// Bytes of a value of a person, and of a picture.
pub(super) const VALUE: usize = 4 * 1024;
const PICTURE: usize = 1024 * 1024;
/// Beyond so many entries the server is asked for pages: Active Directory gives no more at once.
const AT_ONCE: u32 = 1_000;
const PAGE: u32 = 500;
/// Contexts that a server says it holds and that are searched.
const ROOTS: usize = 5;

/// What came of a wish.
#[derive(Clone, Debug, Default)]
pub struct LdapReport {
    /// Who was found, in the server's order.
    pub people: Vec<DirectoryEntry>,
    /// Groups that were found, where groups are wished for.
    pub groups: Vec<DirectoryGroup>,
    /// The directory knows more than was asked for.
    pub more: bool,
    /// Somebody was asked; not so when too little was typed.
    pub asked: bool,
    /// What was in the way, although something may have been found.
    pub problems: Vec<Problem>,
}

/// Asks for what is wished, `limit` people or groups at most.
pub async fn search(
    ldap: &dyn Ldap,
    plan: &LdapPlan,
    standing: &Standing,
    wish: &Wish,
    limit: u32,
) -> LdapReport {
    let Some(filter) = plan.filter(wish) else {
        return LdapReport::default();
    };
    let of_groups = matches!(wish, Wish::Groups(_));
    let (setting, attributes) = match of_groups {
        true => ("GroupBaseFilter", groups::shown(plan)),
        false => ("BaseFilter", of_people(plan)),
    };
    let bases = plan.bases_of(wish).to_vec();
    let question =
        Question { filter, setting, attributes, bases, quiet: false, limit, value_limit: VALUE };
    let mut run = Run { ldap, plan, standing, problems: vec![] };
    let found = run.anywhere(&question).await.unwrap_or_default();
    let mut report = LdapReport { more: found.more, asked: true, ..LdapReport::default() };
    if of_groups {
        report.groups = found.entries.iter().filter_map(|it| group(plan, it)).collect();
    } else {
        report.people = found.entries.iter().filter_map(|it| person(plan, it)).collect();
    }
    report.problems = run.problems;
    report
}

/// What is asked of people.
pub(super) fn of_people(plan: &LdapPlan) -> Vec<String> {
    let mut attributes = plan.attributes.names();
    attributes.extend(plan.photo_url.iter().map(|by| by.token.clone()));
    attributes
}

/// Reads the picture of one entry, at most a megabyte. No problem and no bytes: it has none.
pub async fn picture(
    ldap: &dyn Ldap,
    plan: &LdapPlan,
    standing: &Standing,
    id: &str,
    attribute: &str,
) -> (Option<Vec<u8>>, Vec<Problem>) {
    let question = Question {
        filter: "(objectClass=*)".to_owned(),
        setting: "BaseFilter",
        attributes: vec![attribute.to_owned()],
        bases: vec![Base { dn: id.to_owned(), scope: LdapScope::Base }],
        quiet: false,
        limit: 1,
        value_limit: PICTURE,
    };
    let mut run = Run { ldap, plan, standing, problems: vec![] };
    let found = run.anywhere(&question).await.unwrap_or_default();
    let values = found.entries.into_iter().flat_map(|entry| entry.attributes);
    let bytes = values.flat_map(|(_, values)| values).find(|value| !value.is_empty());
    (bytes, run.problems)
}

pub(super) struct Question {
    pub(super) filter: String,
    /// The setting that is wrong when the filter is.
    pub(super) setting: &'static str,
    pub(super) attributes: Vec<String>,
    pub(super) bases: Vec<Base>,
    /// The bases come from the directory, not from an administrator: one that is gone or closed to
    /// us is nothing to mend.
    pub(super) quiet: bool,
    pub(super) limit: u32,
    pub(super) value_limit: usize,
}

#[derive(Default)]
pub(super) struct Found {
    pub(super) entries: Vec<LdapEntry>,
    pub(super) more: bool,
}

/// Why a server is of no more use for this question.
enum Stop {
    /// Another way to bind may be let in.
    Credential(DirectoryFault),
    /// Another server may be better.
    Server(Problem),
}

pub(super) struct Run<'a> {
    pub(super) ldap: &'a dyn Ldap,
    pub(super) plan: &'a LdapPlan,
    pub(super) standing: &'a Standing,
    pub(super) problems: Vec<Problem>,
}

impl Run<'_> {
    /// Asks one server after the other, beginning with the one that answered last.
    pub(super) async fn anywhere(&mut self, question: &Question) -> Option<Found> {
        let count = self.plan.servers.len();
        if count == 0 {
            let host = self.plan.domain.clone().unwrap_or_default();
            let service = Service::Directory;
            let at = Endpoint { service, host, port: 389, link: Link::Tcp };
            self.problems.push(DirectoryFault::NoServer.problem(&at));
        }
        let first = self.standing.known().server;
        let mut answered = None;
        for index in (0..count).map(|step| (first + step) % count) {
            answered = self.at(index, question).await;
            if answered.is_some() {
                self.standing.known().server = index;
                break;
            }
        }
        // A system without tickets is nobody's business when somebody else was let in instead.
        let somebody = matches!(answered, Some((who, _)) if who != Who::Nobody);
        let mut known = self.standing.known();
        let told = known.refused.iter().filter(|one| !(somebody && one.ticket.is_some()));
        for one in told {
            // Two that are refused for the same reason are one thing to mend.
            if !self.problems.iter().any(|other| other.cause == one.problem.cause) {
                self.problems.push(one.problem.clone());
            }
        }
        known.refused.retain(|one| !one.ticket.is_some_and(TicketFault::may_pass));
        drop(known);
        answered.map(|(_, found)| found)
    }

    /// Asks one server, as one person after the other, and says as whom it answered.
    async fn at(&mut self, index: usize, question: &Question) -> Option<(Who, Found)> {
        for (number, credential) in self.plan.credentials.iter().enumerate() {
            // A password that nobody has let in yet is shown by one search at a time.
            let turn = self.standing.turn(number).await;
            if self.standing.is_refused(number) {
                continue;
            }
            let server = self.plan.server(index, credential)?;
            let answer = self.below_all(index, &server, credential, question).await;
            match answer {
                Ok(found) => {
                    self.standing.let_in(number);
                    return Some((credential.who, found));
                }
                Err(Stop::Credential(fault)) => self.standing.refuse(Refusal {
                    credential: number,
                    ticket: if let DirectoryFault::Ticket(what) = fault {
                        Some(what)
                    } else {
                        None
                    },
                    problem: fault.problem(&server.endpoint()),
                }),
                Err(Stop::Server(problem)) => {
                    self.problems.push(problem);
                    return None;
                }
            }
            drop(turn);
        }
        None
    }

    /// Searches below all bases. The first one alone, so that a wrong password is shown once, then
    /// the others side by side.
    async fn below_all(
        &mut self,
        index: usize,
        server: &LdapServer,
        credential: &Credential,
        question: &Question,
    ) -> Result<Found, Stop> {
        let bases = match question.bases.is_empty() {
            true => self.roots(index, server, credential, question).await?,
            false => question.bases.clone(),
        };
        let Some((first, others)) = bases.split_first() else {
            self.note(server, DirectoryFault::NoBase);
            return Ok(Found::default());
        };
        let mut answers =
            vec![(first.clone(), self.ask(server, credential, question, first).await)];
        if !stops(&answers[0].1) {
            let rest = others.iter().map(|base| self.ask(server, credential, question, base));
            let rest = join_all(rest).await;
            answers.extend(others.iter().cloned().zip(rest));
        }
        let mut found = Found::default();
        let mut referred = vec![];
        for (base, answer) in answers {
            match answer {
                Ok(answer) => {
                    self.take(server, question, &base, answer, &mut found, &mut referred);
                }
                Err(failure) => self.failed(server, credential, question, &base, failure)?,
            }
        }
        let limit = usize::try_from(question.limit).unwrap_or(usize::MAX);
        if found.entries.len() < limit {
            self.follow(server, credential, question, &bases, referred, &mut found).await;
        } else {
            found.more |= !referred.is_empty();
        }
        found.more |= found.entries.len() > limit;
        found.entries.truncate(limit);
        Ok(found)
    }

    async fn ask(
        &self,
        server: &LdapServer,
        credential: &Credential,
        question: &Question,
        base: &Base,
    ) -> Result<LdapAnswer, LdapFailure> {
        let request = LdapRequest {
            server: server.clone(),
            bind: credential.bind.clone(),
            base: base.dn.clone(),
            scope: base.scope,
            filter: question.filter.clone(),
            attributes: question.attributes.clone(),
            limit: question.limit,
            page: if question.limit > AT_ONCE { PAGE } else { 0 },
            timeout: self.plan.timeout,
            value_limit: question.value_limit,
        };
        self.ldap.search(request).await
    }

    /// What the server holds, where no base is set. A global catalogue is searched from its root;
    /// others say what they hold in the entry of no name (RFC 4512 section 5.1).
    async fn roots(
        &mut self,
        index: usize,
        server: &LdapServer,
        credential: &Credential,
        question: &Question,
    ) -> Result<Vec<Base>, Stop> {
        let below = |dn: String| Base { dn, scope: LdapScope::Subtree };
        if matches!(server.port, 3268 | 3269) {
            return Ok(vec![below(String::new())]);
        }
        if let Some(roots) = self.standing.roots(index) {
            return Ok(roots);
        }
        const NAMES: [&str; 2] = ["defaultNamingContext", "namingContexts"];
        let question = Question {
            filter: "(objectClass=*)".to_owned(),
            setting: question.setting,
            attributes: NAMES.map(str::to_owned).into(),
            bases: vec![],
            quiet: false,
            limit: 1,
            value_limit: VALUE,
        };
        let root = Base { dn: String::new(), scope: LdapScope::Base };
        let answer = match self.ask(server, credential, &question, &root).await {
            Ok(answer) => answer,
            Err(failure) => {
                self.failed(server, credential, &question, &root, failure)?;
                return Ok(vec![]);
            }
        };
        let said = |name: &str| -> Vec<Base> {
            let attributes = answer.entries.iter().flat_map(|entry| &entry.attributes);
            let named = attributes.filter(|(own, _)| own.eq_ignore_ascii_case(name));
            let values = named.flat_map(|(_, values)| values);
            let texts = values.filter_map(|value| std::str::from_utf8(value).ok());
            let people = texts.filter(|dn| !dn.to_ascii_lowercase().starts_with("cn="));
            people.take(ROOTS).map(|dn| below(dn.to_owned())).collect()
        };
        let [own, all] = NAMES.map(said);
        let roots = if own.is_empty() { all } else { own };
        self.standing.keep_roots(index, &roots);
        Ok(roots)
    }

    /// A failure of one base is told and the others count; every other one ends the attempt.
    fn failed(
        &mut self,
        server: &LdapServer,
        credential: &Credential,
        question: &Question,
        base: &Base,
        failure: LdapFailure,
    ) -> Result<(), Stop> {
        let fault = match failure {
            LdapFailure::BadCredentials => {
                return Err(Stop::Credential(match credential.who {
                    Who::SignIn => DirectoryFault::BadSignIn,
                    Who::Reader | Who::System | Who::Nobody => DirectoryFault::BadReader,
                }));
            }
            LdapFailure::BindRefused(code) => {
                return Err(Stop::Credential(DirectoryFault::BindRefused(code)));
            }
            // So Active Directory says that nobody may not search.
            LdapFailure::Result(1) if credential.bind == LdapBind::Anonymous => {
                return Err(Stop::Credential(DirectoryFault::BindRefused(1)));
            }
            LdapFailure::Ticket(fault) => {
                return Err(Stop::Credential(DirectoryFault::Ticket(fault)));
            }
            LdapFailure::Fault(fault) => {
                let problem = fault.problem(&server.endpoint());
                // Whoever goes away or says nothing is down, as is whoever does not listen (D07).
                let down = problem.rule.is_none() && problem.area == Area::Network;
                return Err(Stop::Server(if down { problem.with_rule(7) } else { problem }));
            }
            LdapFailure::Result(code) => {
                let fault = DirectoryFault::Refused(code);
                return Err(Stop::Server(fault.problem(&server.endpoint())));
            }
            // Servers hide what is there from nobody; who was refused is told that, and not that the
            // base is wrong.
            LdapFailure::NoSuchBase
                if credential.who == Who::Nobody && !self.standing.known().refused.is_empty() =>
            {
                return Ok(());
            }
            LdapFailure::NoSuchBase | LdapFailure::NotAllowed if question.quiet => return Ok(()),
            LdapFailure::NoSuchBase => DirectoryFault::NoSuchBase(base.dn.clone()),
            LdapFailure::NotAllowed => DirectoryFault::NotAllowed,
            // What was typed is escaped, so that only what was set can be wrong.
            LdapFailure::BadFilter(_) => DirectoryFault::BadSetting(question.setting),
        };
        self.note(server, fault);
        Ok(())
    }

    fn note(&mut self, server: &LdapServer, fault: DirectoryFault) {
        let problem = fault.problem(&server.endpoint());
        if !self.problems.iter().any(|known| known.cause == problem.cause) {
            self.problems.push(problem);
        }
    }

    /// Puts an answer to the others.
    fn take(
        &mut self,
        server: &LdapServer,
        question: &Question,
        base: &Base,
        answer: LdapAnswer,
        found: &mut Found,
        referred: &mut Vec<Referred>,
    ) {
        let short = answer.entries.len() < usize::try_from(question.limit).unwrap_or(usize::MAX);
        match answer.end {
            LdapEnd::Complete => {}
            LdapEnd::SizeLimit | LdapEnd::AdminLimit => {
                found.more = true;
                if short {
                    self.note(server, DirectoryFault::ServerLimit);
                }
            }
            LdapEnd::TimeLimit => {
                found.more = true;
                self.note(server, DirectoryFault::TimeLimit);
            }
        }
        for entry in answer.entries {
            if !found.entries.iter().any(|known| known.dn.eq_ignore_ascii_case(&entry.dn)) {
                found.entries.push(entry);
            }
        }
        let read = answer.referrals.iter().filter_map(|url| referral::read(url));
        let worth = read.filter(|to| !to.holds_no_people());
        referred.extend(worth.map(|to| Referred { to, base: base.clone(), from: server.clone() }));
    }

    /// Asks who else is said to know more, level by level. What cannot be had there is told and
    /// takes nothing away from what was found.
    async fn follow(
        &mut self,
        server: &LdapServer,
        credential: &Credential,
        question: &Question,
        bases: &[Base],
        referred: Vec<Referred>,
        found: &mut Found,
    ) {
        let key = |server: &LdapServer, base: &Base| {
            let place = (server.host.to_ascii_lowercase(), server.port);
            (place, base.dn.to_ascii_lowercase(), base.scope as u8)
        };
        let mut seen: HashSet<_> = bases.iter().map(|base| key(server, base)).collect();
        let nobody = Credential { who: Who::Nobody, bind: LdapBind::Anonymous };
        let (mut level, mut left) = (referred, REFERRALS);
        for _ in 0..HOPS {
            let mut targets: Vec<(LdapServer, Base, &Credential)> = vec![];
            let before = seen.clone();
            for one in level.drain(..) {
                let (there, base) = (one.to.server(&one.from), one.to.base(&one.base));
                let key = key(&there, &base);
                if before.contains(&key) {
                    self.note(server, DirectoryFault::ReferralCircle);
                } else if seen.insert(key) {
                    let known = self.plan.trusts(&one.to.host);
                    targets.push((there, base, if known { credential } else { &nobody }));
                }
            }
            if targets.len() > left {
                self.note(server, DirectoryFault::ReferralCircle);
                targets.truncate(left);
            }
            left -= targets.len();
            let asked =
                targets.iter().map(|(there, base, who)| self.ask(there, who, question, base));
            let answers = join_all(asked).await;
            for ((there, base, _), answer) in targets.iter().zip(answers) {
                match answer {
                    Ok(answer) => self.take(there, question, base, answer, found, &mut level),
                    Err(_) => self.note(server, DirectoryFault::ReferralLost(there.host.clone())),
                }
            }
            if level.is_empty() {
                return;
            }
        }
        self.note(server, DirectoryFault::ReferralCircle);
    }
}

/// A referral, with what was asked and of whom.
struct Referred {
    to: Elsewhere,
    base: Base,
    from: LdapServer,
}

/// Nothing more is to be asked of this server as this person.
fn stops(answer: &Result<LdapAnswer, LdapFailure>) -> bool {
    match answer {
        Ok(_)
        | Err(LdapFailure::NoSuchBase | LdapFailure::NotAllowed | LdapFailure::BadFilter(_)) => {
            false
        }
        Err(
            LdapFailure::Fault(_)
            | LdapFailure::BadCredentials
            | LdapFailure::BindRefused(_)
            | LdapFailure::Ticket(_)
            | LdapFailure::Result(_),
        ) => true,
    }
}
