//! A directory of made-up people as LDIF: the same for the same number, each of another mixture of
//! names of all scripts.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

const FIRST: [&str; 16] = [
    "Alice",
    "Bob",
    "Carol",
    "Dieter",
    "Erin",
    "François",
    "Grace",
    "Jürgen",
    "Łukasz",
    "Søren",
    "Zoë",
    "Иван",
    "美咲",
    "Olivia",
    "Renée",
    "Øystein",
];
const LAST: [&str; 12] = [
    "Smith", "Jones", "Müller", "Nowak", "García", "O'Brien", "Yamamoto", "Åström", "Černý",
    "Taylor", "Silva", "Zhang",
];
/// The first bytes of a picture, which are text in no encoding.
pub const PICTURE: [u8; 12] = [0xff, 0xd8, 0xff, 0xe0, 0, 16, b'J', b'F', b'I', b'F', 0, 0xfe];
/// Values of the entry that has more than anybody wants.
pub const VALUES: usize = 1_100;

/// The name of somebody: first, last.
pub fn name(number: usize) -> (&'static str, &'static str) {
    (FIRST[number * 7 % FIRST.len()], LAST[number * 5 % LAST.len()])
}

/// A group whose name is made of what means something in names and filters.
pub const ODD_GROUP: &str = "Engines, \\ (old) *";

/// The tree with `count` people in three groups, and beside them where else to ask.
pub fn ldif(count: usize, elsewhere: Option<&str>) -> String {
    let mut all = String::from(
        "dn: dc=example,dc=test\nobjectClass: dcObject\nobjectClass: organization\no: Example\n\
         dc: example\n\ndn: ou=people,dc=example,dc=test\nobjectClass: organizationalUnit\n\
         ou: people\n\ndn: cn=reader,dc=example,dc=test\nobjectClass: organizationalRole\n\
         objectClass: simpleSecurityObject\ncn: reader\nuserPassword: s3cret\n\n",
    );
    if let Some(url) = elsewhere {
        let _ = write!(
            all,
            "dn: ou=elsewhere,ou=people,dc=example,dc=test\nobjectClass: referral\n\
             objectClass: extensibleObject\nou: elsewhere\nref: {url}\n\n"
        );
    }
    for number in 0..count {
        person(number, &mut all);
    }
    all.push_str(
        "dn: ou=groups,dc=example,dc=test\nobjectClass: organizationalUnit\nou: groups\n\n",
    );
    let user = |number: usize| format!("uid=user{number:05},ou=people,dc=example,dc=test");
    let odd = "cn=Engines\\2C \\5C (old) *,ou=groups,dc=example,dc=test";
    // One who left, and a group inside of a group.
    let first = (0..count.min(12)).map(user);
    let first = first.chain([user(99_999), odd.to_owned()]).collect();
    let engineering = ("Engineering", "cn=Engineering,ou=groups,dc=example,dc=test");
    group(engineering, ["groupOfNames", "member"], first, &mut all);
    let everybody = ("Everybody", "cn=Everybody,ou=groups,dc=example,dc=test");
    let members = (0..count.max(1)).take(300).map(user).collect();
    group(everybody, ["groupOfUniqueNames", "uniqueMember"], members, &mut all);
    group((ODD_GROUP, odd), ["groupOfNames", "member"], vec![user(2)], &mut all);
    all
}

fn group(
    (name, dn): (&str, &str),
    [class, attribute]: [&str; 2],
    members: Vec<String>,
    all: &mut String,
) {
    let mut line = |name: &str, value: &str| {
        let _ = writeln!(all, "{name}:: {}", STANDARD.encode(value));
    };
    line("dn", dn);
    line("objectClass", class);
    line("cn", name);
    line("description", "Who builds it");
    members.iter().for_each(|member| line(attribute, member));
    all.push('\n');
}

fn person(number: usize, all: &mut String) {
    let (first, last) = name(number);
    let user = format!("user{number:05}");
    let mut line = |name: &str, value: &[u8]| {
        let _ = writeln!(all, "{name}:: {}", STANDARD.encode(value));
    };
    line("dn", format!("uid={user},ou=people,dc=example,dc=test").as_bytes());
    line("objectClass", b"inetOrgPerson");
    line("cn", format!("{first} {last}").as_bytes());
    line("sn", last.as_bytes());
    line("givenName", first.as_bytes());
    line("displayName", format!("{last}, {first}").as_bytes());
    line("uid", user.as_bytes());
    line("mail", format!("{user}@example.test").as_bytes());
    line("telephoneNumber", format!("+1 408 555 {number:04}").as_bytes());
    line("mobile", format!("+1650556{number:04}").as_bytes());
    line("title", b"Engineer");
    if number < 3 {
        line("jpegPhoto", &[&PICTURE[..], &[number as u8]].concat());
    }
    if number == 1 {
        for value in 0..VALUES {
            line("description", format!("value {value}").as_bytes());
        }
        line("employeeType", "x".repeat(3_000).as_bytes());
    }
    all.push('\n');
}
