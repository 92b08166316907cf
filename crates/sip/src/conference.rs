//! Who is in a conference (RFC 4575, `application/conference-info+xml`). That Communications
//! Manager sends the same documents is inferred (reference sip-dialect.md section 3), so much may
//! be missing.

use crate::agent::RosterEntry;
use crate::cucm;
use crate::identity::Identity;
use crate::message::uri::unescape;
use crate::message::{Message, Uri, parts};
use crate::xml::{self, Element};

/// Media type of the documents.
pub(crate) const MEDIA_TYPE: &str = "application/conference-info+xml";
/// Most people that are told.
const MOST: usize = 200;
/// Longest name of an entry, in bytes.
const LONGEST_ID: usize = 512;

/// What the documents of one conference said together.
#[derive(Debug, Default)]
pub(crate) struct Roster {
    version: Option<u32>,
    people: Vec<RosterEntry>,
}

impl Roster {
    /// Everybody who is in it, in the order they were told.
    pub fn people(&self) -> &[RosterEntry] {
        &self.people
    }

    /// Takes the documents of a message. Nothing when there is none that can be read, else whether
    /// it told anything new.
    pub fn take(&mut self, message: &Message) -> Option<bool> {
        let kind = message.header(crate::message::Name::ContentType).unwrap_or("");
        let documents = parts(kind, message.body());
        let document = documents.iter().find(|part| part.media_type == MEDIA_TYPE)?;
        self.apply(document.body)
    }

    /// Takes one document. Nothing when it cannot be read, else whether it told anything new.
    pub fn apply(&mut self, body: &[u8]) -> Option<bool> {
        let root = xml::parse(body).filter(|root| root.is("conference-info"))?;
        let state = root.attribute("state").unwrap_or("full");
        let version = root.attribute("version").and_then(|version| version.parse::<u32>().ok());
        let full = state == "full";
        // RFC 4575 section 4.5: what is old already is left out; a full document may begin anew.
        let old = version.zip(self.version).is_some_and(|(new, last)| new <= last);
        if old && !full {
            return Some(false);
        }
        self.version = version.or(self.version);
        let before = self.people.clone();
        if state == "deleted" {
            self.people.clear();
        } else if let Some(users) = root.child("users") {
            self.users(users, full && users.attribute("state").is_none_or(|state| state == "full"));
        }
        Some(self.people != before)
    }

    fn users(&mut self, users: &Element, full: bool) {
        if full {
            self.people.clear();
        }
        for user in users.all("user") {
            let Some(id) =
                user.attribute("entity").filter(|id| (1..=LONGEST_ID).contains(&id.len()))
            else {
                continue;
            };
            let at = self.people.iter().position(|person| person.id == id);
            let gone = user.attribute("state") == Some("deleted") || has_left(user);
            match at {
                Some(at) if gone => {
                    self.people.remove(at);
                }
                Some(at) => {
                    let name = name_of(user).or_else(|| self.people[at].who.name.clone());
                    self.people[at].who.name = name;
                }
                None if gone || self.people.len() >= MOST => {}
                None => self.people.push(entry(id, user)),
            }
        }
    }
}

/// All places at which somebody takes part say that they do not any more.
fn has_left(user: &Element) -> bool {
    let status = |endpoint: &Element| {
        endpoint.attribute("state") == Some("deleted")
            || endpoint.child("status").is_some_and(|status| status.value() == Some("disconnected"))
    };
    let mut endpoints = user.all("endpoint").peekable();
    endpoints.peek().is_some() && endpoints.all(status)
}

fn name_of(user: &Element) -> Option<String> {
    cucm::clean_display(user.value_of("display-text")?)
}

fn entry(id: &str, user: &Element) -> RosterEntry {
    let clean = |text: &str| text.chars().filter(|c| !c.is_control()).collect::<String>();
    let number = Uri::parse(id).ok().and_then(|uri| uri.user.map(unescape));
    let who = Identity {
        number: clean(&number.unwrap_or_default()),
        name: name_of(user),
        uri: clean(id),
    };
    RosterEntry { id: clean(id), who }
}

#[cfg(test)]
mod tests {
    use super::Roster;

    fn names(roster: &Roster) -> Vec<(&str, &str)> {
        let name = |name: &Option<String>| -> String { name.clone().unwrap_or_default() };
        let people = roster.people().iter();
        people.map(|p| (p.who.number.as_str(), &*name(&p.who.name).leak())).collect()
    }

    fn check(roster: &mut Roster, document: &str, news: Option<bool>, people: &[(&str, &str)]) {
        assert_eq!(roster.apply(document.as_bytes()), news, "{document}");
        assert_eq!(names(roster), people, "{document}");
    }

    #[test]
    fn documents_add_up() {
        let mut roster = Roster::default();
        let user = |entity: &str, more: &str| format!("<user entity=\"{entity}\"{more}</user>");
        let document = |head: &str, users: &str| {
            format!(
                "<conference-info xmlns=\"urn:ietf:params:xml:ns:conference-info\" entity=\"sip:c@x\" {head}>\
                 <conference-description/><users>{users}</users></conference-info>"
            )
        };
        let (a, b) = (
            user("sip:2001@x", "><display-text>Ann</display-text>"),
            user("sip:2002@x", "><endpoint entity=\"e\"><status>connected</status></endpoint>"),
        );
        let full = document("state=\"full\" version=\"1\"", &format!("{a}{b}"));
        check(&mut roster, &full, Some(true), &[("2001", "Ann"), ("2002", "")]);
        check(&mut roster, &full, Some(false), &[("2001", "Ann"), ("2002", "")]);
        let named = document(
            "state=\"partial\" version=\"2\"",
            &user("sip:2002@x", " state=\"partial\"><display-text>Bob</display-text>"),
        );
        check(&mut roster, &named, Some(true), &[("2001", "Ann"), ("2002", "Bob")]);
        let old =
            document("state=\"partial\" version=\"2\"", &user("sip:2001@x", " state=\"deleted\">"));
        check(&mut roster, &old, Some(false), &[("2001", "Ann"), ("2002", "Bob")]);
        let left = document(
            "state=\"partial\" version=\"3\"",
            &user("sip:2001@x", "><endpoint><status>disconnected</status></endpoint>"),
        );
        check(&mut roster, &left, Some(true), &[("2002", "Bob")]);
        check(&mut roster, "<conference-info state=\"deleted\" version=\"4\"/>", Some(true), &[]);
        check(&mut roster, "<presence/>", None, &[]);
        check(&mut roster, "no", None, &[]);
    }

    #[test]
    fn a_crowd_is_bounded() {
        let users: String = (0..1900).map(|n| format!("<user entity=\"sip:{n}@x\"/>")).collect();
        let mut roster = Roster::default();
        let document = format!("<conference-info><users>{users}</users></conference-info>");
        assert_eq!(roster.apply(document.as_bytes()), Some(true));
        assert_eq!(roster.people().len(), 200);
    }
}
