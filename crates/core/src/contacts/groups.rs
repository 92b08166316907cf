//! Groups of the directory become groups of the contact list.
//!
//! Everybody in one who has a chat address becomes a contact, or joins the group as a contact that is
//! there. Nobody who is on the contact list is asked for their presence once more.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use offhook_contacts::ldap::MembersReport;
use offhook_model::{
    CommandError, Contact, DirectoryEntry, ErrorCode, GroupTaken, GroupTaking, Jid, Moment, Owner,
    Reply, Ticket,
};

use super::Ask;
use crate::{Core, Effect, RunId};

/// Characters of the name of a group of the contact list.
const NAME: usize = 100;
const WHAT: &str = "Taking over a group";

impl Core {
    /// Begins; nothing when the answer comes later. The window sees a refusal as well.
    pub(super) fn take_group(
        &mut self,
        ticket: Ticket,
        id: String,
    ) -> Option<Result<Reply, CommandError>> {
        if self.contacts.asks.values().any(|ask| matches!(ask, Ask::Group(..))) {
            return Some(Err(CommandError::user(
                ErrorCode::NotPossible,
                "A group is being taken over.",
                "Wait until it is done.",
            )));
        }
        let way = self.way_to_directory().filter(|(directory, _)| directory.has_groups());
        let error = match (self.chat.connected(WHAT), way) {
            (Err(error), _) => error,
            (Ok(_), None) => CommandError {
                owner: Owner::Admin,
                ..CommandError::user(
                    ErrorCode::NotPossible,
                    "There is no directory here that has groups.",
                    "Only directories by LDAP have them; ask who sets up this program.",
                )
            },
            (Ok(_), Some((directory, through))) => {
                let run = self.next_run();
                self.contacts.asks.insert(run, Ask::Group(ticket, id.clone()));
                self.show_group(true, id.clone(), None);
                self.out.push_back(Effect::ReadGroup { run, directory, through, id });
                return None;
            }
        };
        self.show_group(true, id, Some(Err(error.clone())));
        Some(Err(error))
    }

    /// The directory has said who is in a group.
    pub(crate) fn group_read(&mut self, run: RunId, read: MembersReport, now: Moment) {
        let Some(Ask::Group(ticket, id)) = self.contacts.asks.remove(&run) else { return };
        let taken = self.take_members(read, now);
        self.group_over(ticket, id, taken);
    }

    /// Who asked is answered, and the window shows it.
    pub(super) fn group_over(
        &mut self,
        ticket: Ticket,
        id: String,
        taken: Result<GroupTaken, CommandError>,
    ) {
        self.show_group(false, id, Some(taken.clone()));
        self.reply(ticket, taken.map(Reply::Group));
    }

    fn show_group(
        &mut self,
        another: bool,
        id: String,
        outcome: Option<Result<GroupTaken, CommandError>>,
    ) {
        let before = self.contacts.taking.as_ref().map_or(0, |before| before.number);
        let number = before + u32::from(another);
        self.contacts.taking = Some(Arc::new(GroupTaking { number, id, outcome }));
    }

    fn take_members(
        &mut self,
        read: MembersReport,
        now: Moment,
    ) -> Result<GroupTaken, CommandError> {
        let MembersReport { group, people: mut members, no_people, left_out, more, problems } =
            read;
        let Some(group) = group else {
            return Err(match problems.into_iter().next() {
                Some(problem) => CommandError {
                    code: ErrorCode::Failed,
                    cause: problem.cause,
                    owner: problem.owner,
                    remedy: problem.remedy,
                },
                None => CommandError::user(
                    ErrorCode::NoSuchObject,
                    "The directory has no such group.",
                    "Search for it once more.",
                ),
            });
        };
        let own = self.chat.plan.as_ref().map(|plan| plan.jid.bare());
        self.with_kept_photos(&mut members);
        self.keep_found(&members);
        let name: String = group.name.trim().chars().take(NAME).collect();
        let im = self.chat.connected(WHAT)?;
        let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let mut taken = GroupTaken {
            group: name.clone(),
            no_people: count(no_people),
            left_out: count(left_out),
            more,
            ..GroupTaken::default()
        };
        let listed = im.contacts();
        let listed: BTreeMap<&Jid, &Arc<Contact>> =
            listed.iter().map(|contact| (&contact.contact, contact)).collect();
        let mut seen = HashSet::new();
        for DirectoryEntry { im: address, display_name, .. } in members {
            let Some(address) = address.map(|address| address.bare()) else {
                taken.without_address += 1;
                continue;
            };
            if own.as_ref() == Some(&address) || !seen.insert(address.clone()) {
                continue;
            }
            let groups = listed.get(&address).map(|it| it.groups.clone()).unwrap_or_default();
            if groups.contains(&name) {
                taken.present += 1;
                continue;
            }
            let groups: Vec<String> = groups.into_iter().chain([name.clone()]).collect();
            // Who only asked to see our presence is on the list of people, and no contact yet.
            if listed.contains_key(&address) && im.roster_groups(&address, groups.clone()) {
                taken.joined += 1;
            } else if im.roster_add(address, display_name, Some(groups), now) {
                taken.added += 1;
            }
        }
        Ok(taken)
    }
}
