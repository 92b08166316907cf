//! Servers that the account's settings name beyond sign-in: directory and voicemail. Connected to
//! (D07); a directory by LDAP is asked who has our account, and for what somebody would type who looks
//! for us, where it may be asked (D31).

use offhook_config::Layers;
use offhook_contacts::ldap::{Wish, named_servers};
use offhook_contacts::{Directory, DirectoryAnswer, Means, Servers, SignedIn};
use offhook_discovery::directory_servers;
use offhook_model::{Endpoint, Link, Outcome, Service as Kind, SourceKind, TraceStep, Via};
use offhook_ports::{BoxFuture, LdapServer};
use offhook_signin::{Credentials, Grant};

use crate::Case;
use crate::check::Checks;
use crate::policy::effective;

/// Visual voicemail (reference voicemail.md); its notifications come on a port of their own.
const VOICEMAIL: [u16; 2] = [443, 7080];

/// People whom a client asks for at once: fewer are given out where a server has a limit.
const MOST: u32 = 100;

/// Tries them. From outside there is no straight way to them, and none is expected.
pub(crate) async fn check(
    checks: &mut Checks<'_>,
    case: &Case<'_>,
    credentials: &Credentials,
    grant: &Grant,
) {
    let layers = effective(case.layers, &grant.layers);
    let (directories, others) = (directory(&layers), voicemail(&layers));
    if grant.via == Via::Edge {
        directories.iter().chain(&others).for_each(|at| checks.note(skipped(at)));
        return;
    }
    let tried = checks.reach_all(&directories).await;
    let reached = tried.iter().any(|tried| tried.problem.is_none());
    checks.judge_mildly(tried);
    if reached || directories.is_empty() {
        ask(checks, case, credentials, (grant, &layers)).await;
    }
    let tried = checks.reach_all(&others).await;
    checks.remark(tried);
}

/// Looks for our own account, as a client would look for others: by its name, which is one short answer,
/// and by its first letters, which shows limits and referrals. What User Data Services answer is the
/// sign-in's business, and people's names have no place in the recorded answers of a report.
async fn ask(
    checks: &mut Checks<'_>,
    case: &Case<'_>,
    credentials: &Credentials,
    (grant, layers): (&Grant, &Layers),
) {
    let Some(asking) = case.directory else { return };
    let people = &grant.people;
    let of = SignedIn {
        authenticator: Some(grant.authenticator),
        name: credentials.username.clone(),
        password: Some(credentials.password.clone()),
        im_domain: Some(case.request.address.domain().to_owned()),
        workstation_domain: asking.workstation_domain.map(str::to_owned),
        profile_password: people.profile_password.clone(),
        file_password: people.file_password.clone(),
        ..SignedIn::default()
    };
    let Some(directory) = Directory::drawn(layers, &of) else { return };
    if directory.source() != SourceKind::Ldap {
        return;
    }
    checks.findings.warn_all(directory.findings());
    let (world, seed) = (checks.world, case.request.seed);
    let look = |domain: String| -> BoxFuture<'_, Servers> {
        Box::pin(async move {
            let found = directory_servers(world, &domain, seed).await;
            (found.catalogue, found.ldap)
        })
    };
    let means = Means { world, ldap: asking.ldap, look: &look };
    let host = host_of(layers, "PrimaryServerName").unwrap_or_default();
    for question in questions(layers, &credentials.username) {
        let begin = world.clock.now();
        let answer = directory.ask(means, &question.wish, question.limit).await;
        let step = TraceStep {
            ms: checks.ms_since(begin),
            of: host.clone(),
            ..question.answered(&answer)
        };
        checks.note(step);
        let failed = !answer.problems.is_empty();
        checks.findings.warn_all(answer.problems);
        if failed {
            return;
        }
    }
}

/// One question to the directory.
struct Question {
    words: &'static str,
    wish: Wish,
    limit: u32,
}

/// A short one; and a long one where the name has as many letters as must be typed before anybody is
/// asked.
fn questions(layers: &Layers, account: &str) -> Vec<Question> {
    let wish = Wish::Account(account.to_owned());
    let mut all = vec![Question { words: "look for the own account", wish, limit: 1 }];
    let least = layers.number("MinimumCharacterQuery").and_then(|it| it.try_into().ok());
    let least: usize = least.unwrap_or(3);
    // Without the domain of Windows.
    let name = account.rsplit('\\').next().unwrap_or_default();
    let typed: String = name.chars().take(least).collect();
    if typed.chars().count() == least {
        let words = "look for people by the first letters of the own account";
        all.push(Question { words, wish: Wish::Typed(typed), limit: MOST });
    }
    all
}

impl Question {
    fn answered(&self, answer: &DirectoryAnswer) -> TraceStep {
        let first = answer.problems.first();
        TraceStep {
            step: "directory".into(),
            asked: self.words.into(),
            of: String::new(),
            answer: match (first, answer.entries.is_empty()) {
                (Some(problem), _) => problem.cause.clone(),
                (None, true) => "nobody is found".into(),
                (None, false) => "found".into(),
            },
            ms: 0,
            outcome: if first.is_none() { Outcome::Won } else { Outcome::Failed },
            why: "people are looked for there".into(),
        }
    }
}

fn skipped(at: &Endpoint) -> TraceStep {
    TraceStep {
        step: "reach".into(),
        asked: format!("connect to the {} at {at}", at.service.words()),
        of: at.to_string(),
        answer: "not tried".into(),
        ms: 0,
        outcome: Outcome::Skipped,
        why: "it is inside, and we are connected through the edge".into(),
    }
}

/// LDAP servers; contact search by UDS uses the servers of the sign-in (reference client-config.md
/// section 7.2).
pub(crate) fn directory(layers: &Layers) -> Vec<Endpoint> {
    named_servers(layers).iter().map(LdapServer::endpoint).collect()
}

fn voicemail(layers: &Layers) -> Vec<Endpoint> {
    if !layers.flag("Voicemail_Enabled") {
        return vec![];
    }
    let Some(named) = host_of(layers, "VoicemailPrimaryServer") else { return vec![] };
    let place = |host: &str, port| Endpoint {
        service: Kind::Voicemail,
        host: host.to_owned(),
        port,
        link: Link::Tls,
    };
    // A laboratory may name another port; notifications are then not looked for.
    match named.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse().ok()?))) {
        Some((host, port)) if !host.contains(':') => vec![place(host, port)],
        Some(_) | None => VOICEMAIL.map(|port| place(&named, port)).into(),
    }
}

fn host_of(layers: &Layers, key: &str) -> Option<String> {
    let value = layers.setting(key)?.0.value.trim().to_owned();
    (!value.is_empty()).then_some(value)
}
