//! `/cucm-uds/users`: the directory that every cluster has of everybody (reference page uds).

use std::fmt::Write as _;

use crate::deployment::{Deployment, UdsNode};
use crate::fault::Fault;
use crate::http::{Request, Response};
use crate::uds::{SCHEMA, asker, base, cookies, document};
use crate::xml::escape;

/// How many people a page has when nobody says, whatever the limit is.
const USUAL: usize = 64;
/// How many there are on each page of `search-lies`.
const TOTAL: usize = 1_000_000_000;

/// Somebody as the directory shows them.
#[derive(Debug, Clone, Default)]
struct Row {
    user: String,
    first: String,
    last: String,
    display: String,
    phone: String,
    mobile: String,
    mail: String,
    uri: String,
    department: String,
    title: String,
}

pub(crate) fn answer(lab: &Deployment, node: &UdsNode, request: &Request) -> Response {
    let first = lab.home_node(node.cluster).is_some_and(|first| first.host == node.host);
    if first && lab.faults.has(Fault::SearchBusy) {
        return Response::html(503);
    }
    // Everybody is known to every cluster, so anybody may look anywhere.
    let asked_by = asker(lab, request);
    if lab.config.uds.search_auth && asked_by.is_none() {
        return Response::html(401)
            .with("WWW-Authenticate", "Basic realm=\"Cisco Web Services Realm\"");
    }
    let number = |name: &str| request.parameter(name).map(str::parse::<usize>);
    let (Ok(start), Ok(max)) =
        (number("start").unwrap_or(Ok(0)), number("max").unwrap_or(Ok(USUAL)))
    else {
        return Response::html(415);
    };
    let mut found = everybody(lab);
    for (filter, value) in &request.query {
        let Some(fits) = condition(filter, value) else {
            if matches!(filter.as_str(), "start" | "max") {
                continue;
            }
            return Response::html(415);
        };
        found.retain(|row| fits(row));
    }
    let lies = lab.faults.has(Fault::SearchLies);
    let limit = lab.config.uds.search_limit.clamp(1, 500);
    let from = if lies { 0 } else { start };
    let page: Vec<&Row> = found.iter().skip(from).take(max.min(limit)).collect();
    let uri = base(lab, node);
    let rows: String = page.iter().map(|row| shown(&uri, row)).collect();
    let reply = document(&format!(
        "<users uri=\"{uri}/users\" version=\"{SCHEMA}\" start=\"{start}\" \
         requestedCount=\"{}\" returnedCount=\"{}\" totalCount=\"{}\">{rows}</users>",
        max.min(limit),
        page.len(),
        if lies { TOTAL } else { found.len() },
    ));
    match asked_by {
        Some((person, true)) => cookies(lab, person, reply),
        Some((_, false)) | None => reply,
    }
}

/// The people of the laboratory, and as many made-up ones as the configuration asks for.
fn everybody(lab: &Deployment) -> Vec<Row> {
    let domain = lab.domain();
    let people = lab.people.iter().map(|person| Row {
        user: person.name.clone(),
        first: person.first_name.clone(),
        last: person.last_name.clone(),
        display: person.display_name.clone(),
        phone: person.number.clone(),
        mobile: format!("+1 555 010 {}", person.number),
        mail: format!("{}@{domain}", person.name),
        uri: format!("{}@{domain}", person.name),
        department: "Laboratory".to_owned(),
        title: if person.robot.is_some() { "Robot" } else { "Colleague" }.to_owned(),
    });
    let made_up = (1..=lab.config.uds.people).map(|at| Row {
        user: format!("stranger{at}"),
        first: format!("Person{at}"),
        last: "Stranger".to_owned(),
        display: format!("Person{at} Stranger"),
        phone: format!("{}", 70_000 + at),
        mail: format!("stranger{at}@{domain}"),
        ..Row::default()
    });
    people.chain(made_up).collect()
}

fn begins(text: &str, start: &str) -> bool {
    text.to_lowercase().starts_with(&start.to_lowercase())
}

fn plain(number: &str) -> String {
    number.chars().filter(|c| !" ()+-".contains(*c)).collect()
}

/// Whether somebody is meant.
type Condition = Box<dyn Fn(&Row) -> bool>;

/// What a filter asks for. `None`: there is no such filter, or it is used wrongly.
fn condition(filter: &str, value: &str) -> Option<Condition> {
    let text = value.to_owned();
    let is = |one: &str, other: &str| !other.is_empty() && one.eq_ignore_ascii_case(other);
    Some(match filter {
        "name" => Box::new(move |row| by_name(row, &text)),
        "first" => Box::new(move |row| begins(&row.first, &text)),
        "last" => Box::new(move |row| begins(&row.last, &text)),
        "displayname" => Box::new(move |row| begins(&row.display, &text)),
        "username" => Box::new(move |row| is(&row.user, &text)),
        "email" => Box::new(move |row| is(&row.mail, &text)),
        "uri" => Box::new(move |row| is(&row.uri, &text)),
        "number" => {
            let digits = plain(&text);
            Box::new(move |row| {
                [&row.phone, &row.mobile].iter().any(|own| {
                    let own = plain(own);
                    !own.is_empty() && own.starts_with(&digits)
                })
            })
        }
        "numberlast" if text.len() >= 4 => Box::new(move |row| {
            [&row.phone, &row.mobile].iter().any(|own| plain(own).ends_with(&text))
        }),
        _ => return None,
    })
}

/// One word begins any of the names or the mail address. Several are divided between first and last
/// name at each space, either way round; words beyond the third are not looked at.
fn by_name(row: &Row, text: &str) -> bool {
    let words: Vec<&str> = text.split_whitespace().take(3).collect();
    let all = words.join(" ");
    let any = [&row.first, &row.last, &row.display, &row.mail];
    if any.iter().any(|name| begins(name, &all)) {
        return !all.is_empty();
    }
    (1..words.len()).any(|at| {
        let (one, two) = words.split_at(at);
        let (one, two) = (one.join(" "), two.join(" "));
        (begins(&row.first, &one) && begins(&row.last, &two))
            || (begins(&row.first, &two) && begins(&row.last, &one))
    })
}

fn shown(base: &str, row: &Row) -> String {
    let mut out = format!("<user uri=\"{base}/user/{}\">", escape(&row.user));
    let fields = [
        ("id", crate::random::stable_uuid(&format!("user {}", row.user))),
        ("userName", row.user.clone()),
        ("firstName", row.first.clone()),
        ("lastName", row.last.clone()),
        ("middleName", String::new()),
        ("nickName", String::new()),
        ("displayName", row.display.clone()),
        ("phoneNumber", row.phone.clone()),
        ("homeNumber", String::new()),
        ("mobileNumber", row.mobile.clone()),
        ("email", row.mail.clone()),
        ("msUri", String::new()),
        ("department", row.department.clone()),
        ("manager", String::new()),
        ("title", row.title.clone()),
        ("pager", String::new()),
    ];
    for (name, value) in fields {
        let _ = write!(out, "<{name}>{}</{name}>", escape(&value));
    }
    let exist = !row.uri.is_empty();
    let _ =
        write!(out, "<directoryUri exist=\"{exist}\">{}</directoryUri></user>", escape(&row.uri));
    out
}

#[cfg(test)]
mod tests {
    use super::answer;
    use crate::config::LabConfig;
    use crate::deployment::Deployment;
    use crate::deployment::tests::configured;
    use crate::http::Response;
    use crate::http::tests::get;
    use crate::scenario::Scenario;
    use crate::xml::{Element, parse};

    const ALICE: &str = "Authorization: Basic YWxpY2U6c2VjcmV0";

    fn lab(faults: &[&str], config: &str) -> Deployment {
        let config = LabConfig::from_toml(config).unwrap();
        configured(Scenario::MultiCluster, faults, config)
    }

    fn ask(lab: &Deployment, node: usize, query: &str, headers: &str) -> Response {
        let target = format!("/cucm-uds/users?{query}");
        answer(lab, &lab.nodes[node], &get(&target, headers))
    }

    fn list(lab: &Deployment, query: &str) -> Element {
        let reply = ask(lab, 0, query, "");
        assert_eq!(reply.status, 200, "{query}");
        parse(std::str::from_utf8(&reply.body).unwrap(), "").unwrap()
    }

    fn found(lab: &Deployment, query: &str) -> Vec<String> {
        list(lab, query).elements().filter_map(|user| user.child_text("userName")).collect()
    }

    #[test]
    fn every_filter_finds_and_several_narrow_down() {
        let lab = lab(&[], "");
        for (query, users) in [
            ("name=al", &["alice"][..]),
            ("name=ANDERSON", &["alice"]),
            ("name=alice+and", &["alice"]),
            ("name=and+alice", &["alice"]),
            ("name=alice%40lab.", &["alice"]),
            ("name=c", &["carol"]),
            ("name=", &[]),
            ("name=ice", &[]),
            ("first=bob", &["bob"]),
            ("last=r", &["bob"]),
            ("displayname=bob+r", &["bob"]),
            ("number=200", &["alice", "carol", "bob"]),
            ("number=%2B1+(555)-0102", &["alice", "carol", "bob"]),
            ("numberlast=2003", &["carol"]),
            ("username=Alice", &["alice"]),
            ("username=ali", &[]),
            ("email=carol%40lab.example", &["carol"]),
            ("uri=carol%40lab.example", &["carol"]),
            ("number=200&last=c", &["carol"]),
        ] {
            assert_eq!(found(&lab, query), users, "{query}");
        }
        for bad in ["numberlast=1", "shoe=42", "name=a&start=x", "name=a&max=-1"] {
            assert_eq!(ask(&lab, 0, bad, "").status, 415, "{bad}");
        }
    }

    #[test]
    fn pages_are_clamped_and_lead_through_everybody() {
        let lab = lab(&[], "[uds]\npeople = 30\nsearchLimit = 20\n");
        let first = list(&lab, "name=stranger&max=500");
        let counts = |page: &Element| {
            let names = ["start", "requestedCount", "returnedCount", "totalCount"];
            names.map(|name| page.attribute(name).unwrap().to_owned())
        };
        assert_eq!(counts(&first), ["0", "20", "20", "30"]);
        assert_eq!(counts(&list(&lab, "name=stranger&start=20")), ["20", "20", "10", "30"]);
        assert_eq!(counts(&list(&lab, "name=stranger&start=99")), ["99", "20", "0", "30"]);
    }

    #[test]
    fn who_searches_is_asked_for_where_that_is_switched_on() {
        let lab = lab(&[], "[uds]\nsearchAuth = true\n");
        let refused = ask(&lab, 0, "name=a", "");
        assert!(refused.status == 401 && refused.body.starts_with(b"<html>"));
        for node in 0..4 {
            let reply = ask(&lab, node, "name=a", ALICE);
            assert_eq!(reply.status, 200, "every cluster knows everybody");
            assert!(reply.headers.iter().any(|(_, value)| value.starts_with("JSESSIONIDSSO=")));
        }
    }

    #[test]
    fn faults_show_in_searches() {
        let busy = lab(&["search-busy"], "");
        let status = [0, 1, 2, 3].map(|node| ask(&busy, node, "name=a", "").status);
        assert_eq!(status, [503, 200, 503, 200]);
        let lies = lab(&["search-lies"], "");
        let page = list(&lies, "name=a&start=64");
        assert_eq!(page.attribute("totalCount"), Some("1000000000"));
        assert!(page.elements().next().is_some(), "the first page, whichever is asked for");
    }
}
