//! What sources know of people, and the person that is made of it.

use serde::{Deserialize, Serialize};

use crate::{Contact, DirectoryGroup, Jid, PhotoId, Problem};

/// Where something about a person is known from. The order is whose word counts when two of them
/// differ: what somebody wrote down themselves before what an organisation wrote, and that before
/// what was seen in passing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SourceKind {
    /// Contacts that were made here.
    Own,
    /// The contact list of the chat server.
    Roster,
    /// The organisation's directory by LDAP.
    Ldap,
    /// The organisation's directory by User Data Services.
    Uds,
    /// The system's address book.
    AddressBook,
    /// Address books on a server (RFC 6352).
    CardDav,
    /// A folder or file of vCards.
    Vcards,
    /// Chats and calls that were.
    History,
}

/// What a number is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum NumberKind {
    /// At the desk.
    Work,
    /// In the pocket.
    Mobile,
    /// At home.
    Home,
    /// Something else.
    Other,
}

/// A number as its source writes it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PersonNumber {
    /// What it is for.
    pub kind: NumberKind,
    /// As written, with its spaces and brackets.
    pub number: String,
}

/// What one source says of one person. Text has been made safe to show and is bounded by whoever
/// read it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DirectoryEntry {
    /// Who says it.
    pub source: SourceKind,
    /// How the source calls the entry: a distinguished name, the id of a UDS user, the UID of a
    /// vCard.
    pub id: String,
    /// Name to show, where the source has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// First name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    /// Last name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    /// What friends say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nickname: Option<String>,
    /// The name they sign in with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_name: Option<String>,
    /// Where chats go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub im: Option<Jid>,
    /// SIP addresses, without the scheme.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub uris: Vec<String>,
    /// Mail addresses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mail: Vec<String>,
    /// Numbers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub numbers: Vec<PersonNumber>,
    /// What they do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Where in the organisation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub department: Option<String>,
    /// The organisation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub company: Option<String>,
    /// Where in the world, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// Groups and categories.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// Their picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub photo: Option<PhotoSource>,
    /// That picture as it was when it was fetched last, in the cache of pictures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept_photo: Option<PhotoId>,
}

impl DirectoryEntry {
    /// An entry of which nothing is known yet.
    pub fn new(source: SourceKind, id: impl Into<String>) -> Self {
        Self {
            source,
            id: id.into(),
            display_name: None,
            first_name: None,
            last_name: None,
            nickname: None,
            user_name: None,
            im: None,
            uris: vec![],
            mail: vec![],
            numbers: vec![],
            title: None,
            department: None,
            company: None,
            location: None,
            groups: vec![],
            photo: None,
            kept_photo: None,
        }
    }

    /// What the contact list says of somebody; the name is left out where it is the address.
    pub fn of_contact(contact: &Contact) -> Self {
        let address = contact.contact.bare_str();
        let number =
            |number: &String| PersonNumber { kind: NumberKind::Work, number: number.clone() };
        Self {
            display_name: Some(contact.name.clone()).filter(|name| name != address),
            im: Some(contact.contact.clone()),
            numbers: contact.number.iter().map(number).collect(),
            groups: contact.groups.clone(),
            ..Self::new(SourceKind::Roster, address)
        }
    }

    /// The name as a list shows it: the display name, or what else names it or leads to it.
    pub fn shown_name(&self) -> Option<String> {
        let given = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
        let both = || {
            let parts = [&self.first_name, &self.last_name].into_iter().flatten();
            let parts: Vec<&str> =
                parts.map(|part| part.trim()).filter(|it| !it.is_empty()).collect();
            Some(parts.join(" ")).filter(|name| !name.is_empty())
        };
        given(&self.display_name)
            .or_else(both)
            .or_else(|| given(&self.nickname))
            .or_else(|| given(&self.company))
            .or_else(|| self.mail.first().cloned())
            .or_else(|| self.im.as_ref().map(|im| im.bare_str().to_owned()))
            .or_else(|| self.uris.first().cloned())
            .or_else(|| self.numbers.first().map(|number| number.number.clone()))
    }
}

/// Where the picture of a person is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PhotoSource {
    /// To be fetched from a web server.
    Url(String),
    /// An attribute of the entry holds it; it is read when the picture is to be shown.
    Attribute(String),
    /// In the cache of pictures already.
    Kept(PhotoId),
    /// It is that of another entry of the person, which is to be asked for by its source and id.
    Of {
        /// Whose word that entry is.
        source: SourceKind,
        /// Its id there.
        id: String,
    },
}

/// What of a person was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum MatchedField {
    /// One of their names.
    Name,
    /// An address for chats or calls.
    Address,
    /// A mail address.
    Mail,
    /// A number.
    Number,
    /// Their title.
    Title,
    /// Department or organisation.
    Organisation,
    /// A group they are in.
    Group,
}

/// Why somebody is among the results.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Matched {
    /// Which field.
    pub field: MatchedField,
    /// Its text.
    pub text: String,
    /// What of the text was typed, as byte ranges on character borders, in order.
    pub ranges: Vec<(usize, usize)>,
}

/// Names a person for as long as their addresses stay: the lower-case address or number that led to
/// the merge, or the source and its id where there is none.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PersonId(pub String);

/// One person, of all that the sources say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Person {
    /// Stays the same from one search to the next.
    pub id: PersonId,
    /// Name to show.
    pub name: String,
    /// All that is known, each field from the source whose word counts most; lists joined.
    pub entry: DirectoryEntry,
    /// Who knows them, best first.
    pub sources: Vec<SourceKind>,
    /// Why they were found; nothing when nobody searched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub matched: Option<Matched>,
}

/// How far a search is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum SearchStage {
    /// What is known here is shown; nobody else was asked, or not yet.
    #[default]
    Local,
    /// The directory was asked.
    Asking,
    /// Everybody has answered.
    Done,
}

/// A search for people as the window shows it. Who is shown keeps their place while the directory
/// adds others below.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PeopleSearch {
    /// What was typed.
    pub query: String,
    /// Who was found.
    pub people: Vec<Person>,
    /// Groups of the directory that were found; they are asked for after the people.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<DirectoryGroup>,
    /// The directory knows more groups than that.
    pub more_groups: bool,
    /// How far it is.
    pub stage: SearchStage,
    /// The directory knows more than was asked for.
    pub more: bool,
    /// Which sources could not be asked, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<Problem>,
}
