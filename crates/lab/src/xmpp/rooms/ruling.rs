//! Rights in rooms, putting people out, closing (XEP-0045 sections 8 to 10.9).

use super::{ADMIN, Jid, Occupant, Post, Room, missing, refusal};
use crate::xml::Element;
use crate::xmpp::iq::result;
use crate::xmpp::roster::plain;

fn affiliation(word: &str) -> Option<&'static str> {
    ["owner", "admin", "member", "outcast", "none"].into_iter().find(|it| *it == word)
}

fn role(word: &str) -> Option<&'static str> {
    ["moderator", "participant", "visitor", "none"].into_iter().find(|it| *it == word)
}

impl Room {
    /// People with a right, as asked for.
    pub(super) fn list(&self, query: &Element) -> Element {
        let wanted = query.elements().find_map(|item| item.attribute("affiliation"));
        let listed = self.rights.iter().filter(|(_, right)| Some(**right) == wanted);
        listed.fold(Element::new("query", ADMIN), |query, (jid, right)| {
            query.child(plain("item").with("jid", jid).with("affiliation", right))
        })
    }

    /// Changes roles and rights.
    pub(super) fn rule(
        &mut self,
        by: &Jid,
        iq: &Element,
        query: &Element,
        post: &mut Post,
    ) -> Result<Element, Element> {
        let bad = || refusal(iq, "modify", "bad-request", "400");
        for item in query.elements().filter(|it| it.local() == "item").take(100) {
            if let (Some(nick), Some(word)) = (item.attribute("nick"), item.attribute("role")) {
                let occupant = self.named(nick).cloned().ok_or_else(|| missing(iq))?;
                post.extend(self.give_role(by, occupant, role(word).ok_or_else(bad)?, item));
            } else if let (Some(jid), Some(word)) =
                (item.attribute("jid"), item.attribute("affiliation"))
            {
                let right = affiliation(word).ok_or_else(bad)?;
                post.extend(self.give_right(by, &Jid::new(jid).bare, right, item));
            } else {
                return Err(bad());
            }
        }
        Ok(result(iq))
    }

    fn give_role(&mut self, by: &Jid, who: Occupant, role: &'static str, item: &Element) -> Post {
        if role == "none" {
            return self.put_out(by, &who, 307, item);
        }
        let Some(known) = self.occupants.iter_mut().find(|it| it.jid == who.jid) else {
            return Vec::new();
        };
        known.role = role;
        let known = known.clone();
        self.show(&known)
    }

    fn give_right(&mut self, by: &Jid, who: &str, right: &'static str, item: &Element) -> Post {
        if right == "none" {
            self.rights.remove(who);
        } else {
            self.rights.insert(who.to_owned(), right);
        }
        let affected: Vec<Occupant> =
            self.occupants.iter().filter(|it| it.jid.bare == who).cloned().collect();
        let code = match right {
            "outcast" => Some(301),
            "none" if self.members_only => Some(321),
            _ => None,
        };
        let mut post = Vec::new();
        for occupant in affected {
            post.extend(match code {
                Some(code) => self.put_out(by, &occupant, code, item),
                None => {
                    let rules = matches!(right, "owner" | "admin");
                    let role = if rules { "moderator" } else { "participant" };
                    self.give_role(by, occupant, role, item)
                }
            });
        }
        post
    }

    /// Everybody hears who was put out by whom and why.
    fn put_out(&mut self, by: &Jid, who: &Occupant, code: u16, item: &Element) -> Post {
        let actor = self.at(by).map_or(by.bare.as_str(), |it| it.nick.as_str()).to_owned();
        let mut told = self
            .item(who)
            .with("role", "none")
            .child(plain("actor").with("nick", &actor).with("jid", &by.bare));
        if let Some(reason) = item.child_text("reason") {
            told = told.child(plain("reason").text(&reason));
        }
        let post = self.gone(who, &told, &[code], None);
        self.occupants.retain(|it| it.jid != who.jid);
        post
    }

    /// The room is closed for everybody; each hears it of themselves.
    pub(super) fn close(&mut self, destroy: Option<&Element>) -> Post {
        let mut why = plain("destroy");
        if let Some(reason) = destroy.and_then(|it| it.child_text("reason")) {
            why = why.child(plain("reason").text(&reason));
        }
        let item = plain("item").with("affiliation", "none").with("role", "none");
        let occupants = std::mem::take(&mut self.occupants);
        let told = occupants.into_iter().flat_map(|occupant| {
            let alone = Room {
                jid: self.jid.clone(),
                occupants: vec![occupant.clone()],
                ..Room::default()
            };
            alone.gone(&occupant, &item, &[], Some(&why))
        });
        told.collect()
    }
}
