//! What a column is, by what stands above it.

use offhook_model::NumberKind;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    First,
    Last,
    Display,
    Nickname,
    /// What they do.
    Job,
    /// What they do or how they are addressed: in Outlook's tables *Mr*.
    JobOrAddress,
    Company,
    Department,
    City(Place),
    Country(Place),
    Mail,
    Number(NumberKind),
    /// What the number with the same number is for, in words.
    NumberLabel,
    /// A number; what it is for is in its label.
    LabelledNumber,
    Im,
    /// The service of the address with the same number.
    ImService,
    /// An address of a service.
    ServiceAddress,
    Sip,
    Groups,
    /// User part and domain of a contact in a list of IM and Presence.
    ContactId,
    ContactDomain,
}

/// Which of their addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    Work,
    Home,
    Other,
}

/// A column: what it is, and the number in its name: 2 of *E-mail 2 Address*, 0 where there is
/// none.
pub(super) type Known = (Column, u32);

/// Names of columns without anything but letters, in small letters. English and German as Outlook
/// writes them, Google's, those of IM and Presence, and what people write above such columns.
const NAMES: &[(&str, Column)] = &[
    ("firstname", Column::First),
    ("givenname", Column::First),
    ("vorname", Column::First),
    ("lastname", Column::Last),
    ("familyname", Column::Last),
    ("surname", Column::Last),
    ("nachname", Column::Last),
    ("familienname", Column::Last),
    ("name", Column::Display),
    ("displayname", Column::Display),
    ("fullname", Column::Display),
    ("anzeigename", Column::Display),
    ("vollständigername", Column::Display),
    ("nickname", Column::Nickname),
    ("spitzname", Column::Nickname),
    ("jobtitle", Column::Job),
    ("organizationtitle", Column::Job),
    ("position", Column::Job),
    ("funktion", Column::Job),
    ("beruf", Column::Job),
    ("title", Column::JobOrAddress),
    ("titel", Column::JobOrAddress),
    ("company", Column::Company),
    ("organization", Column::Company),
    ("organizationname", Column::Company),
    ("firma", Column::Company),
    ("organisation", Column::Company),
    ("department", Column::Department),
    ("organizationdepartment", Column::Department),
    ("abteilung", Column::Department),
    ("businesscity", Column::City(Place::Work)),
    ("ortgeschäftlich", Column::City(Place::Work)),
    ("homecity", Column::City(Place::Home)),
    ("ortprivat", Column::City(Place::Home)),
    ("othercity", Column::City(Place::Other)),
    ("weitererort", Column::City(Place::Other)),
    ("addresscity", Column::City(Place::Other)),
    ("city", Column::City(Place::Other)),
    ("ort", Column::City(Place::Other)),
    ("businesscountry", Column::Country(Place::Work)),
    ("businesscountryregion", Column::Country(Place::Work)),
    ("landregiongeschäftlich", Column::Country(Place::Work)),
    ("homecountry", Column::Country(Place::Home)),
    ("homecountryregion", Column::Country(Place::Home)),
    ("landregionprivat", Column::Country(Place::Home)),
    ("othercountry", Column::Country(Place::Other)),
    ("othercountryregion", Column::Country(Place::Other)),
    ("weitereslandregion", Column::Country(Place::Other)),
    ("weitereselandregion", Column::Country(Place::Other)),
    ("addresscountry", Column::Country(Place::Other)),
    ("country", Column::Country(Place::Other)),
    ("land", Column::Country(Place::Other)),
    ("email", Column::Mail),
    ("mail", Column::Mail),
    ("emailaddress", Column::Mail),
    ("emailvalue", Column::Mail),
    ("emailadresse", Column::Mail),
    ("businessphone", Column::Number(NumberKind::Work)),
    ("workphone", Column::Number(NumberKind::Work)),
    ("work", Column::Number(NumberKind::Work)),
    ("worknumber", Column::Number(NumberKind::Work)),
    ("telefongeschäftlich", Column::Number(NumberKind::Work)),
    ("geschäftlich", Column::Number(NumberKind::Work)),
    ("mobile", Column::Number(NumberKind::Mobile)),
    ("mobilephone", Column::Number(NumberKind::Mobile)),
    ("mobilenumber", Column::Number(NumberKind::Mobile)),
    ("carphone", Column::Number(NumberKind::Mobile)),
    ("radiophone", Column::Number(NumberKind::Mobile)),
    ("mobil", Column::Number(NumberKind::Mobile)),
    ("mobiltelefon", Column::Number(NumberKind::Mobile)),
    ("handy", Column::Number(NumberKind::Mobile)),
    ("autotelefon", Column::Number(NumberKind::Mobile)),
    ("homephone", Column::Number(NumberKind::Home)),
    ("home", Column::Number(NumberKind::Home)),
    ("homenumber", Column::Number(NumberKind::Home)),
    ("telefonprivat", Column::Number(NumberKind::Home)),
    ("privat", Column::Number(NumberKind::Home)),
    ("phone", Column::Number(NumberKind::Other)),
    ("phonenumber", Column::Number(NumberKind::Other)),
    ("otherphone", Column::Number(NumberKind::Other)),
    ("othernumber", Column::Number(NumberKind::Other)),
    ("primaryphone", Column::Number(NumberKind::Other)),
    ("companymainphone", Column::Number(NumberKind::Other)),
    ("telefon", Column::Number(NumberKind::Other)),
    ("telefonnummer", Column::Number(NumberKind::Other)),
    ("rufnummer", Column::Number(NumberKind::Other)),
    ("weiterestelefon", Column::Number(NumberKind::Other)),
    ("haupttelefon", Column::Number(NumberKind::Other)),
    ("telefonfirma", Column::Number(NumberKind::Other)),
    ("phonelabel", Column::NumberLabel),
    ("phonetype", Column::NumberLabel),
    ("phonevalue", Column::LabelledNumber),
    ("imaddress", Column::Im),
    ("chataddress", Column::Im),
    ("jabberid", Column::Im),
    ("chatadresse", Column::Im),
    ("imadresse", Column::Im),
    ("imservice", Column::ImService),
    ("imvalue", Column::ServiceAddress),
    ("sipaddress", Column::Sip),
    ("sipuri", Column::Sip),
    ("sipadresse", Column::Sip),
    ("categories", Column::Groups),
    ("kategorien", Column::Groups),
    ("labels", Column::Groups),
    ("groupmembership", Column::Groups),
    ("group", Column::Groups),
    ("groupname", Column::Groups),
    ("gruppe", Column::Groups),
    ("contactid", Column::ContactId),
    ("contactdomain", Column::ContactDomain),
];

/// What the columns of these names are.
pub(super) fn columns<'a>(names: impl Iterator<Item = &'a str>) -> Vec<Option<Known>> {
    let mut columns: Vec<Option<Known>> = names.map(column).collect();
    let is = |column: &Option<Known>, wanted| column.is_some_and(|(column, _)| column == wanted);
    if columns.iter().any(|it| is(it, Column::Job)) {
        for column in columns.iter_mut().filter(|it| is(it, Column::JobOrAddress)) {
            *column = None;
        }
    }
    columns
}

fn column(name: &str) -> Option<Known> {
    // Longer ones are none, and nobody has to read them.
    let name = name.get(..name.floor_char_boundary(100))?.to_lowercase();
    let letters: String = name.chars().filter(|c| c.is_alphabetic()).collect();
    let digits: String = name.chars().filter(char::is_ascii_digit).collect();
    let (_, column) = NAMES.iter().find(|(known, _)| *known == letters)?;
    Some((*column, digits.parse().unwrap_or(0)))
}

/// What a number is for by its label. Facsimile machines and pagers are nobody to talk to.
pub(super) fn labelled(label: &str) -> Option<NumberKind> {
    let label = label.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| label.contains(word));
    if says(&["fax", "pager"]) {
        None
    } else if says(&["mobil", "cell", "handy"]) {
        Some(NumberKind::Mobile)
    } else if says(&["work", "business", "arbeit", "geschäftlich", "dienstlich"]) {
        Some(NumberKind::Work)
    } else if says(&["home", "privat"]) {
        Some(NumberKind::Home)
    } else {
        Some(NumberKind::Other)
    }
}

#[cfg(test)]
mod tests {
    use super::{Column, NAMES, Place, columns};
    use offhook_model::NumberKind;

    #[test]
    fn names_are_read_whatever_stands_between_their_letters() {
        for (name, wanted) in [
            ("E-mail 2 Address", Some((Column::Mail, 2))),
            ("E-Mail 3: Adresse", Some((Column::Mail, 3))),
            ("E-MAIL-ADRESSE", Some((Column::Mail, 0))),
            (" Telefon (geschäftlich) ", Some((Column::Number(NumberKind::Work), 0))),
            ("TELEFON GESCHÄFTLICH 2", Some((Column::Number(NumberKind::Work), 2))),
            ("Phone 11 - Value", Some((Column::LabelledNumber, 11))),
            ("Business Country/Region", Some((Column::Country(Place::Work), 0))),
            ("first_name", Some((Column::First, 0))),
            ("Business Fax", None),
            ("E-mail Type", None),
            ("Notes", None),
            ("", None),
        ] {
            assert_eq!(columns([name].into_iter()), [wanted], "{name}");
        }
    }

    #[test]
    fn a_title_is_what_they_do_unless_another_column_says_that() {
        let job = Some((Column::Job, 0));
        assert_eq!(columns(["Title", "Job Title"].into_iter()), [None, job]);
        assert_eq!(columns(["Title"].into_iter()), [Some((Column::JobOrAddress, 0))]);
    }

    #[test]
    fn names_are_in_the_form_in_which_they_are_looked_for() {
        for (at, (name, _)) in NAMES.iter().enumerate() {
            assert!(name.chars().all(|c| c.is_alphabetic() && c.is_lowercase()), "{name}");
            assert!(NAMES.iter().skip(at + 1).all(|(other, _)| other != name), "{name} twice");
        }
    }
}
