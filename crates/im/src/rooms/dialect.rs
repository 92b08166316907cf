//! How rooms and nicknames are called: on the vendor's servers, and elsewhere (reference
//! im-presence.md section 6).

use offhook_model::Jid;

use crate::Im;

/// Feature of a host that keeps rooms beyond their last occupant.
pub(super) const PERSISTENT: &str = "http://www.jabber.com/schemas/muc#persistent";

/// Mark of replayed messages whose author the room names.
pub(super) const HISTORY: &str = "http://www.jabber.com/protocol/muc#history";

/// Longest part of a room's address that is made of its name.
const SLUG: usize = 32;

impl Im {
    /// Our nickname where the user did not choose one. The vendor's is our address, so that all
    /// devices of a person have the same.
    pub(super) fn usual_nick(&self) -> String {
        if self.policy.vendor {
            return self.me.to_string();
        }
        let named = self.rooms.own_name.as_deref().map(str::trim).filter(|it| !it.is_empty());
        named.unwrap_or_else(|| self.me.local().unwrap_or(self.me.bare_str())).to_owned()
    }

    /// The first part of a new room's address.
    pub(super) fn room_local(&mut self, name: &str, persistent: bool) -> String {
        let number = self.ids.number();
        match (self.policy.vendor, persistent) {
            (true, true) => format!("pchatroom{number}"),
            (true, false) => format!("chat{number}"),
            (false, _) => {
                let mark = format!("{:06x}", number & 0xff_ffff);
                let slug = slug(name);
                if slug.is_empty() { format!("room-{mark}") } else { format!("{slug}-{mark}") }
            }
        }
    }
}

/// The person whom a nickname names. Only on the vendor's servers, whose clients call themselves
/// by their address, bare or full [S]; that the server holds them to it is inferred [I], so what
/// the room itself says of an occupant goes before it.
pub(super) fn person(nick: &str, vendor: bool) -> Option<Jid> {
    let jid: Jid = nick.parse().ok().filter(|_| vendor && nick.contains('@'))?;
    Some(jid.bare())
}

/// What to try where the nickname is taken.
pub(super) fn next_nick(nick: &str, full: Option<&Jid>, vendor: bool) -> String {
    match full {
        Some(full) if vendor && full.bare_str() == nick => full.to_string(),
        Some(_) | None => format!("{nick}_"),
    }
}

fn slug(name: &str) -> String {
    let mut slug = String::new();
    for c in name.to_lowercase().chars() {
        if slug.len() >= SLUG {
            break;
        }
        if c.is_alphanumeric() {
            slug.push(c);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::{next_nick, person, slug};

    #[test]
    fn names_become_first_parts_of_addresses() {
        for (name, want) in [
            ("Team Lunch!", "team-lunch"),
            ("  Über   uns ", "über-uns"),
            ("@/&<>'\"", ""),
            ("x".repeat(100).as_str(), &"x".repeat(32)),
        ] {
            assert_eq!(slug(name), want, "{name}");
        }
    }

    #[test]
    fn a_nickname_names_a_person_on_the_vendors_servers_only() {
        let bare = Some("bob@example.com".parse().expect("valid"));
        assert_eq!(person("bob@example.com", true), bare);
        assert_eq!(person("Bob@Example.com/jabber_402", true), bare);
        assert_eq!(person("bob@example.com", false), None);
        assert_eq!(person("bob", true), None);
        assert_eq!(person("bob@a b", true), None);
    }

    #[test]
    fn the_next_nickname_is_the_full_address_or_has_a_suffix() {
        let full = "al@x/desk".parse().expect("valid");
        assert_eq!(next_nick("al@x", Some(&full), true), "al@x/desk");
        assert_eq!(next_nick("al", Some(&full), true), "al_");
        assert_eq!(next_nick("al@x", Some(&full), false), "al@x_");
    }
}
