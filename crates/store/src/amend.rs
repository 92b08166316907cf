//! Changes of a message by those who may make them. The machine has judged already by whom a
//! change came; here it is held against what is really kept, which the machine may not have in
//! memory.

use offhook_model::{Jid, Message, Reaction, Retraction};
use offhook_ports::Amendment;

/// Carries a change out; false when it is not to be made, and the message is as it was.
pub fn amend(message: &mut Message, change: &Amendment) -> bool {
    match change {
        Amendment::Body { by, body, html } => {
            if !wrote(message, by) || message.more.retracted.is_some() {
                return false;
            }
            message.body.clone_from(body);
            message.more.html.clone_from(html);
            message.more.edited = true;
            true
        }
        Amendment::Retract { retraction, by_room } => retract(message, retraction, *by_room),
        Amendment::Reactions { by, own, emoji } => {
            if message.more.retracted.is_some() {
                return false;
            }
            react(&mut message.more.reactions, by, *own, emoji);
            true
        }
        Amendment::ArchiveId(id) => {
            let new = message.more.archive_id.is_none();
            if new {
                message.more.archive_id = Some(id.clone());
            }
            new
        }
        Amendment::Placed(time) => {
            let moved = std::mem::replace(&mut message.time, *time) != *time;
            std::mem::take(&mut message.more.unplaced) || moved
        }
    }
}

/// Whether this address is the writer's: in a room the occupant's or, where the room tells, the
/// real one.
fn wrote(message: &Message, by: &Jid) -> bool {
    message.from == *by || message.more.author.as_ref().is_some_and(|author| *author == by.bare())
}

fn retract(message: &mut Message, retraction: &Retraction, by_room: bool) -> bool {
    if message.more.retracted.is_some() || !(by_room || wrote(message, &retraction.by)) {
        return false;
    }
    message.body.clear();
    message.more.html = None;
    message.more.attachment = None;
    message.more.reactions.clear();
    message.more.retracted = Some(retraction.clone());
    true
}

fn react(reactions: &mut Vec<Reaction>, by: &Jid, own: bool, emoji: &[String]) {
    for reaction in reactions.iter_mut() {
        reaction.from.retain(|who| who != by);
        if own {
            reaction.own = false;
        }
    }
    for emoji in emoji {
        let place = reactions.iter().position(|it| it.emoji == *emoji);
        match place.and_then(|place| reactions.get_mut(place)) {
            Some(reaction) if reaction.from.contains(by) => {}
            Some(reaction) => {
                reaction.from.push(by.clone());
                reaction.own |= own;
            }
            None => reactions.push(Reaction { emoji: emoji.clone(), from: vec![by.clone()], own }),
        }
    }
    reactions.retain(|reaction| !reaction.from.is_empty());
}
