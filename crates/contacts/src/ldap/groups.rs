//! Groups: what is shown of one, and who is in it.
//!
//! A group names its members (`member`, `uniqueMember` of RFC 4519; `memberUid` of RFC 2307). Where
//! it names none that we may see, Active Directory knows it from the people's side (`memberOf`).
//! Groups inside of a group are not followed.

use std::collections::HashSet;

use offhook_model::{DirectoryEntry, DirectoryGroup, Problem};
use offhook_ports::{Ldap, LdapEntry, LdapScope};

use super::entry::{TEXT, Values, person};
use super::filters::{all, any, equal};
use super::plan::{Base, Flavour, LdapPlan};
use super::search::{Question, Run, VALUE, of_people};
use super::standing::Standing;

/// Members of one group that are read: what Jabber's limit of a directory group is.
pub const MOST_MEMBERS: usize = 100;
/// Members of one group that are counted; the adapter brings no more values of an attribute.
const COUNTED: usize = 1_000;
/// Members that are read side by side, each over a connection of its own that is kept.
const AT_ONCE: usize = 4;
/// Accounts that are asked for in one filter.
const ACCOUNTS: usize = 50;

const DESCRIPTION: &str = "description";
const MEMBERS: [&str; 2] = ["member", "uniqueMember"];
const ACCOUNT_MEMBERS: &str = "memberUid";

/// Who is in a group.
#[derive(Clone, Debug, Default)]
pub struct MembersReport {
    /// The group; nothing when the directory has no such group, or could not be asked to the end:
    /// then the problems say why.
    pub group: Option<DirectoryGroup>,
    /// The people of the first [`MOST_MEMBERS`] members, in the server's order.
    pub people: Vec<DirectoryEntry>,
    /// Members of these of whom nobody could be read: groups, what is gone, what is closed to us.
    pub no_people: usize,
    /// Members beyond the first, as far as they were counted.
    pub left_out: usize,
    /// There are more than were counted.
    pub more: bool,
    /// What was in the way, although something may have been found.
    pub problems: Vec<Problem>,
}

/// Attributes of a group that are shown.
pub(super) fn shown(plan: &LdapPlan) -> Vec<String> {
    vec![plan.attributes.common_name.clone(), DESCRIPTION.to_owned()]
}

/// Reads one group. One without a name cannot be chosen.
pub(super) fn group(plan: &LdapPlan, entry: &LdapEntry) -> Option<DirectoryGroup> {
    let values = Values(entry);
    let name = values.text(&plan.attributes.common_name, TEXT).next()?;
    let description = values.text(DESCRIPTION, TEXT).next().filter(|text| *text != name);
    let id = entry.dn.clone();
    (!id.is_empty()).then_some(DirectoryGroup { id, name, description })
}

/// Who a group says is in it.
enum Named {
    /// By their names in the directory.
    Entries(Vec<String>),
    /// By their accounts.
    Accounts(Vec<String>),
}

impl Named {
    fn len(&self) -> usize {
        match self {
            Self::Entries(names) | Self::Accounts(names) => names.len(),
        }
    }
}

fn named(entry: &LdapEntry) -> Named {
    let values = Values(entry);
    // What a search below the root would be is no member.
    let texts = |attribute| {
        let texts = values.raw(attribute).filter_map(|value| std::str::from_utf8(value).ok());
        texts.filter(|text| !text.trim().is_empty())
    };
    let mut seen = HashSet::new();
    let mut once = |text: &&str| seen.insert(text.to_lowercase());
    let entries = MEMBERS.into_iter().flat_map(texts);
    let entries: Vec<String> = entries.filter(&mut once).map(str::to_owned).collect();
    if !entries.is_empty() {
        return Named::Entries(entries);
    }
    Named::Accounts(texts(ACCOUNT_MEMBERS).filter(&mut once).map(str::to_owned).collect())
}

/// Reads who is in the group of this name in the directory.
pub async fn members(
    ldap: &dyn Ldap,
    plan: &LdapPlan,
    standing: &Standing,
    id: &str,
) -> MembersReport {
    let mut run = Run { ldap, plan, standing, problems: vec![] };
    let report = run.members(id).await.unwrap_or_default();
    MembersReport { problems: run.problems, ..report }
}

impl Run<'_> {
    /// Nothing as soon as nobody answers.
    async fn members(&mut self, id: &str) -> Option<MembersReport> {
        // Below no name is everything; that is no group.
        if id.trim().is_empty() {
            return None;
        }
        let mut attributes = shown(self.plan);
        attributes.extend(MEMBERS.map(str::to_owned));
        attributes.push(ACCOUNT_MEMBERS.to_owned());
        let question = Question {
            filter: self.plan.group_filter.clone(),
            setting: "GroupBaseFilter",
            attributes,
            bases: vec![base(id)],
            quiet: true,
            limit: 1,
            value_limit: VALUE,
        };
        let found = self.anywhere(&question).await?;
        let entry = found.entries.first()?;
        let mut named = named(entry);
        let mut more = named.len() >= COUNTED;
        if named.len() == 0 && self.plan.flavour == Flavour::ActiveDirectory {
            let names;
            (names, more) = self.who_say_so(id).await?;
            named = Named::Entries(names);
        }
        let read = named.len().min(MOST_MEMBERS);
        let mut people = vec![];
        match &named {
            Named::Entries(names) => {
                for names in names[..read].chunks(AT_ONCE) {
                    let bases = names.iter().map(|name| base(name)).collect();
                    let filter = self.plan.base_filter.clone();
                    people.extend(self.people(filter, bases, true, AT_ONCE).await?);
                }
            }
            Named::Accounts(names) => {
                for names in names[..read].chunks(ACCOUNTS) {
                    let account = &self.plan.attributes.account;
                    let accounts = any(names.iter().map(|name| equal(account, name)).collect());
                    let filter = all(vec![self.plan.base_filter.clone(), accounts]);
                    let bases = self.plan.bases.clone();
                    people.extend(self.people(filter, bases, false, ACCOUNTS).await?);
                }
            }
        }
        Some(MembersReport {
            group: group(self.plan, entry),
            no_people: read.saturating_sub(people.len()),
            people,
            left_out: named.len() - read,
            more,
            problems: vec![],
        })
    }

    /// People who say that they are in the group, by their names, and whether there are more.
    async fn who_say_so(&mut self, id: &str) -> Option<(Vec<String>, bool)> {
        let question = Question {
            filter: all(vec![self.plan.base_filter.clone(), equal("memberOf", id)]),
            setting: "BaseFilter",
            // No attribute (RFC 4511 section 4.5.1.8).
            attributes: vec!["1.1".to_owned()],
            bases: self.plan.bases.clone(),
            quiet: false,
            limit: u32::try_from(COUNTED).unwrap_or(u32::MAX),
            value_limit: VALUE,
        };
        let found = self.anywhere(&question).await?;
        let names = found.entries.into_iter().map(|entry| entry.dn);
        Some((names.filter(|name| !name.is_empty()).collect(), found.more))
    }

    async fn people(
        &mut self,
        filter: String,
        bases: Vec<Base>,
        quiet: bool,
        limit: usize,
    ) -> Option<Vec<DirectoryEntry>> {
        let question = Question {
            filter,
            setting: "BaseFilter",
            attributes: of_people(self.plan),
            bases,
            quiet,
            limit: u32::try_from(limit).unwrap_or(u32::MAX),
            value_limit: VALUE,
        };
        let found = self.anywhere(&question).await?;
        Some(found.entries.iter().filter_map(|it| person(self.plan, it)).collect())
    }
}

/// This entry itself.
fn base(name: &str) -> Base {
    Base { dn: name.to_owned(), scope: LdapScope::Base }
}
